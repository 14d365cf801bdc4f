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

"""
A session is told apart from the next: what a new life says of an id is of another object.

What a replay proves is tested in test_life.py; this is what the session makes of it.
"""

from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking import tracked_objects
from camera_ws_bridge.tracking.life import digest, Life
from camera_ws_bridge.tracking.tracked_objects import Session
import pytest

MAP, OTHER_MAP = (0.5, 1.0), (0.25, 2.0)


def start(object_id):
    """Return a start that names a box."""
    return Start(object_id, 1.5, 0)


def register(session, *replay):
    """Go through a registration on a new connection; return what is told: session and message."""
    session.begin_registration()
    for message in replay:
        assert session.receive(message) == []
    return told(session.registered())


def told(commands):
    """Return session and message of each command."""
    return [(command.session, command.message) for command in commands]


def known(session):
    """Return the newest feature map of each tracked object."""
    return {object_id: tracked.feature_map for object_id, tracked in session.tracked.items()}


def test_a_life_is_judged_as_a_whole_and_told_in_order():
    session = Session()
    register(session, Update(1, MAP), Update(2, MAP), Update(3, MAP))
    session.begin_registration()
    for message in (Update(1, OTHER_MAP), Update(2)):
        assert session.receive(message) == []
    commands = session.registered()
    assert told(commands) == [
        (1, Stop(1)), (1, Stop(2)), (1, Stop(3)), (2, Update(1, OTHER_MAP)), (2, Update(2))]
    assert [command.reconciled for command in commands] == [True] * 3 + [False] * 2
    assert [command.sequence for command in commands] == [4, 5, 6, 7, 8]
    assert session.number == 2
    assert known(session) == {1: OTHER_MAP, 2: ()}


def test_a_link_that_was_lost_does_not_end_a_session_that_the_replay_proves():
    session = Session()
    session.receive(start(7))
    session.receive(Update(8, MAP))
    assert register(session, Update(7), Update(8, MAP)) == []
    assert register(session, Update(8, MAP), Update(9)) == [(1, Update(9)), (1, Stop(7))]
    session.extracted(Update(9, OTHER_MAP))  # has arrived, but its echo has not
    assert register(session, Update(9, OTHER_MAP)) == [(1, Stop(8))]
    assert session.number == 1


def test_a_session_that_the_replay_does_not_prove_is_over():
    session = Session()
    register(session, Update(1, MAP))
    assert register(session) == [(1, Stop(1))]
    assert told(session.receive(start(1))) == [(2, start(1))]
    assert register(session, Update(1)) == [(2, Stop(1)), (3, Update(1))]


def test_what_was_stopped_may_still_be_in_the_re_id_nodes_mind():
    session = Session()
    for message in (start(1), Stop(1)):
        session.receive(message)
    assert register(session) == []
    assert session.number == 2


def test_a_session_in_which_nothing_was_named_goes_on():
    session = Session()
    for _ in range(3):
        assert register(session) == []
    assert session.number == 1
    session.extracted(Update(1, MAP))  # of which life is this object?
    assert register(session, Update(1)) == [(2, Update(1))]


def test_our_echo_is_not_awaited_from_another_life():
    session = Session()
    session.extracted(Update(1, MAP))
    register(session)
    assert told(session.receive(Update(1, MAP))) == [(2, Update(1, MAP))]


def test_a_start_with_an_old_id_ends_a_session_even_on_a_live_connection():
    session = Session()
    for message in (start(1), start(2), Update(5, MAP), Stop(1)):
        session.receive(message)
    assert told(session.receive(start(4))) == [(1, Stop(2)), (1, Stop(5)), (2, start(4))]
    assert told(session.receive(start(4))) == [(2, Stop(4)), (3, start(4))]
    assert told(session.receive(start(5))) == [(3, start(5))]


def test_without_reconciling_only_a_contradiction_ends_a_session():
    session = Session(reconcile=False)
    register(session, Update(1, MAP), Update(2))
    assert register(session, Update(2, MAP)) == [(1, Update(2, MAP))]
    assert register(session, Update(1)) == [(1, Stop(1)), (1, Stop(2)), (2, Update(1))]


