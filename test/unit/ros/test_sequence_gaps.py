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

"""Gaps in a publisher's numbers: counted where they are sure, and only there."""

from camera_ws_bridge.ros.sequence_gaps import SequenceGaps
from hypothesis import given, strategies as st

ONE, OTHER = frozenset([b'1']), frozenset([b'2'])


def counted(*numbers, publishers=ONE):
    """Return what a look finds after these, with the same publishers before and after."""
    gaps = SequenceGaps()
    gaps.look(publishers)
    for number in numbers:
        gaps.note(number)
    return gaps.look(publishers)


def test_what_is_missing_is_counted_once():
    gaps = SequenceGaps()
    gaps.look(ONE)
    for number in (7, 8, 11):
        gaps.note(number)
    assert gaps.look(ONE) == 2
    assert gaps.look(ONE) == 0
    gaps.note(13)
    assert gaps.look(ONE) == 1


def test_what_came_before_the_first_message_is_not_missing():
    assert counted(1000, 1001) == 0


def test_what_overtook_discovery_is_of_the_first_publisher():
    """Else the gap behind it would be nobody's, for a detector that pauses when it begins."""
    gaps = SequenceGaps()
    for number in (1, 2):
        gaps.note(number)
    assert gaps.look(frozenset()) == 0
    assert gaps.look(ONE) == gaps.look(ONE) == 0
    gaps.note(414)
    assert gaps.look(ONE) == 411
    gaps = SequenceGaps()
    for number in (1, 2):
        gaps.note(number)
    assert gaps.look(ONE | OTHER) == 0
    gaps.note(414)
    assert gaps.look(ONE) == 0


def test_a_late_message_is_not_missing():
    assert counted(1, 3, 2, 4) == 0
    assert counted(1, 4, 2, 5) == 1


def test_a_duplicate_changes_nothing():
    assert counted(1, 3, 3, 4) == 1


def test_of_several_publishers_nothing_is_counted():
    assert counted(1, 100, 2, 101, 7, publishers=ONE | OTHER) == 0


def test_around_a_change_of_the_publisher_nothing_is_counted():
    gaps = SequenceGaps()
    gaps.look(ONE)
    for number in (1, 2, 5000):
        gaps.note(number)
    assert gaps.look(OTHER) == 0
    for number in (5001, 5003):
        gaps.note(number)
    assert gaps.look(OTHER) == 1


def test_a_publisher_that_was_out_of_sight_goes_on_where_it_was():
    """So it is for a process that was stopped: discovery loses all others for a while."""
    gaps = SequenceGaps()
    gaps.look(ONE)
    gaps.note(5)
    assert gaps.look(frozenset()) == 0
    gaps.note(9)
    assert gaps.look(frozenset()) == 0
    assert gaps.look(ONE) == 3


def test_where_the_middleware_tells_no_numbers_nothing_is_missing():
    assert counted(None, None) == 0


@given(st.sets(st.integers(1, 200), min_size=1))
def test_in_order_all_between_the_first_and_the_last_is_either_there_or_counted(numbers):
    assert counted(*sorted(numbers)) == max(numbers) - min(numbers) + 1 - len(numbers)
