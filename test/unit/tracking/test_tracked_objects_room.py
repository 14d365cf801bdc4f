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

"""What is told is bounded, and stays still: no command without a change, whatever is tracked."""

import random

from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking import tracked_objects
from camera_ws_bridge.tracking.tracked_objects import MAX_TRACKED, Session
import pytest

MANY = MAX_TRACKED + 100


@pytest.fixture
def bounds(monkeypatch):
    """Return a function that sets the bounds."""
    def set_bounds(**values):
        for name, value in values.items():
            monkeypatch.setattr(tracked_objects, name, value)
    return set_bounds


def messages(commands):
    """Return what is commanded."""
    return [command.message for command in commands]


def register(session, *replay, anew=False):
    """Go through a registration; return what is told."""
    session.begin_registration(anew)
    told = [command for message in replay for command in session.receive(message)]
    return messages(told + session.registered())


def test_more_objects_than_are_told_change_nothing_by_being_named_again():
    session = Session()
    replay = [Update(object_id, (float(object_id),)) for object_id in range(1, MANY + 1)]
    told = register(session, *replay, anew=True)
    assert {*session.tracked} == {*range(101, MANY + 1)}
    assert session.untold == {*range(1, 101)}
    assert [message for message in told if isinstance(message, Stop)] == [
        Stop(object_id) for object_id in range(1, 101)]
    for anew in (False, True, False):
        assert register(session, *replay, anew=anew) == []
        random.Random(1).shuffle(replay)
    assert session.number == 1
    assert len(session.untold) == 100


def test_what_was_not_told_is_told_as_soon_as_there_is_room(bounds):
    bounds(MAX_TRACKED=2)
    session = Session()
    replay = [Update(object_id) for object_id in (1, 2, 3, 4)]
    register(session, *replay)
    assert messages(session.receive(Stop(4))) == [Stop(4)]
    assert register(session, *replay[:3]) == [Update(1), Update(2), Stop(1)]
    assert register(session, *replay[:3]) == []
    assert messages(session.receive(Stop(1))) == [Stop(1)]
    assert session.untold == set()


def test_an_object_that_is_not_told_and_not_named_any_more_is_forgotten(bounds):
    bounds(MAX_TRACKED=1)
    session = Session()
    register(session, Update(1), Update(2))
    assert session.untold == {1}
    assert register(session, Update(2)) == []
    assert session.untold == set()


def test_a_start_makes_the_oldest_stand_back(bounds):
    bounds(MAX_TRACKED=3)
    session = Session()
    for object_id in range(3):
        assert len(session.receive(Start(object_id, 1.5, 0))) == 1
    started, stopped = session.receive(Start(3, 1.5, 0))
    assert started.message == Start(3, 1.5, 0)
    assert (stopped.message, stopped.reconciled) == (Stop(0), True)
    assert stopped.sequence == started.sequence + 1
    assert {*session.tracked} == {1, 2, 3}
    assert session.receive(Update(0, (0.5,))) == []


def test_feature_maps_that_are_too_much_together_make_the_oldest_stand_back(bounds):
    bounds(MAX_NUMBERS=10)
    session = Session()
    replay = [Update(1, (0.5,) * 4), Update(2, (0.5,) * 4), Update(3, (0.5,) * 3)]
    assert register(session, *replay) == [*replay, Stop(1)]
    assert {*session.tracked} == {2, 3}
    assert register(session, *replay) == []
    # One that grows stands back itself, where only younger ones are left.
    assert messages(session.receive(Update(2, (0.5,) * 8))) == [Stop(2)]
    assert messages(session.receive(Update(3, (0.5,) * 10))) == [Update(3, (0.5,) * 10)]
    assert session.untold == {1, 2}


def test_one_that_grows_makes_an_older_one_stand_back(bounds):
    bounds(MAX_NUMBERS=10)
    session = Session()
    for object_id in (1, 2, 3):
        session.receive(Update(object_id, (0.5,) * 3))
    assert messages(session.receive(Update(2, (0.5,) * 5))) == [Update(2, (0.5,) * 5), Stop(1)]


def test_one_too_large_for_all_bounds_moves_nobody(bounds):
    bounds(MAX_NUMBERS=10)
    session = Session()
    session.receive(Update(1, (0.5,)))
    assert session.receive(Update(2, (0.5,) * 11)) == []
    assert {*session.tracked} == {1}
    assert session.untold == {2}


def test_what_is_gone_does_not_count(bounds):
    bounds(MAX_NUMBERS=10)
    session = Session()
    for number in range(100):
        assert len(session.receive(Update(1, (float(number),) * 4))) == 1
        assert len(session.receive(Update(2, (float(number),) * 4))) == 1
        session.receive(Stop(2))
    assert {*session.tracked} == {1}


def test_feature_maps_of_our_own_stop_nobody(bounds):
    bounds(MAX_NUMBERS=10)
    session = Session()
    session.receive(Start(1, 1.5, 0))
    session.receive(Update(2, (0.5,) * 4))
    session.extracted(Update(1, (1.5,) * 6))
    session.extracted(Update(1, (2.5,) * 7))  # too large to be kept; its echo is known
    assert session.tracked[1].feature_map == (1.5,) * 6
    session.extracted(Update(9, (0.5,) * 100))
    assert session.receive(Update(1, (1.5,) * 6)) == []
    assert {*session.tracked} == {1, 2}


def test_ids_that_are_not_told_are_bounded_too(bounds):
    bounds(MAX_TRACKED=1, MAX_UNTOLD=3)
    session = Session()
    for object_id in range(10, 0, -1):
        session.receive(Update(object_id))
    assert ({*session.tracked}, session.untold) == ({10}, {9, 8, 7})


@pytest.mark.parametrize('seed', range(20))
def test_it_comes_to_rest_whatever_the_sizes(bounds, seed):
    bounds(MAX_TRACKED=5, MAX_NUMBERS=20)
    chance = random.Random(seed)
    session = Session()
    replay = [Update(object_id, (float(object_id),) * chance.randrange(25))
              for object_id in range(12)]
    for _ in range(12):
        chance.shuffle(replay)
        register(session, *replay)
    chance.shuffle(replay)
    assert register(session, *replay) == []
    assert sum(len(known.feature_map) for known in session.tracked.values()) <= 20
    assert len(session.tracked) <= 5
