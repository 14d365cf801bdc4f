# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The example of a re-ID node, between a detector and the real bridge."""

import base64
import importlib.util
import io
import pathlib

from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge_msgs.msg import Boxes, Start
import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from rigs import process_rig as rigs
from rigs.commands import feature_map, start, stop
from rigs.installed import executable
from sensor_msgs.msg import Image

EXAMPLES = pathlib.Path(executable('bridge')).parent
RED, BLUE, GREY = (220, 30, 40), (20, 60, 210), (128, 128, 128)
RECTS = {0: [0.1, 0.25, 0.3, 0.75], 1: [0.6, 0.25, 0.8, 0.75]}  # by box id


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- the end

def test_a_signal_while_the_executor_begins_to_wait_is_no_error(monkeypatch):
    module = example('reid_node')
    monkeypatch.setattr(module, 'ReidNode', lambda: None)
    monkeypatch.setattr(module.rclpy, 'init', lambda: None)

    def spin(node):
        raise RuntimeError('the given context is not valid')

    def try_shutdown():  # Python may come to the signal only here
        raise KeyboardInterrupt
    monkeypatch.setattr(module.rclpy, 'spin', spin)
    monkeypatch.setattr(module.rclpy, 'try_shutdown', try_shutdown)
    monkeypatch.setattr(module.rclpy, 'ok', lambda: False)
    module.main()
    monkeypatch.setattr(module.rclpy, 'ok', lambda: True)
    with pytest.raises(RuntimeError):  # all else is one
        module.main()


# ---- the node itself

class Scene:
    """A camera and its detector: two objects that look different."""

    def __init__(self, rig):
        self.rig = rig
        node = rig.probe.node
        self.image = node.create_publisher(Image, 'image', qos_profile_sensor_data)
        self.detections = node.create_publisher(Boxes, 'detections', 100)
        self.seconds = 100

    def publish(self):
        """Publish a frame with its boxes; return its id."""
        self.seconds += 1
        pixels = np.empty((120, 160, 3), np.uint8)
        pixels[:] = GREY
        pixels[30:90, 16:48] = RED
        pixels[30:90, 96:128] = BLUE
        image = Image(height=120, width=160, encoding='rgb8', step=480, data=pixels.tobytes())
        image.header.stamp.sec = self.seconds
        self.image.publish(image)
        self.rig.probe.executor.spin_once(timeout_sec=0.05)
        self.detections.publish(rigs.boxes(
            float(self.seconds), *(rigs.box(number, rect=rect) for number, rect in RECTS.items()),
            stamp=(self.seconds, 0)))
        return float(self.seconds)

    def object_ids(self):
        """Publish a frame; return whom its boxes show at the orchestrator, None if it is lost."""
        frame_id = self.publish()
        end = rigs.time.monotonic() + 1.0
        while rigs.time.monotonic() < end:
            self.rig.probe.executor.spin_once(timeout_sec=0.05)
            for message in self.rig.orchestrator.messages('boundingBoxes'):
                if message['frameId'] == frame_id:
                    return [box.get('objectId') for box in message['boxes']]
        return None

    def wait_for(self, *object_ids):
        self.rig.wait(lambda: self.object_ids() == [*object_ids],
                      f'the boxes show the objects {object_ids}')

    def feature_maps(self, object_id):
        return [message['featureMap'] for message in self.rig.orchestrator.messages('featureMap')
                if message['objectId'] == object_id]


@pytest.fixture
def scene(tmp_path):
    # What a test sends in the orchestrator's name, the orchestrator does not know of.
    with rigs.running(tmp_path, reconcile=False) as rig:
        yield Scene(rig)


def reid_node(scene, folder, name='reid'):
    process = rigs.Process(scene.rig.domain, folder / f'{name}.log', command=['reid_node.py'])
    # Else a click may be on a frame whose image it never got.
    scene.rig.wait(lambda: scene.image.get_subscription_count(), 'image is subscribed')
    return process


def test_the_reid_node_extracts_finds_again_drops_and_takes_up_after_a_restart(scene, tmp_path):
    orchestrator = scene.rig.orchestrator
    frames = []
    scene.rig.probe.node.create_subscription(Boxes, 'boxes', frames.append, 100)
    first = reid_node(scene, tmp_path, 'first')
    scene.wait_for(None, None)
    orchestrator.send(start(7, frameId=float(scene.seconds), boxId=1))
    scene.rig.wait(lambda: scene.feature_maps(7), 'the feature map arrives')
    assert len(scene.feature_maps(7)[0]) == 24
    assert np.linalg.norm(scene.feature_maps(7)[0]) == pytest.approx(1.0)
    scene.wait_for(None, 7)
    scene.rig.wait(lambda: frames[-1].session == scene.rig.probe.of(Start)[0].session,
                   'the boxes say of which session their ids are')
    # Another camera has found what looks like the first object.
    reid = example('reid_node')
    red = np.full((10, 10, 3), RED, np.uint8)
    orchestrator.send(feature_map(8, reid.feature_map(red).tolist()))
    scene.wait_for(8, 7)
    assert first.end() == 0, first.log
    second = reid_node(scene, tmp_path, 'second')
    scene.wait_for(8, 7)
    assert 'object 7: tracked' in second.log and 'object 8: tracked' in second.log
    assert len(scene.feature_maps(7)) == 1, 'nothing is extracted again'
    orchestrator.send(stop(7))
    scene.wait_for(8, None)
    assert 'object 7: dropped' in second.log
    third_start = start(9, frameId=1.0, boxId=0)  # a frame that nobody has seen
    orchestrator.send(third_start)
    scene.rig.wait(lambda: 'object 9: its frame is not there any more' in second.log)
    assert second.end() == 0, second.log


def test_the_reid_node_takes_up_a_start_that_came_while_it_was_away(scene, tmp_path):
    pil = pytest.importorskip('PIL.Image')
    file = io.BytesIO()
    pil.fromarray(np.full((20, 10, 3), BLUE, np.uint8)).save(file, 'png')
    uri = IMAGE_PREFIX + base64.b64encode(file.getvalue()).decode()
    scene.rig.orchestrator.send(start(3, image=uri), start(4, image=uri), stop(4))
    scene.rig.wait(lambda: len(scene.rig.probe.of(Start)) == 2)
    scene.rig.wait(lambda: [found.object_id for found in scene.rig.probe.tracked.objects] == [3])
    late = reid_node(scene, tmp_path)
    scene.rig.wait(lambda: 'object 3: tracked' in late.log)
    assert 'object 4' not in late.log, (scene.rig.probe.tracked, scene.rig.process.log)
    scene.wait_for(None, 3)
    assert scene.feature_maps(3) and not scene.feature_maps(4)
    assert late.end() == 0, late.log


def test_the_reid_node_drops_an_object_whose_stop_the_bridge_has_missed(scene, tmp_path):
    rig = scene.rig
    node = reid_node(scene, tmp_path)
    scene.wait_for(None, None)
    rig.orchestrator.send(start(7, frameId=float(scene.seconds), boxId=1))
    scene.wait_for(None, 7)
    assert rig.process.end() == 0
    rig.process = rigs.Process(rig.domain, tmp_path / 'again.log', **rig.parameters)
    rig.wait(lambda: 'object 7: dropped' in node.log, 'the object is dropped')
    scene.wait_for(None, None)
    assert node.end() == 0, node.log
