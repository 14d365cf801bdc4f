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

"""Commands in the order of their sequence, with gaps, repeats, late ones and restarts."""

from camera_ws_bridge.reid.events import Command, Kind
from camera_ws_bridge.reid.in_order import GAP, InOrder, REMEMBERED
import pytest


def command(sequence, stamp=None):
    return Command(Kind.START, sequence, 1, sequence, 100 + sequence if stamp is None else stamp)


def numbers(commands):
    return [each.sequence for each in commands]


class Line:
    """An InOrder, and what had its turn or came late."""

    def __init__(self, known_until=100):
        self.commands = InOrder()
        self.commands.begin(known_until)
        self.now = 0.0
        self.turns = []
        self.late = []

    def add(self, *commands):
        for each in commands:
            turns, late = self.commands.add(
                each if isinstance(each, Command) else command(each), self.now)
            self.turns += numbers(turns)
            self.late += numbers(late)
        return self.turns

    def wait(self, seconds=GAP):
        self.now += seconds
        self.turns += numbers(self.commands.tick(self.now))
        return self.turns


def test_they_have_their_turn_in_order_as_they_come():
    line = Line()
    assert line.add(1) == [1]
    assert line.add(3, 4) == [1]
    assert line.add(2) == [1, 2, 3, 4]
    assert line.wait() == [1, 2, 3, 4] and not line.commands.doubtful
    assert line.late == []


def test_a_repeat_is_none():
    line = Line()
    assert line.add(1, 1, 3, 3, 2, 1, 2, 3) == [1, 2, 3]
    assert line.late == [] and not line.commands.doubtful


def test_a_gap_is_waited_for_so_long_and_leaves_a_doubt():
    line = Line()
    line.add(1, 4)
    line.wait(GAP / 2)
    line.add(3)
    assert line.wait(GAP * 0.49) == [1]
    assert line.wait(GAP * 0.52) == [1, 3, 4]
    assert line.commands.doubtful


def test_one_that_comes_after_its_gap_was_given_up_is_late():
    line = Line()
    line.add(1, 3)
    line.wait()
    assert line.add(2) == [1, 3] and line.late == [2]
    assert line.add(4) == [1, 3, 4]


def test_what_is_known_already_is_late_and_tells_where_it_goes_on():
    line = Line(known_until=107)
    assert line.add(8) == []  # are there others before it?
    assert line.add(5, 7) == [8] and line.late == [5, 7]
    assert line.add(6) == [8] and line.late == [5, 7, 6]
    assert not line.commands.doubtful


def test_where_it_begins_is_waited_for_if_nothing_tells():
    line = Line(known_until=107)
    line.add(9, 8)
    assert line.wait() == [8, 9] and line.commands.doubtful


def test_those_that_wait_from_a_time_are_known():
    line = Line()
    line.add(3)
    assert line.commands.waits_until(103) and not line.commands.waits_until(102)
    line.add(1, 2)
    assert not line.commands.waits_until(103)


def test_a_restarted_bridge_counts_from_1_again():
    line = Line()
    line.add(1, 2, 3, 5)
    assert line.add(command(1, 201)) == [1, 2, 3, 5, 1]
    assert line.commands.doubtful and line.commands.newest == 201
    line.add(command(3, 203), command(2, 202))
    assert line.turns == [1, 2, 3, 5, 1, 2, 3]
    assert line.add(4) == line.turns and line.late == []  # of the former life


def test_a_late_one_of_the_former_life_hides_none_of_its_number():
    line = Line()
    new, former = command(1, 205), command(1, 202)
    assert line.add(new) == [1]
    line.add(former)
    assert line.late == [1]
    assert line.add(new, former) == [1] and line.late == [1], 'they are repeats'
    assert line.add(command(2, 206)) == [1, 2]


def test_a_restart_is_noticed_by_a_number_that_waits_as_well():
    line = Line()
    line.add(1, 4)
    assert line.add(command(4, 204)) == [1, 4]
    assert line.add(command(3, 203), command(1, 201), command(2, 202)) == [1, 4, 1, 2, 3, 4]


def test_what_ran_ahead_of_a_restart_is_not_told_again():
    line = Line()
    line.add(1, 2)
    assert line.add(command(3, 203)) == [1, 2, 3]  # it could be the next one
    line.add(command(1, 201))
    assert line.add(command(2, 202), command(3, 203), command(4, 204)) == [1, 2, 3, 1, 2, 4]


def test_a_restart_of_which_all_is_known_is_one():
    line = Line(known_until=300)
    assert line.add(2, command(2, 202), command(1, 201)) == []
    assert line.late == [2, 2, 1]
    assert line.add(command(3, 303)) == [3]


def test_a_command_of_the_moment_of_the_list_is_not_taken_for_known():
    line = Line(known_until=101)
    assert line.add(command(1, 101)) == [] and line.late == [1]  # of which there is no knowing
    assert line.add(command(2, 101), command(3, 101)) == [2, 3]


def test_a_clock_that_was_set_back_holds_up_nothing():
    line = Line(known_until=100)
    line.add(1, 2)
    line.commands.begin(150)
    assert line.add(command(3, 50), command(4, 51)) == [1, 2, 3, 4]
    assert line.commands.doubtful and line.commands.newest == 51


def test_beginning_anew_forgets_all_but_that_there_is_a_doubt():
    line = Line()
    line.add(1, 2, 5)
    line.commands.begin_anew()
    line.commands.begin(10)
    assert line.commands.doubtful and not line.commands.waits_until(10**9)
    assert line.add(command(6, 11)) == [1, 2] and line.wait() == [1, 2, 6]


@pytest.mark.parametrize('count', [REMEMBERED + 5])
def test_only_so_many_are_remembered(count):
    line = Line()
    assert line.add(*range(1, count + 1)) == [*range(1, count + 1)]
    assert line.add(1, count) == [*range(1, count + 1)]
    assert line.late == [1]  # it is not known for a repeat any more
