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

from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.protocol.identifier import Identifier
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking.tracked_objects import (
    Command, OWN_REMEMBERED, Session, Unreadable)
import pytest

PICTURE = Start(7, image=b'picture')
PICTURE_9 = Start(9, image=b'picture')


def messages(commands):
    """Return what is commanded, without sequence numbers."""
    return [command.message for command in commands]


def register(session, *replay, anew=True):
    """Go through a registration; return what is told during the replay and at its end."""
    session.begin_registration(anew)
    during = [command for message in replay for command in session.receive(message)]
    return messages(during), messages(session.registered())


def test_every_command_is_passed_on_in_order_and_numbered_from_1():
    session = Session()
    received = [PICTURE, Update(7, (0.5,)), Start(8, 1.5, 0), Stop(7), Stop(8), Start(9, 1.5, 0)]
    commands = [command for message in received for command in session.receive(message)]
    assert commands == [Command(n, message) for n, message in enumerate(received, 1)]


@pytest.mark.parametrize('message', [
    Boxes(1.5), Identifier('cam-1'), Authenticate('token')])
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


@pytest.mark.parametrize('again', (False, True))
def test_the_orchestrator_may_not_know_our_feature_map_yet(again):
    session = Session()
    session.receive(PICTURE)
    session.extracted(Update(7, (0.5,)))  # still on its way
    if again:
        assert register(session, Update(7), anew=False) == ([], [])
    else:
        assert session.receive(Update(7)) == []
    assert known(session) == {7: (0.5,)}
    assert session.receive(Update(7, (0.5,))) == []


def test_a_feature_map_that_is_taken_back_is_news_once():
    session = Session()
    session.receive(Update(7, (0.5,)))
    assert messages(session.receive(Update(7))) == [Update(7)]
    assert session.receive(Update(7)) == []
    assert known(session) == {7: ()}
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]
    assert session.number == 1, 'a connection does not outlive the orchestrator'


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


def test_an_object_that_only_we_named_is_news_when_it_is_named_without_a_feature_map():
    session = Session()
    session.extracted(Update(7, (0.5,)))
    assert messages(session.receive(Update(7))) == [Update(7)]
    assert session.receive(Update(7, (0.5,))) == []


def test_echoes_of_objects_that_only_we_named_are_awaited_for_a_few():
    session = Session()
    for object_id in range(OWN_REMEMBERED + 1):
        session.extracted(Update(object_id, (0.5,)))
    assert session.receive(Update(1, (0.5,))) == []
    assert messages(session.receive(Update(0, (0.5,)))) == [Update(0, (0.5,))]


def test_a_stop_ends_the_wait_for_an_echo():
    session = Session()
    session.extracted(Update(1, (0.5,)))
    session.receive(Stop(1))
    assert messages(session.receive(Update(1, (0.5,)))) == [Update(1, (0.5,))]


def test_it_is_known_since_when_an_object_is_tracked():
    times = iter(range(100, 200))
    session = Session(clock=lambda: next(times))
    session.receive(Start(1, 1.5, 0))
    session.receive(Update(2))
    session.receive(Update(1, (0.5,)))
    assert {object_id: tracked.since for object_id, tracked in session.tracked.items()} == {
        1: 100, 2: 101}


# ---- registration

def test_the_first_registration_of_all():
    assert register(Session()) == ([], [])
    assert register(Session(), Update(7), Update(8, (0.5,))) == (
        [], [Update(7), Update(8, (0.5,))])


@pytest.mark.parametrize('anew', (False, True))
def test_a_replay_of_what_is_known_is_no_news(anew):
    session = Session()
    known = [Update(7), Update(8, (0.5,))]
    register(session, *known)
    assert register(session, *known, anew=anew) == ([], [])


@pytest.mark.parametrize('anew', (False, True))
def test_what_the_replay_does_not_name_is_stopped_once_in_order_of_ids(anew):
    session = Session()
    register(session, Update(3), Update(2), Update(8, (0.5,)))
    session.receive(Start(9, 1.5, 0))
    session.begin_registration(anew)
    session.receive(Update(8, (0.5,)))
    assert session.registered() == [
        Command(5, Stop(2), reconciled=True), Command(6, Stop(3), reconciled=True),
        Command(7, Stop(9), reconciled=True)]
    assert known(session) == {8: (0.5,)}
    assert session.registered() == []
    assert register(session, Update(8, (0.5,))) == ([], [])


def test_a_stop_that_was_received_is_not_a_reconciled_one():
    session = Session()
    session.receive(PICTURE)
    session.begin_registration(False)
    command, = session.receive(Stop(7))
    assert not command.reconciled
    assert session.registered() == []


