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

"""The session makes commands of what the orchestrator says, repeats and forgets to say."""

from camera_ws_bridge.protocol.messages import (
    Authenticate, Boxes, Identifier, Message, Start, Stop, Update)
from camera_ws_bridge.tracking import tracked_objects as sessions
from camera_ws_bridge.tracking.tracked_objects import Command, Session
import pytest

PICTURE = Start(7, image=b'picture')


def messages(commands):
    """Return what is commanded, without sequence numbers."""
    return [command.message for command in commands]


def register(session, *replay):
    """Go through a registration; return the commands of the replay and those at its end."""
    session.begin_registration()
    during = [command for message in replay for command in session.receive(message)]
    return messages(during), messages(session.registered())


def test_every_command_is_passed_on_in_order_and_numbered_from_1():
    session = Session()
    received = [PICTURE, Update(7, (0.5,)), Start(8, 1.5, 0), Stop(7), Stop(8), Start(9, 1.5, 0)]
    commands = [command for message in received for command in session.receive(message)]
    assert commands == [Command(n, message) for n, message in enumerate(received, 1)]


@pytest.mark.parametrize('message', [
    Boxes(1.5), Identifier('cam-1'), Authenticate('token'), Message()])
def test_what_is_no_command_says_nothing_to_a_re_id_node(message):
    session = Session()
    session.receive(PICTURE)
    assert session.receive(message) == []
    assert known(session) == {7: ()}
    assert [command.sequence for command in session.receive(Stop(7))] == [2]


def test_a_stop_of_an_object_never_heard_of_is_passed_on():
    session = Session()
    assert messages(session.receive(Stop(9))) == [Stop(9)]
    assert known(session) == {}


def known(session):
    """Return the newest feature map of each tracked object."""
    return {object_id: tracked.feature_map for object_id, tracked in session.tracked.items()}


# ---- feature maps

def test_each_feature_map_is_passed_on_once():
    session = Session()
    assert messages(session.receive(Update(7, (0.5, 1.0)))) == [Update(7, (0.5, 1.0))]
    assert session.receive(Update(7, (0.5, 1.0))) == []
    assert messages(session.receive(Update(7, (0.5, 2.0)))) == [Update(7, (0.5, 2.0))]
    assert messages(session.receive(Update(7, (0.5, 1.0)))) == [Update(7, (0.5, 1.0))]
    assert messages(session.receive(Update(8, (0.5, 1.0)))) == [Update(8, (0.5, 1.0))]


def test_an_object_without_a_feature_map_is_news_once():
    session = Session()
    assert messages(session.receive(Update(7))) == [Update(7)]
    assert session.receive(Update(7)) == []
    assert known(session) == {7: ()}


def test_after_a_start_the_feature_map_is_news_again():
    session = Session()
    session.receive(Update(7, (0.5,)))
    session.receive(PICTURE)
    assert session.receive(Update(7)) == []
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]


def test_after_a_stop_the_feature_map_is_news_again():
    session = Session()
    session.receive(Update(7, (0.5,)))
    session.receive(Stop(7))
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]


def test_the_echo_of_our_own_feature_map_is_no_news():
    session = Session()
    session.receive(PICTURE)
    session.extracted(Update(7, (0.5,)))
    assert session.receive(Update(7, (0.5,))) == []
    assert messages(session.receive(Update(7, (0.25,)))) == [Update(7, (0.25,))]


def test_our_echo_is_known_even_behind_the_feature_map_of_another():
    session = Session()
    session.receive(PICTURE)
    session.extracted(Update(7, (0.5,)))
    assert messages(session.receive(Update(7, (0.25,)))) == [Update(7, (0.25,))]
    assert session.receive(Update(7, (0.5,))) == []
    assert known(session) == {7: (0.5,)}


def test_an_echo_comes_once():
    session = Session()
    session.receive(PICTURE)
    session.extracted(Update(7, (0.5,)))
    session.receive(Update(7, (0.5,)))
    session.receive(Update(7, (0.25,)))
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]


def test_the_orchestrator_may_not_know_our_feature_map_yet():
    session = Session()
    session.receive(PICTURE)
    session.extracted(Update(7, (0.5,)))  # still in the buffer when the link breaks
    assert register(session, Update(7)) == ([], [])
    assert session.receive(Update(7, (0.5,))) == []


def test_a_feature_map_that_is_gone_belongs_to_another_object():
    session = Session()
    session.receive(Update(7, (0.5,)))
    assert messages(session.receive(Update(7))) == [Update(7)]
    assert session.receive(Update(7)) == []
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]


def test_our_own_feature_map_does_not_make_an_object_tracked_but_its_echo_does():
    session = Session()
    session.extracted(Update(7, (0.5,)))
    assert known(session) == {}
    assert session.receive(Update(7, (0.5,))) == []
    assert known(session) == {7: (0.5,)}
    assert messages(session.receive(Update(7, (0.25,)))) == [Update(7, (0.25,))]
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]


