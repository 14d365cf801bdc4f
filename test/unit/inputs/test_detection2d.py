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

"""Detections of vision_msgs to boxes, with plain objects in the place of messages."""

import math
from types import SimpleNamespace as Message

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs import detection2d
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, NOT_TRACKED
import pytest

SIZE = 640, 480


def detection(*results, x=320.0, y=240.0, width=64.0, height=48.0, theta=0.0, name=''):
    return Message(
        results=[Message(hypothesis=Message(class_id=class_id, score=score))
                 for class_id, score in results],
        bbox=Message(
            center=Message(position=Message(x=x, y=y), theta=theta), size_x=width, size_y=height),
        id=name)


def boxes(*detections):
    return detection2d.boxes(Message(detections=detections), SIZE)


def readable(box):
    """Return a flat box by names; what only fills it up is as ROS's bytes would have it."""
    box_id, *rect, length, object_type, end, certainty, object_id = box
    assert (length, end) == (len(object_type) + 1, 0)
    return Message(box_id=box_id, rect=tuple(rect), object_type=object_type.decode(),
                   certainty=certainty, object_id=object_id)


def only(*results, **fields):
    (box,) = boxes(detection(*results, **fields))
    return readable(box)


def test_centre_and_size_become_normalised_corners():
    assert only(('person', 0.5)).rect == (0.45, 0.45, 0.55, 0.55)
    assert only(x=32.0, y=24.0).rect == (0.0, 0.0, 0.1, 0.1)


def test_a_box_over_the_edge_stays_what_it_is():
    assert only(x=0.0, y=480.0).rect == (-0.05, 0.95, 0.05, 1.05)


def test_the_index_names_a_box():
    found = boxes(detection(), detection(), detection())
    assert [readable(box).box_id for box in found] == [0, 1, 2]


def test_no_detections_are_no_boxes():
    assert boxes() == []


def test_the_best_hypothesis_gives_type_and_certainty():
    for results, best in (
            ([('person', 0.9)], ('person', 0.9)),
            ([('dog', 0.2), ('person', 0.7), ('cat', 0.1)], ('person', 0.7)),
            ([('dog', 0.5), ('cat', 0.5)], ('dog', 0.5)),
            ([('dog', math.nan), ('cat', 0.1)], ('cat', 0.1)),
            ([('cat', 0.1), ('dog', math.nan)], ('cat', 0.1)),
            ([], ('', 0.0))):
        box = only(*results)
        assert (box.object_type, box.certainty) == best


def test_an_integer_id_is_an_object_id():
    assert [only(name=text).object_id for text in ('7', '', 'person-1')] == [
        7, NOT_TRACKED, NOT_TRACKED]


def test_a_size_below_0_is_refused_by_name():
    for field in 'width', 'height':
        with pytest.raises(EncodeError, match=r'detections\[1\]\.bbox\.size: .*-2.* is below 0'):
            boxes(detection(), detection(**{field: -2.0}))


def test_what_is_not_finite_is_refused_by_the_encoder():
    for value in math.nan, math.inf:
        for field in 'x', 'y', 'width', 'height':
            with pytest.raises(EncodeError, match=r'boxes\[0\]\.rect'):
                codec.encode_utf8(Boxes(1.5, boxes(detection(**{field: value}))))


def test_a_hypothesis_that_is_nan_only_is_refused_by_the_encoder():
    with pytest.raises(EncodeError, match=r'boxes\[0\]\.certainty'):
        codec.encode_utf8(Boxes(1.5, boxes(detection(('person', math.nan)))))


def test_rotation_is_seen_and_ignored():
    upright, rotated = detection(), detection(theta=0.3)
    assert detection2d.is_rotated(Message(detections=[upright, rotated]))
    assert not detection2d.is_rotated(Message(detections=[upright]))
    assert boxes(rotated) == boxes(upright)


def test_image_size_of_a_camera_info():
    for full, roi, binning, size in (
            ((640, 480), (0, 0), (0, 0), (640, 480)),
            ((640, 480), (0, 0), (2, 4), (320, 120)),
            ((640, 480), (320, 200), (1, 1), (320, 200)),
            ((640, 480), (320, 200), (2, 2), (160, 100)),
            ((0, 0), (0, 0), (0, 0), None),
            ((640, 0), (0, 0), (1, 1), None),
            ((1, 1), (0, 0), (2, 2), None)):
        assert detection2d.image_size(Message(
            width=full[0], height=full[1], roi=Message(width=roi[0], height=roi[1]),
            binning_x=binning[0], binning_y=binning[1])) == size