def test_what_comes_during_a_registration_on_a_new_connection_keeps_its_place():
    session = Session()
    replay = [Update(7, (0.5,)), Stop(7), Start(9, 1.5, 0), Update(8), Stop(9)]
    assert register(session, *replay) == ([], replay)
    assert known(session) == {8: ()}


def test_on_a_connection_that_goes_on_nothing_waits_for_the_pong():
    session = Session()
    session.receive(PICTURE)
    assert register(session, Update(7, (0.5,)), Start(8, 1.5, 0), anew=False) == (
        [Update(7, (0.5,)), Start(8, 1.5, 0)], [])
    assert known(session) == {7: (0.5,), 8: ()}


def test_our_own_feature_map_does_not_confirm_an_object():
    session = Session()
    session.receive(PICTURE)
    session.begin_registration(False)
    session.extracted(Update(7, (0.5,)))
    assert messages(session.registered()) == [Stop(7)]


def test_an_object_that_reappears_after_its_stop_is_news():
    session = Session()
    register(session, Update(7, (0.5,)))
    assert register(session, anew=False) == ([], [Stop(7)])
    assert register(session, Update(7, (0.5,)), anew=False) == ([Update(7, (0.5,))], [])


def test_a_registration_again_on_the_same_connection():
    # That heals a registration which the orchestrator dropped (quirk 2 of docs/protocol.md).
    session = Session()
    register(session, Update(7, (0.5,)))
    session.receive(Start(8, 1.5, 0))
    assert register(session, Update(7, (0.5,)), Update(8), anew=False) == ([], [])


@pytest.mark.parametrize('anew', (False, True))
def test_without_reconciling_nothing_is_stopped_or_forgotten(anew):
    session = Session(reconcile=False)
    register(session, Update(7, (0.5,)))
    assert register(session, anew=anew) == ([], [])
    assert known(session) == {7: (0.5,)}
    assert register(session, Update(7, (0.5,)), anew=anew) == ([], [])
    session.reconcile = True
    assert session.registered() == []
    assert register(session, anew=anew) == ([], [Stop(7)])


# ---- registrations that are not understood or not brought to an end

@pytest.mark.parametrize('anew', (False, True))
def test_only_what_could_not_be_read_is_spared(anew):
    session = Session()
    register(session, *(Update(object_id, (0.5,)) for object_id in (1, 2, 3)))
    assert register(session, Unreadable(1), Update(3, (0.5,)), anew=anew) == ([], [Stop(2)])
    assert known(session) == {1: (0.5,), 3: (0.5,)}


def test_an_object_whose_feature_map_cannot_be_read_is_tracked_all_the_same():
    session = Session()
    assert register(session, Unreadable(7)) == ([], [Update(7)])
    assert register(session, Unreadable(7), anew=False) == ([], [])
    assert messages(session.receive(Update(7, (0.5,)))) == [Update(7, (0.5,))]
    assert session.receive(Unreadable(7)) == []
    assert known(session) == {7: (0.5,)}
    assert session.life().told == {}


@pytest.mark.parametrize('anew', (False, True))
def test_what_could_not_be_read_at_all_may_have_named_any(anew):
    session = Session()
    register(session, Update(7), Update(8, (0.5,)))
    session.begin_registration(anew)
    session.receive(Update(8, (0.5,)))
    session.doubt_registration()
    assert session.registered() == []
    assert known(session) == {7: (), 8: (0.5,)}
    assert register(session, Update(8, (0.5,))) == ([], [Stop(7)])


@pytest.mark.parametrize('anew', (False, True))
def test_nothing_is_concluded_from_a_registration_that_breaks_off(anew):
    session = Session()
    objects = [Update(7, (0.5,)), Update(8, (0.5,))]
    register(session, *objects)
    session.begin_registration(anew)
    assert session.receive(objects[0]) == []
    assert session.broken_off() == []
    assert set(session.tracked) == {7, 8}
    assert register(session, objects[1]) == ([], [Stop(7)])


def test_nothing_breaks_off_between_registrations():
    session = Session()
    session.receive(PICTURE)
    assert session.broken_off() == []
    assert known(session) == {7: ()}


def test_what_comes_in_a_registration_that_breaks_off_comes_again_but_for_a_start():
    session = Session()
    register(session, Update(7, (0.5,)))
    session.begin_registration()
    session.receive(Update(8))
    assert session.broken_off() == []
    session.begin_registration()
    for message in (Update(7, (0.5,)), PICTURE_9, Update(8)):
        assert session.receive(message) == []
    assert messages(session.broken_off()) == [PICTURE_9, Update(8)]
    assert session.number == 1
