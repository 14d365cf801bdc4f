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

"""A detector that speaks vision_msgs on one side, the orchestrator on the other."""

import sys

from camera_ws_bridge.config.parameters import DETECTION2D
from camera_ws_bridge_msgs.msg import Start
import pytest
from rclpy.parameter import Parameter
from rigs import detector_rig, process_rig as rigs
from rigs.commands import start
from rigs.parameter_client import ParameterClient
from sensor_msgs.msg import CameraInfo

try:
    from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose
except ImportError:
    Detection2DArray = None
needs_vision_msgs = pytest.mark.skipif(
    Detection2DArray is None, reason='vision_msgs is not installed')
SIZE = {'image_width': 640, 'image_height': 480}


def running(folder, **parameters):
    return detector_rig.running(
        folder, Detection2DArray, boxes_type=DETECTION2D, **parameters)


def detections(stamp, *found):
    message = Detection2DArray(detections=list(found))
    message.header.stamp.sec, message.header.stamp.nanosec = stamp
    return message


def detection(*results, x=320.0, y=240.0, theta=0.0, name=''):
    found = Detection2D(id=name)
    found.bbox.center.position.x, found.bbox.center.position.y = x, y
    found.bbox.center.theta = theta
    found.bbox.size_x, found.bbox.size_y = 64.0, 48.0
    for class_id, score in results:
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = class_id, score
        found.results.append(result)
    return found


@needs_vision_msgs
def test_detections_arrive_as_boxes_and_a_start_names_their_frame(tmp_path):
    with running(tmp_path, **SIZE) as rig:
        rig.connect()
        rig.probe.boxes.publish(detections(
            (1700000000, 123456789), detection(('dog', 0.25), ('person', 0.75), name='7'),
            detection(('cat', 0.5), name='track-3', x=0.0)))
        frame = rig.frame(1700000000.123456789)
        assert frame['boxes'] == [
            {'boxId': 0, 'rect': [0.45, 0.45, 0.55, 0.55], 'objectType': 'person',
             'certainty': 0.75, 'objectId': 7},
            {'boxId': 1, 'rect': [-0.05, 0.45, 0.05, 0.55], 'objectType': 'cat',
             'certainty': 0.5}]
        # The same double, but for the next step; both stamps come back as they were.
        rig.probe.boxes.publish(detections((1700000000, 123456799), detection()))
        rig.probe.wait(lambda: len(rig.orchestrator.frame_ids()) and (
            rig.orchestrator.frame_ids()[-1] != frame['frameId']))
        neighbour = rig.orchestrator.frame_ids()[-1]
        for object_id, frame_id in ((1, frame['frameId']), (2, neighbour)):
            rig.orchestrator.send(start(object_id, frameId=frame_id, boxId=0))
        rig.probe.wait(lambda: len(rig.probe.of(Start)) == 2)
        assert [(command.frame_stamp.sec, command.frame_stamp.nanosec)
                for command in rig.probe.of(Start)] == [
            (1700000000, 123456789), (1700000000, 123456799)]
        assert 'rotated' not in rig.process.log


@needs_vision_msgs
def test_frame_ids_count_from_the_stamp_that_is_given_or_from_the_first_frame(tmp_path):
    with running(tmp_path, frame_id_zero='1764000000.25', **SIZE) as rig:
        rig.connect()
        rig.probe.boxes.publish(detections((1764000083, 750000001), detection()))
        rig.frame(83.500000001)
        rig.orchestrator.send(start(1, frameId=83.500000001, boxId=0))
        client = ParameterClient(rig.probe.node, 'camera_ws_bridge')
        rig.probe.wait(client.services_are_ready, 'parameters can be set')
        for value in ('tomorrow', 'first_frame'):
            future = client.set_parameters([Parameter('frame_id_zero', value=value)])
            rig.probe.wait(future.done, 'the parameter is set')
            assert future.result().results[0].successful == (value == 'first_frame')
        for second in (0, 2):
            rig.probe.boxes.publish(detections((1764000100 + second, 5), detection()))
            rig.frame(float(second))
        rig.orchestrator.send(start(2, frameId=2, boxId=0))
        rig.probe.wait(lambda: len(rig.probe.of(Start)) == 2)
        assert [(command.frame_stamp.sec, command.frame_stamp.nanosec)
                for command in rig.probe.of(Start)] == [
            (1764000083, 750000001), (1764000102, 5)]