def test_a_start_in_a_registration_that_breaks_off_is_of_the_life_that_has_shown_itself():
    session = Session()
    register(session, Update(1, MAP))
    session.begin_registration()
    for message in (Update(2), start(3)):
        assert session.receive(message) == []
    assert told(session.broken_off()) == [(1, Stop(1)), (2, Update(2)), (2, start(3))]


def test_a_replay_larger_than_what_is_kept_is_judged_by_its_beginning(monkeypatch):
    monkeypatch.setattr(tracked_objects, 'MAX_NUMBERS', 4)
    session = Session()
    register(session, Update(1, MAP), Update(2, MAP))
    session.begin_registration()
    assert session.receive(Update(2, MAP)) == []
    assert session.receive(Stop(9)) == []
    assert told(session.receive(Start(3, image=b'x' * 24))) == [
        (1, Stop(9)), (1, Start(3, image=b'x' * 24))]
    assert told(session.receive(Update(3, MAP))) == [(1, Update(3, MAP)), (1, Stop(1))]
    assert told(session.registered()) == []
    assert session.number == 1


def test_the_stops_missed_before_a_replay_was_judged_early_are_concluded(monkeypatch):
    monkeypatch.setattr(tracked_objects, 'MAX_NUMBERS', 4)
    session = Session()
    register(session, Update(1), Update(2, MAP))
    session.begin_registration()
    session.receive(Update(2, MAP))
    assert told(session.receive(Start(3, image=b'x' * 24)))[0][0] == 1
    assert told(session.registered()) == [(1, Stop(1))]


# ---- over a restart of the bridge

def resumed(life):
    """Return the session of a bridge that remembers a life."""
    session = Session(number=77)
    session.resume(life)
    return session


def test_what_is_remembered_is_what_the_orchestrator_has_told():
    session = Session(number=5)
    for message in (Update(1, MAP), Update(2), start(3), Update(3, OTHER_MAP), start(9), Stop(9)):
        session.receive(message)
    session.extracted(Update(2, MAP))
    assert session.life() == Life(5, 9, {1: digest(MAP), 3: digest(OTHER_MAP)})


def test_a_session_goes_on_over_a_restart_of_the_bridge():
    session = resumed(Life(5, 9, {1: digest(MAP)}))
    assert (session.number, known(session)) == (5, {})
    assert session.life() == Life(5, 9, {1: digest(MAP)})
    assert register(session, Update(1, MAP), Update(2)) == [(5, Update(1, MAP)), (5, Update(2))]
    assert session.life() == Life(5, 9, {1: digest(MAP)})
    assert register(session, Update(1, OTHER_MAP)) == [
        (5, Stop(1)), (5, Stop(2)), (77, Update(1, OTHER_MAP))]
    assert told(session.receive(start(1)))[-1] == (78, start(1))


def test_a_restart_over_the_bridges_own_restart_is_told():
    session = resumed(Life(5, 9, {1: digest(MAP)}))
    assert register(session, Update(1)) == [(77, Update(1))]
    assert session.life() == Life(77, 1, {})
    session = resumed(Life(5, 9))
    assert register(session, start(9)) == [(77, start(9))]


def test_what_is_remembered_stays_until_a_replay_is_judged():
    session = resumed(Life(5, 9, {1: digest(MAP)}))
    session.begin_registration()
    assert session.broken_off() == []
    assert session.life() == Life(5, 9, {1: digest(MAP)})
    assert register(session, Update(1, MAP)) == [(5, Update(1, MAP))]


def test_numbers_begin_again_at_one_and_never_at_nought():
    session = Session(number=2**32 - 1)
    for number in (2**32 - 1, 1, 2):
        assert told(session.receive(start(1)))[-1][0] == number


# ---- what no replay could prove

@pytest.mark.parametrize(('messages', 'lacks'), [
    ([], False), ([start(1)], True), ([start(1), Update(1)], True), ([start(1), Stop(1)], False),
    ([start(1), Update(1, MAP)], False), ([start(1), start(2), Update(2, MAP)], False),
    ([start(1), Update(2, MAP), Stop(2)], True)])
def test_a_session_lacks_proof_while_nothing_tracked_has_a_feature_map(messages, lacks):
    session = Session()
    for message in messages:
        session.receive(message)
    assert session.lacks_proof() is lacks
    session.extracted(Update(1, MAP))  # may or may not have arrived
    assert session.lacks_proof() is lacks
    session.reconcile = False
    assert not session.lacks_proof()
