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

"""Which restarts of the orchestrator a replay tells, and which lives it proves to go on."""

from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking.life import digest, judge, Life, NO_MAP, Verdict
import pytest

MAP, OTHER_MAP = (0.5, 1.0), (0.5, 2.0)
LIFE = Life(1, 7, {1: digest(MAP), 2: digest(MAP)})
OWN = {3: [digest(MAP)], 4: []}


@pytest.mark.parametrize('verdict, replay', [
    # Feature maps that only this life has told of these objects, or that are ours.
    (Verdict.SAME, [Update(1, MAP)]),
    (Verdict.SAME, [Update(1, OTHER_MAP), Update(2, MAP)]),
    (Verdict.SAME, [Update(2, MAP), Update(8), Update(3)]),
    (Verdict.SAME, [Update(3, MAP)]),
    (Verdict.SAME, [Update(1, MAP), Update(1)]),  # it was taken back right after the replay
    (Verdict.SAME, [Update(1, MAP), Stop(1), Start(8, 1.5, 0)]),
    # What no life can do.
    (Verdict.OTHER, [Update(1)]),
    (Verdict.OTHER, [Update(1, MAP), Update(2)]),
    (Verdict.OTHER, [Update(2), Update(1, MAP)]),
    (Verdict.OTHER, [Start(7, 1.5, 0)]),
    (Verdict.OTHER, [Update(1, MAP), Start(2, 1.5, 0)]),
    # What may be either.
    (Verdict.UNKNOWN, []),
    (Verdict.UNKNOWN, [Update(1, OTHER_MAP)]),
    (Verdict.UNKNOWN, [Update(1, OTHER_MAP), Update(1, MAP)]),  # somebody has sent an old one
    (Verdict.UNKNOWN, [Update(3)]),
    (Verdict.UNKNOWN, [Update(4, MAP), Update(5, MAP), Update(9, MAP)]),
    (Verdict.UNKNOWN, [Stop(1), Stop(9), Start(8, 1.5, 0)]),
])
def test_what_a_replay_says(verdict, replay):
    assert judge(LIFE, OWN, replay) is verdict


def test_of_an_unknown_life_nothing_is_said():
    assert judge(Life(1), {}, [Update(1, MAP), Update(2), Start(3, 1.5, 0)]) is Verdict.UNKNOWN


def test_a_digest_stands_for_the_numbers_in_every_process():
    assert digest(()) == NO_MAP == 0
    assert digest((0.5, 1.0)) == digest((0.5, 1)) == 6776982442558552815
    found = {digest((float(number),) * size) for number in range(100) for size in range(1, 4)}
    assert len(found) == 300
    assert all(0 < value < 2**63 for value in found)


@pytest.mark.parametrize('life', [
    LIFE, Life(1), Life(2**32 - 1, 2**63 - 1, {2**63 - 1: 2**63 - 1, 0: 1})])
def test_a_life_is_packed_and_unpacked(life):
    assert Life.unpack(life.pack()) == life


@pytest.mark.parametrize('data', [b'', b'x', bytes(8), bytes(24), bytes(17)])
def test_what_is_no_life_is_none(data):
    assert Life.unpack(data) is None
