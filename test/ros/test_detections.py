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

"""From detections to boxes, with plain objects where packages of messages are not installed."""

from types import SimpleNamespace as Message

from camera_ws_bridge.config.parameters import DETECTION2D, Parameters
from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs import detection2d, detections, yolo
from camera_ws_bridge.inputs.adapters import Adapter, YOLO
from camera_ws_bridge.protocol.boxes import flat_box
from camera_ws_bridge.tracking.frame_stamps import FrameIds
import pytest


class Node:
    """Keeps what is logged."""

    def __init__(self):
        self.warnings = []

    def get_logger(self):
        return Message(warning=self.warnings.append)


def yolo_message(track='', theta=0.0, second=5):
    return Message(
        header=Message(stamp=Message(sec=second, nanosec=0)),
        detections=[Message(
            class_name='person', score=0.75, id=track, bbox=Message(
                center=Message(position=Message(x=320.0, y=240.0), theta=theta),
                size=Message(x=64.0, y=48.0)))])


@pytest.fixture
def decoder(monkeypatch):
    """Return what makes a decoder, and with it its node, for an adapter."""
    monkeypatch.setattr(detections, 'deserialize', lambda message, message_type: message)

    def make(adapter, **values):
        node = Node()
        return detections.Detections(node, Parameters(
            orchestrator_url='ws://localhost/processor', camera_id='gate', image_width=640,
            image_height=480, **values), adapter, FrameIds(10), None), node
    return make


def test_messages_of_yolo_ros_become_boxes_and_their_ids_are_told_of_once(decoder):
    decode, node = decoder(Adapter(YOLO, Message, yolo.boxes, True))
    found, stamp, session = decode.decode(yolo_message(track='person'))
    assert found.frame_id == 5.0 and stamp == (5, 0) and session == 0 and node.warnings == []
    assert [*found.boxes] == [flat_box(0, (0.45, 0.45, 0.55, 0.55), 'person', 0.75)]
    for _ in range(2):
        found, _, _ = decode.decode(yolo_message(track='7'))
        assert found.boxes[0][-1] == 7
    (warning,) = node.warnings
    assert 'detection_ids' in warning


def test_ids_can_be_ignored_and_then_nothing_is_told(decoder):
    decode, node = decoder(Adapter(YOLO, Message, yolo.boxes, True), detection_ids=False)
    found, _, _ = decode.decode(yolo_message(track='7'))
    assert [*found.boxes] == [flat_box(0, (0.45, 0.45, 0.55, 0.55), 'person', 0.75)]
    assert node.warnings == []


def test_a_rotation_and_a_missing_stamp_are_told_once(decoder):
    decode, node = decoder(Adapter(YOLO, Message, yolo.boxes, True))
    for _ in range(2):
        decode.decode(yolo_message(theta=0.5, second=0))
    assert ['header.stamp' in node.warnings[0], 'rotated' in node.warnings[1]] == [True, True]
    assert len(node.warnings) == 2


def test_ids_of_vision_msgs_are_those_of_tracked_objects(decoder):
    decode, node = decoder(Adapter(DETECTION2D, Message, detection2d.boxes, True))
    message = yolo_message(track='7')
    for detection in message.detections:
        detection.results, detection.bbox.size_x, detection.bbox.size_y = [], 64.0, 48.0
    found, _, _ = decode.decode(message)
    assert found.boxes[0][-1] == 7 and node.warnings == []


def test_an_installed_adapter_is_given_what_it_asks_for(decoder):
    given = []

    def adapter(*arguments):
        given.append(arguments[1:])
        return [flat_box(3, (0.0, 0.0, 1.0, 1.0), 'all', 1.0, 7)]
    for in_pixels in True, False:
        decode, node = decoder(Adapter('a/msg/B', Message, adapter, in_pixels, 'theirs'))
        found, _, _ = decode.decode(yolo_message(theta=0.5))
        assert found.boxes == [flat_box(3, (0.0, 0.0, 1.0, 1.0), 'all', 1.0, 7)]
        assert node.warnings == []
    assert given == [((640, 480),), ()]


def test_a_bug_of_an_installed_adapter_is_a_message_that_cannot_be_sent(decoder):
    decode, _ = decoder(Adapter('a/msg/B', Message, lambda message: 1 / 0, False, 'theirs'))
    with pytest.raises(EncodeError, match='the adapter theirs has failed') as caught:
        decode.decode(yolo_message())
    assert caught.value.cause == 'adapter'