def test_another_feature_map_of_an_object_that_only_we_named_is_news():
    session = Session()
    session.extracted(Update(7, (0.5,)))
    assert messages(session.receive(Update(7, (0.25,)))) == [Update(7, (0.25,))]
    assert session.receive(Update(7, (0.5,))) == []
    session.extracted(Update(8, (0.5,)))
    session.receive(Start(8, 1.5, 0))
    assert messages(session.receive(Update(8, (0.5,)))) == [Update(8, (0.5,))]


def test_echoes_of_objects_that_only_we_named_are_awaited_for_a_few(monkeypatch):
    session = Session()
    for object_id in range(sessions.OWN_REMEMBERED + 1):
        session.extracted(Update(object_id, (0.5,)))
    assert session.receive(Update(1, (0.5,))) == []
    assert messages(session.receive(Update(0, (0.5,)))) == [Update(0, (0.5,))]
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 6)
    assert len(session.receive(Update(20, (0.5,) * 2))) == 1, 'they go before an object does'
    assert messages(session.receive(Update(2, (0.5,)))) == [Update(2, (0.5,))]
    assert {*known(session)} == {0, 1, 2, 20}


# ---- registration

def test_the_first_registration_of_all():
    assert register(Session()) == ([], [])
    assert register(Session(), Update(7), Update(8, (0.5,))) == (
        [Update(7), Update(8, (0.5,))], [])


def test_a_replay_of_what_is_known_is_no_news():
    session = Session()
    known = [Update(7), Update(8, (0.5,))]
    register(session, *known)
    assert register(session, *known) == ([], [])


def test_what_the_replay_does_not_name_is_stopped_once_in_order_of_ids():
    session = Session()
    register(session, Update(9), Update(7), Update(8, (0.5,)))
    session.receive(PICTURE)
    session.begin_registration()
    session.receive(Update(8, (0.5,)))
    assert session.registered() == [
        Command(5, Stop(7), reconciled=True), Command(6, Stop(9), reconciled=True)]
    assert known(session) == {8: (0.5,)}
    assert session.registered() == []
    assert register(session, Update(8, (0.5,))) == ([], [])


def test_a_stop_that_was_received_is_not_a_reconciled_one():
    session = Session()
    session.receive(PICTURE)
    session.begin_registration()
    command, = session.receive(Stop(7))
    assert not command.reconciled
    assert session.registered() == []


def test_an_object_started_during_the_registration_is_kept():
    session = Session()
    session.receive(PICTURE)
    assert register(session, PICTURE, Start(8, 1.5, 0)) == ([PICTURE, Start(8, 1.5, 0)], [])
    assert known(session) == {7: (), 8: ()}


def test_an_object_that_reappears_after_its_stop_is_news():
    session = Session()
    register(session, Update(7, (0.5,)))
    assert register(session) == ([], [Stop(7)])
    assert register(session, Update(7, (0.5,))) == ([Update(7, (0.5,))], [])


def test_our_own_feature_map_does_not_confirm_an_object():
    session = Session()
    session.receive(PICTURE)
    session.begin_registration()
    session.extracted(Update(7, (0.5,)))
    assert messages(session.registered()) == [Stop(7)]


def test_nothing_is_concluded_from_a_registration_that_breaks_off():
    session = Session()
    known = [Update(7, (0.5,)), Update(8, (0.5,))]
    register(session, *known)
    session.begin_registration()
    assert session.receive(known[0]) == []
    assert set(session.tracked) == {7, 8}
    assert register(session, known[1]) == ([], [Stop(7)])


def test_a_registration_again_on_the_same_connection():
    # That heals a registration which the orchestrator dropped (trap 2 of docs/protocol.md).
    session = Session()
    register(session, Update(7, (0.5,)))
    session.receive(Start(8, 1.5, 0))
    assert register(session, Update(7, (0.5,)), Update(8)) == ([], [])


def test_without_reconciling_nothing_is_stopped_or_forgotten():
    session = Session(reconcile=False)
    register(session, Update(7, (0.5,)))
    assert register(session) == ([], [])
    assert known(session) == {7: (0.5,)}
    assert register(session, Update(7, (0.5,))) == ([], [])
    session.reconcile = True
    assert session.registered() == []
    assert register(session) == ([], [Stop(7)])


# ---- the orchestrator's lives

def test_a_lost_link_does_not_begin_a_new_session():
    session = Session()
    session.receive(Start(7, 1.5, 0))
    session.receive(Update(8, (0.5,)))
    register(session, Update(7), Update(8, (0.5,)))
    register(session, Update(8, (0.75,)))  # 7 was stopped meanwhile, 8 was seen anew
    register(session)
    session.receive(Start(9, 1.5, 0))
    assert session.number == 1


