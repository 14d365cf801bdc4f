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

"""Detections of yolo_ros to boxes, with plain objects in the place of messages."""

import math
from types import SimpleNamespace as Message

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs import yolo
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, flat_box
import pytest

SIZE = 640, 480


def detection(x=320.0, y=240.0, width=64.0, height=48.0, name='person', score=0.75, track=''):
    return Message(
        class_id=0, class_name=name, score=score, id=track,
        bbox=Message(
            center=Message(position=Message(x=x, y=y), theta=0.0),
            size=Message(x=width, y=height)))


def boxes(*detections):
    return yolo.boxes(Message(detections=detections), SIZE)


def test_class_score_and_pixels_become_a_box():
    assert boxes(detection(), detection(x=0.0, name='dog', score=0.5)) == [
        flat_box(0, (0.45, 0.45, 0.55, 0.55), 'person', 0.75),
        flat_box(1, (-0.05, 0.45, 0.05, 0.55), 'dog', 0.5)]


def test_no_detections_are_no_boxes():
    assert boxes() == []


def test_an_integer_id_is_an_object_id():
    assert [box[-1] for box in boxes(
        detection(track='7'), detection(track=''), detection(track='a7'))] == [7, -1, -1]


def test_a_size_below_0_is_refused_by_name():
    for field in 'width', 'height':
        with pytest.raises(EncodeError, match=r'detections\[1\]\.bbox\.size: .*-2.* is below 0'):
            boxes(detection(), detection(**{field: -2.0}))


def test_what_is_not_finite_is_refused_by_the_encoder():
    for field, place in (
            ('x', 'rect'), ('y', 'rect'), ('width', 'rect'), ('height', 'rect'),
            ('score', 'certainty')):
        for value in math.nan, math.inf:
            with pytest.raises(EncodeError, match=rf'boxes\[0\]\.{place}'):
                codec.encode_utf8(Boxes(0.5, boxes(detection(**{field: value}))))
