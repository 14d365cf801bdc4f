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

"""An adapter of another package: what it returns is taken, its bugs are MessageErrors."""

import json
import math

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs import foreign
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, flat_box
import numpy
import pytest

BOX = flat_box(3, (0.1, 0.2, 0.3, 0.4), 'person', 0.9, 7)


def boxes(*found):
    return foreign.boxes(lambda message: found, 'theirs: it:boxes', 'a message')


def of(**changes):
    """Return BOX with other values, as an author may have made it by hand."""
    names = ('box_id', 'left', 'top', 'right', 'bottom', 'length', 'kind', 'end', 'certainty',
             'object_id')
    return tuple({**dict(zip(names, BOX)), **changes}.values())


def test_the_arguments_are_passed_on_and_the_boxes_come_back():
    seen = []

    def adapter(*given):
        seen.append(given)
        yield BOX
        yield BOX
    assert foreign.boxes(adapter, 'name', 'message', (640, 480)) == [BOX, BOX]
    assert seen == [('message', (640, 480))]
    assert boxes() == []


def test_numbers_of_numpy_become_pythons_own():
    numbers = dict.fromkeys(
        ('left', 'top', 'right', 'bottom', 'certainty'), numpy.float32(0.5))
    found = boxes(of(box_id=numpy.int64(4), object_id=numpy.int32(-1), **numbers))
    assert json.loads(codec.encode_utf8(Boxes(0.5, found)))['boxes'] == [{
        'boxId': 4, 'rect': [0.5] * 4, 'objectType': 'person', 'certainty': 0.5}]


def test_its_own_message_errors_pass_through():
    def adapter(message):
        raise EncodeError('outline', 'is not closed')
    with pytest.raises(EncodeError, match='outline: is not closed') as caught:
        foreign.boxes(adapter, 'name', 'message')
    assert caught.value.cause == 'invalid_field'


def test_a_bug_is_counted_as_the_adapters_and_says_where_it_is():
    def adapter(message):
        return [1 / 0]
    with pytest.raises(EncodeError) as caught:
        foreign.boxes(adapter, 'theirs: it:boxes', 'message')
    assert caught.value.cause == 'adapter'
    assert str(caught.value).startswith(
        'the adapter theirs: it:boxes has failed: ZeroDivisionError: division by zero '
        '(test_foreign.py:')


@pytest.mark.parametrize('found', [
    None, 3, [None], [()], [BOX[:-1]], [(*BOX, 1)], [of(kind='person')], [of(left='half')],
    [of(left=None)], [of(box_id=1.5)], [of(object_id=None)], [of(certainty='much')]])
def test_what_is_no_flat_box_is_its_bug(found):
    with pytest.raises(EncodeError) as caught:
        foreign.boxes(lambda message: found, 'name', 'message')
    assert caught.value.cause == 'adapter'


@pytest.mark.parametrize('changes, field', [
    ({'box_id': 2**63}, 'boxId'), ({'object_id': 2**63}, 'objectId'),
    ({'object_id': -2}, 'objectId')])
def test_integers_that_ros_could_not_hold_are_refused_by_name(changes, field):
    with pytest.raises(EncodeError, match=rf'boxes\[1\]\.{field}') as caught:
        boxes(BOX, of(**changes))
    assert caught.value.cause == 'invalid_field'


def test_what_is_not_finite_is_left_to_the_encoder():
    with pytest.raises(EncodeError, match=r'boxes\[0\]\.rect'):
        codec.encode_utf8(Boxes(0.5, boxes(of(left=math.nan))))