def test_a_start_with_an_old_id_begins_a_new_session():
    session = Session()
    for object_id in (1, 2, 5):
        assert session.receive(Start(object_id, 1.5, 0))[0].session == 1
    register(session)
    assert [session.receive(Start(object_id, 1.5, 0))[0].session for object_id in (1, 2, 2)] == [
        2, 2, 3]


def test_an_object_that_has_lost_its_feature_map_begins_a_new_session():
    session = Session()
    session.receive(Start(1, 1.5, 0))
    session.receive(Update(1, (0.5,)))
    session.begin_registration()
    (command,) = session.receive(Update(1))
    assert (command.session, session.number) == (2, 2)
    assert session.receive(Start(2, 1.5, 0))[0].session == 2


def test_it_is_known_since_when_an_object_is_tracked():
    times = iter(range(100, 200))
    session = Session(clock=lambda: next(times))
    session.receive(Start(1, 1.5, 0))
    session.receive(Update(2))
    session.receive(Update(1, (0.5,)))
    assert {object_id: tracked.since for object_id, tracked in session.tracked.items()} == {
        1: 100, 2: 101}


def test_nothing_is_concluded_from_a_replay_that_was_not_understood():
    session = Session()
    session.receive(Update(7, (0.5,)))
    session.begin_registration()
    session.doubt_registration()
    assert session.registered() == []
    assert known(session) == {7: (0.5,)}
    assert register(session) == ([], [Stop(7)])


def test_more_objects_than_are_kept_stop_the_oldest(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_TRACKED', 3)
    session = Session()
    for object_id in range(3):
        assert len(session.receive(Start(object_id, 1.5, 0))) == 1
    started, stopped = session.receive(Start(3, 1.5, 0))
    assert started.message == Start(3, 1.5, 0)
    assert (stopped.message, stopped.reconciled) == (Stop(0), True)
    assert stopped.sequence == started.sequence + 1
    assert {*known(session)} == {1, 2, 3}


def test_feature_maps_that_are_too_much_together_stop_the_oldest(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 10)
    session = Session()
    session.begin_registration()
    session.receive(Update(1, (0.5,) * 4))
    session.receive(Update(2, (0.5,) * 4))
    commands = session.receive(Update(3, (0.5,) * 3))
    assert messages(commands) == [Update(3, (0.5,) * 3), Stop(1)]
    assert messages(session.registered()) == []
    assert {*known(session)} == {2, 3}


def test_echoes_are_forgotten_before_an_object_is_stopped_the_oldest_first(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 20)
    session = Session()
    ours = {object_id: [(object_id + number / 8,) * 3 for number in range(3)]
            for object_id in (1, 2)}
    for object_id, feature_maps in ours.items():
        session.receive(Start(object_id, 1.5, 0))
        for feature_map in feature_maps:
            session.extracted(Update(object_id, feature_map))
    # 18 of them, the newest of each object counted once: this is no reason to stop anything.
    assert messages(session.receive(Update(3, (0.5,) * 2))) == [Update(3, (0.5,) * 2)]
    assert [len(session.tracked[object_id].own) for object_id in (1, 2)] == [3, 3]
    assert messages(session.receive(Update(4, (0.5,)))) == [Update(4, (0.5,))]
    assert [len(session.tracked[object_id].own) for object_id in (1, 2)] == [0, 3]
    assert {*known(session)} == {1, 2, 3, 4}
    # An echo that is forgotten is news, but for the newest.
    assert session.receive(Update(1, ours[1][-1])) == []
    assert len(session.receive(Update(1, ours[1][0]))) == 1
    assert session.receive(Update(2, ours[2][0])) == []


def test_what_is_gone_does_not_count(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 10)
    session = Session()
    for number in range(100):
        assert len(session.receive(Update(1, (float(number),) * 4))) == 1
        assert len(session.receive(Update(2, (float(number),) * 4))) == 1
        session.receive(Stop(2))
    assert known(session) == {1: (99.0,) * 4}


def test_maps_of_ours_that_nobody_has_named_are_bounded_at_once(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 10)
    session = Session()
    session.extracted(Update(1, (0.5,) * 11))
    assert len(session.receive(Update(1, (0.5,) * 2))) == 1
    for number in range(100):  # each is kept, the one before it goes
        session.extracted(Update(2, (float(number),)))
    assert session.receive(Update(2, (99.0,))) == []


def test_a_stop_ends_the_wait_for_an_echo():
    session = Session()
    session.extracted(Update(1, (0.5,)))
    session.receive(Stop(1))
    assert messages(session.receive(Update(1, (0.5,)))) == [Update(1, (0.5,))]


def test_an_object_too_large_for_all_bounds_leaves_nothing(monkeypatch):
    monkeypatch.setattr(sessions, 'MAX_NUMBERS', 10)
    session = Session()
    session.receive(Update(1, (0.5,)))
    assert messages(session.receive(Update(2, (0.5,) * 11)))[1:] == [Stop(1), Stop(2)]
    assert known(session) == {}