@needs_vision_msgs
def test_the_image_size_comes_from_camera_info_and_until_then_frames_are_counted(tmp_path):
    with running(tmp_path, detection_ids=False) as rig:
        rig.connect()
        rejected = rig.probe.count(rig.probe.status.rejected_outbound)
        assert {*rejected} == {'no_image_size'}
        rig.probe.wait(lambda: 'nothing came on /camera_info' in rig.process.log)
        for size in ((640, 480), (1280, 960)):
            info = CameraInfo(width=size[0], height=size[1])

            def known():
                info.header.stamp.nanosec += 1
                rig.probe.camera_info.publish(info)
                rig.probe.executor.spin_once(timeout_sec=0.2)
                return f'images are {size[0]} x {size[1]} pixels' in rig.process.log
            rig.probe.wait(known)
            rig.probe.boxes.publish(detections((size[0], 0), detection(name='7', theta=0.5)))
            (box,) = rig.frame(float(size[0]))['boxes']
            assert box['rect'][2] - box['rect'][0] == pytest.approx(64 / size[0])
            assert 'objectId' not in box
        assert rig.process.log.count('rotated bounding boxes') == 1
        assert rig.process.log.count('images are 640') == 1


@needs_vision_msgs
def test_bad_detections_are_refused_by_name_and_missing_stamps_are_told(tmp_path):
    with running(tmp_path, **SIZE) as rig:
        rig.connect()
        rig.probe.boxes.publish(detections((5, 0), detection(x=float('nan'))))
        rig.probe.wait_for_status(lambda status: status.rejected_outbound)
        assert 'boundingBoxes.boxes[0].rect' in rig.process.log
        rig.probe.boxes.publish(detections((0, 0), detection()))
        rig.frame(0.0)
        assert 'no header.stamp' in rig.process.log


@needs_vision_msgs
def test_the_example_gets_onto_the_orchestrator_as_the_readme_says(tmp_path):
    with running(tmp_path) as rig:
        example = rigs.Process(
            rig.domain, tmp_path / 'example.log',
            command=['detection2d_publisher.py'])
        rig.probe.wait(lambda: len(rig.orchestrator.frame_ids()) >= 10)
        assert example.end() == 0, example.log
        frame = rig.orchestrator.messages('boundingBoxes')[-1]
        assert [box['objectType'] for box in frame['boxes']] == ['person'] * 3
        assert all(0.0 <= value <= 1.0 for box in frame['boxes'] for value in box['rect'])
        assert frame['frameId'] > 1.7e9


@pytest.mark.parametrize('parameters, says', [
    ({'boxes_type': DETECTION2D}, 'boxes_type: vision_msgs cannot be imported (not here)'),
    ({'boxes_type': 'vision_msgs/Detection2D'},
     "boxes_type: 'vision_msgs/Detection2D': there is no adapter for it; there are "
     'camera_ws_bridge_msgs/msg/Boxes, vision_msgs/msg/Detection2DArray, yolo_msgs/'),
    ({'boxes_type': 'vision_msgs/msg/Detection3DArray'}, 'its boxes are in metres'),
    ({'image_width': 640}, 'image_width: and image_height: set both'),
    ({'frame_id_zero': 'now'}, 'frame_id_zero: must be epoch, first_frame, or a stamp'),
])
def test_what_can_never_work_ends_with_2(tmp_path, parameters, says):
    (tmp_path / 'vision_msgs.py').write_text('raise ImportError("not here")')
    path = ':'.join([str(tmp_path), *filter(None, sys.path)])
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', environment={'PYTHONPATH': path}, camera_id='cam-1',
            orchestrator_url='ws://localhost:1/processor', **parameters)
        assert process.wait() == 2, process.log
        assert says in process.log
        assert 'Traceback' not in process.log
