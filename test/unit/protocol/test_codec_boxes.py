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

"""Boxes that never were ROS objects: the same bytes and the same errors as of the usual way."""

import math

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.messages import Box, Boxes, NOT_TRACKED
from hypothesis import example, given, strategies as st
import pytest

pytestmark = pytest.mark.usefixtures('json_library')

INT64 = st.integers(-2**63, 2**63 - 1)
DOUBLE = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(blacklist_categories=['Cs']), max_size=20)


def boxes_of(double, object_id):
    return st.lists(
        st.tuples(INT64, double, double, double, double, TEXT, double, object_id), max_size=6)


GOOD = (1, 0.1, 0.2, 0.3, 0.4, 'person', 0.9, NOT_TRACKED)
TRACKED = (*GOOD[:7], 7)


def flat(box_id, left, top, right, bottom, object_type, certainty, object_id):
    """Return a box as cdr.boxes gives it."""
    kind = object_type if isinstance(object_type, bytes) else object_type.encode()
    return box_id, left, top, right, bottom, len(kind) + 1, kind, 0, certainty, object_id


def plain(box_id, left, top, right, bottom, object_type, certainty, object_id):
    """Return the same box as the usual way takes it."""
    return Box(box_id, (left, top, right, bottom), object_type, certainty,
               None if object_id == NOT_TRACKED else object_id)


def outcome(encode, *arguments):
    try:
        return encode(*arguments)
    except EncodeError as error:
        return error.field, error.reason, error.cause


def both(frame_id, boxes):
    """Return what comes of the boxes, which is the same both ways."""
    fast = outcome(codec.encode_boxes, frame_id, [flat(*box) for box in boxes])
    usual = outcome(codec.encode_utf8, Boxes(frame_id, tuple(plain(*box) for box in boxes)))
    assert fast == usual
    return fast


@given(DOUBLE, boxes_of(DOUBLE, INT64))
@example(0.5, [])
def test_any_boxes_are_written_or_refused_the_same(frame_id, boxes):
    both(frame_id, boxes)


@given(FINITE, boxes_of(FINITE, st.integers(NOT_TRACKED, 9)))
def test_good_boxes_are_written_the_same(frame_id, boxes):
    assert isinstance(both(frame_id, boxes), bytes)


def test_the_bytes():
    assert both(0.5, [GOOD, TRACKED]) == (
        b'{"type":"boundingBoxes","frameId":0.5,"boxes":['
        b'{"boxId":1,"rect":[0.1,0.2,0.3,0.4],"objectType":"person","certainty":0.9},'
        b'{"boxId":1,"rect":[0.1,0.2,0.3,0.4],"objectType":"person","certainty":0.9,'
        b'"objectId":7}]}')


@pytest.mark.parametrize('object_type', ['', '\0', '"\\\n', '\u00e4\u20ac\U0001f600', '\u2028'])
def test_object_types_are_quoted_the_same(object_type):
    assert isinstance(both(0.5, [(*GOOD[:5], object_type, *GOOD[6:])]), bytes)


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize('field, index, values', [
    *((f'rect[{side}]', 1 + side, NOT_FINITE) for side in range(4)),
    ('certainty', 6, NOT_FINITE),
    ('objectId', 7, [-2, -2**63]),
])
def test_the_bad_field_is_named(field, index, values):
    for bad in values:
        box = (*GOOD[:index], bad, *GOOD[index + 1:])
        assert both(0.5, [GOOD, box, GOOD])[0] == f'boundingBoxes.boxes[1].{field}'


@pytest.mark.parametrize('frame_id', NOT_FINITE)
def test_a_bad_frame_id_is_named(frame_id):
    assert both(frame_id, [GOOD])[0] == 'boundingBoxes.frameId'


def test_infinities_of_both_signs_do_not_cancel_out():
    assert 'not a finite number' in both(0.5, [(1, math.inf, -math.inf, *GOOD[3:])])[1]


def test_a_sum_that_is_too_great_is_no_error():
    assert isinstance(both(0.5, [(1, 1e308, 1e308, 1e308, 1e308, *GOOD[5:])]), bytes)


@pytest.mark.parametrize('place', [0, 1])
@pytest.mark.parametrize('others', [GOOD, (1, 1e308, 1e308, *GOOD[3:])])
def test_an_object_type_that_is_not_utf_8_is_named(place, others):
    boxes = [flat(*others), flat(*others)]
    boxes[place] = flat(*GOOD[:5], b'\xed\xa0\x80abc', *GOOD[6:])
    with pytest.raises(EncodeError, match='not UTF-8') as caught:
        codec.encode_boxes(0.5, boxes)
    assert caught.value.field == f'boundingBoxes.boxes[{place}].objectType'
