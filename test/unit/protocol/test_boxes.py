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

"""What `boundingBoxes` is on the wire: exact, the same by either writer, bad fields named."""

import json
import math

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, flat_box, NOT_TRACKED
from hypothesis import example, given, strategies as st
from rigs.codec_rig import exact, LIBRARIES, library, not_decoded, RECT, refused, round_trip
from rigs.texts import BOX, compose, message as text_of

GOOD = flat_box(1, (0.1, 0.2, 0.3, 0.4), 'person', 0.9)
TRACKED = flat_box(1, (0.1, 0.2, 0.3, 0.4), 'person', 0.9, 7)
BAD_TYPE = (*GOOD[:6], b'\xed\xa0\x80abc', *GOOD[7:])


def a_box(**changes):
    """Return a good box, changed."""
    return flat_box(**{'box_id': 1, 'rect': (0.1, 0.2, 0.3, 0.4), 'object_type': 'person',
                       'certainty': 0.9, **changes})


# ---- what goes

def test_on_the_wire():
    assert round_trip(Boxes(1606.0333333333335, (
        flat_box(0, RECT, 'person', 0.87), flat_box(1, (0.0, 0.0, 1.0, 1.0), '', 1.0, 7)))) == {
        'type': 'boundingBoxes', 'frameId': 1606.0333333333335, 'boxes': [
            {'boxId': 0, 'rect': [0.1, 0.25, 0.2, 0.75], 'objectType': 'person',
             'certainty': 0.87},
            {'boxId': 1, 'rect': [0.0, 0.0, 1.0, 1.0], 'objectType': '', 'certainty': 1.0,
             'objectId': 7}]}


def test_a_frame_without_boxes():
    assert round_trip(Boxes(0.5)) == {'type': 'boundingBoxes', 'frameId': 0.5, 'boxes': []}


def test_the_bytes_of_both_writers():
    for name in LIBRARIES:
        with library(name):
            assert codec.encode_utf8(Boxes(0.5, [GOOD, TRACKED])) == (
                b'{"type":"boundingBoxes","frameId":0.5,"boxes":['
                b'{"boxId":1,"rect":[0.1,0.2,0.3,0.4],"objectType":"person","certainty":0.9},'
                b'{"boxId":1,"rect":[0.1,0.2,0.3,0.4],"objectType":"person","certainty":0.9,'
                b'"objectId":7}]}'), name


DOUBLES = [
    0.0, -0.0, 0.1, 1 / 3, 1606.0333333333335, 5e-324, -5e-324, 2.225073858507201e-308,
    2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e15, 1e16, 1e17,
    1e21, 1e22, 1e23, 123456789012345680.0, 2.0**53, 2.0**53 + 2, 2.0**63, 1e-5, 1e-7,
    math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0), math.pi]
INTEGERS = [0, 1, -1, 1606, 2**53, -2**53, 2**53 + 2, 2**62, -2**62, -2**63]


def test_boxes_lose_nothing():
    for number in DOUBLES + INTEGERS:
        round_trip(Boxes(number, (a_box(rect=(number,) * 4, certainty=number),)))
    for changes in (
            {'object_id': 0}, {'box_id': 2**63 - 1, 'object_id': 2**63 - 1}, {'box_id': -2**63},
            {'rect': (0, 0, 1, 1), 'certainty': 1}, {'rect': (-0.0, -5.5, 1e300, 5e-324)},
            {'object_type': '\x00\n"\\/\x1f\x7f\u2028\u00e4\u20ac\U0001f600'}):
        round_trip(Boxes(0.5, (a_box(**changes),) * 2))


INT64 = st.integers(-2**63, 2**63 - 1)
DOUBLE = st.floats()
TEXT = st.text(st.characters(blacklist_categories=['Cs']), max_size=20)


def boxes_of(double, object_id):
    return st.lists(
        st.builds(flat_box, INT64, st.tuples(double, double, double, double), TEXT, double,
                  object_id), max_size=6)


@given(st.floats(allow_nan=False, allow_infinity=False), boxes_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(NOT_TRACKED, 9)))
def test_any_good_boxes_lose_nothing(frame_id, boxes):
    round_trip(Boxes(frame_id, tuple(boxes)))


@given(DOUBLE, boxes_of(DOUBLE, INT64))
@example(0.5, [])
def test_any_boxes_are_written_or_refused_alike(frame_id, boxes):
    numbers = [frame_id, *(number for box in boxes for number in (*box[1:5], box[8]))]
    good = all(map(math.isfinite, numbers)) and all(box[9] >= NOT_TRACKED for box in boxes)
    outcomes = []
    for name in LIBRARIES:
        with library(name):
            try:
                outcomes.append(exact(json.loads(codec.encode_utf8(Boxes(frame_id, boxes)))))
            except EncodeError as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[0], dict) == good


# ---- what does not

def test_the_bad_field_is_named():
    for bad in math.nan, math.inf, -math.inf:
        for side in range(4):
            rect = tuple(bad if other == side else 0.5 for other in range(4))
            assert refused(Boxes(0.5, [GOOD, a_box(rect=rect), GOOD])) == (
                f'boundingBoxes.boxes[1].rect[{side}]', f'{bad} is not a finite number')
        assert refused(Boxes(0.5, [GOOD, a_box(certainty=bad)]))[0] == (
            'boundingBoxes.boxes[1].certainty')
        assert refused(Boxes(bad, [GOOD]))[0] == 'boundingBoxes.frameId'
    for object_id in -2, -2**63:
        assert refused(Boxes(0.5, [TRACKED, a_box(object_id=object_id)]))[0] == (
            'boundingBoxes.boxes[1].objectId')


def test_infinities_of_both_signs_do_not_cancel_out():
    assert 'not a finite number' in refused(
        Boxes(0.5, [a_box(rect=(math.inf, -math.inf, 0.0, 0.0))]))[1]


def test_a_sum_that_is_too_great_is_no_error():
    round_trip(Boxes(0.5, (GOOD, a_box(rect=(1e308,) * 4))))


def test_an_object_type_that_is_not_utf_8_is_named():
    for others in GOOD, a_box(rect=(1e308,) * 4):
        for place in 0, 1:
            boxes = [others, others]
            boxes[place] = BAD_TYPE
            field, reason = refused(Boxes(0.5, boxes))
            assert field == f'boundingBoxes.boxes[{place}].objectType'
            assert reason.endswith('is not UTF-8')


# ---- what is read

def test_integers_beyond_int64_are_refused():
    # Exact doubles all of them; but JSON libraries differ in which integers they let through.
    for number in 2**63, -2**63 - 2**11, 2**64, -2**64, 2**70, -2**70, 10**22, 2**1000, 2**1023:
        assert not_decoded(text_of('boundingBoxes', frameId=str(number)))[0] == (
            'boundingBoxes.frameId')


def test_the_last_of_a_bad_box_is_found():
    bad = compose({key: text for key, text in BOX.items() if key != 'certainty'})
    assert not_decoded(
        text_of('boundingBoxes', boxes=f'[{f"{compose(BOX)}," * 99}{bad}]'))[:2] == (
        'boundingBoxes.boxes[99].certainty', 'missing')


def test_what_is_no_array_or_no_box():
    for text, field in (
            ('{}', 'boundingBoxes.boxes'), ('[5]', 'boundingBoxes.boxes[0]'),
            ('[{}]', 'boundingBoxes.boxes[0].boxId')):
        assert not_decoded(text_of('boundingBoxes', boxes=text))[0] == field
