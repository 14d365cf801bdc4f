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

"""When what is told: commands as they come, lists when they are true."""

from camera_ws_bridge.reid.events import Command, Kind, Listed
from camera_ws_bridge.reid.follower import Follower
from camera_ws_bridge.reid.in_order import GAP

START, STOP, UPDATE = Kind.START, Kind.STOP, Kind.UPDATE


class Node:
    """A follower, and what it tells."""

    def __init__(self):
        self.follower = Follower()
        self.now = 0.0

    def command(self, kind, sequence, object_id, stamp, session=1):
        return self._short(self.follower.on_command(
            Command(kind, sequence, session, object_id, stamp), self.now))

    def list(self, stamp, *object_ids, session=1):  # noqa: A003 - what it is
        return self._short(self.follower.on_list(
            Listed(session, stamp, dict.fromkeys(object_ids, ())), self.now))

    def wait(self, seconds=GAP):
        self.now += seconds
        return self._short(self.follower.on_tick(self.now))

    def _short(self, events):
        return ' '.join(
            f'session {event.session}' if event.kind is Kind.SESSION
            else f'{event.kind.value} {event.object_id}' for event in events)


def test_it_begins_with_what_is_tracked():
    node = Node()
    assert node.command(START, 1, 1, 10) == ''
    assert node.command(STOP, 4, 3, 40) == ''
    assert node.list(30, 1, 3) == 'session 1 update 1 update 3 start 1'
    assert node.command(START, 2, 2, 20) == ''  # it has been stopped
    assert node.command(STOP, 3, 2, 25) == 'stop 3'


def test_a_list_waits_for_the_commands_that_make_it_true():
    node = Node()
    node.list(0)
    assert node.list(12, 2) == ''
    assert node.wait(GAP / 2) == ''
    assert node.command(START, 2, 2, 11) == ''
    assert node.command(START, 1, 1, 10) == 'start 1 start 2'
    assert node.command(STOP, 3, 1, 11) == 'stop 1'
    assert node.wait(GAP) == ''


def test_a_stop_that_was_missed_is_told_when_the_list_has_stayed_true():
    node = Node()
    node.list(0)
    node.command(START, 1, 1, 10)
    assert node.list(20) == ''
    assert node.wait(GAP / 2) == '' and node.wait(GAP / 2) == 'stop 1'
    assert node.wait() == ''
    assert node.command(STOP, 2, 1, 19) == ''  # which comes after all


def test_a_list_is_not_compared_while_a_command_of_its_time_waits():
    node = Node()
    node.list(0)
    node.list(30, 3)
    node.wait(GAP * 0.9)
    assert node.command(START, 3, 3, 29) == ''
    assert node.wait(GAP * 0.2) == ''
    assert node.wait(GAP * 0.9) == 'start 3'
    assert node.wait() == ''


def test_the_next_command_tells_that_the_list_before_it_was_true():
    node = Node()
    node.list(0)
    node.command(UPDATE, 1, 1, 10)
    node.list(11, 1, 5)  # 5 came with a command that nobody has heard
    assert node.command(UPDATE, 2, 2, 20) == 'update 5 update 2'


def test_lists_that_change_all_the_time_do_not_hold_it_up():
    node = Node()
    node.list(0)
    node.command(UPDATE, 1, 1, 10)
    told = [node.list(11)]
    for stamp in range(12, 20):  # with each feature map that the node publishes
        told += [node.list(stamp), node.wait(GAP / 4)]
    assert [each for each in told if each] == ['stop 1']


def test_a_list_that_is_older_than_what_was_told_is_no_news():
    node = Node()
    node.list(0)
    assert node.list(5) == ''
    node.command(UPDATE, 1, 1, 10)
    node.list(6)
    assert node.command(UPDATE, 2, 2, 20) == 'update 2'
    assert node.list(21, 1, 2) == '' and node.wait() == ''


def test_a_restarted_bridge_stops_what_it_does_not_know():
    node = Node()
    node.list(0)
    for object_id in (1, 2):
        node.command(START, object_id, object_id, 10 * object_id)
    node.list(100)  # it has just begun
    assert node.command(UPDATE, 1, 2, 110) == 'stop 1 stop 2 update 2'
    assert node.list(111, 2) == '' and node.wait() == ''


def test_a_restarted_orchestrator_begins_a_session():
    node = Node()
    node.list(0)
    node.command(START, 1, 1, 10)
    assert node.command(START, 2, 1, 20, session=2) == 'stop 1 session 2 start 1'
    assert node.list(21, 1, session=2) == '' and node.wait() == ''
    assert node.list(30, session=3) == '' and node.wait() == 'stop 1 session 3'


def test_a_clock_that_was_set_back_begins_anew():
    node = Node()
    node.list(1000)
    node.command(UPDATE, 1, 1, 1010)
    assert node.list(500, 2) == 'stop 1 update 2'
    assert node.command(STOP, 3, 2, 510) == '' and node.wait() == 'stop 2'


def test_a_clock_that_was_set_back_before_the_list_is_noticed_in_time():
    node = Node()
    node.list(500)
    assert node.command(UPDATE, 1, 1, 1010) == 'update 1'
    node.list(510)
    assert node.wait() == 'stop 1'
