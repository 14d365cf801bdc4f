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

"""Changes of the network make the link hurry at once, then less and less often."""

from camera_ws_bridge.link.hurry import FIRST_GAP, Hurry, LONGEST_GAP
import pytest


def test_the_first_change_hurries_at_once():
    assert Hurry().delay(1000.0) == 0.0


def test_so_does_one_after_a_calm():
    hurry = Hurry()
    times = [1000.0 * index for index in range(5)]
    assert [hurry.delay(now) for now in times] == [0.0] * 5


def test_a_second_change_soon_after_waits_for_the_gap_to_end():
    hurry = Hurry()
    hurry.delay(7.0)
    assert hurry.delay(7.1) == pytest.approx(FIRST_GAP - 0.1)


def test_gaps_double_while_changes_go_on_and_the_last_one_is_never_forgotten():
    hurry, now, times = Hurry(), 0.0, []
    for _ in range(12):
        now += hurry.delay(now)
        times.append(now)
    gaps = [later - sooner for sooner, later in zip(times, times[1:])]
    assert gaps == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, *(5 * [LONGEST_GAP])]


def test_a_calm_as_long_as_two_gaps_makes_it_quick_again():
    hurry, now = Hurry(), 0.0
    for _ in range(5):
        now += hurry.delay(now)  # the gap is 4 s by now
    assert hurry.delay(now + 4.0) == 0.0
    hurry.delay(now + 4.0)
    assert hurry.delay(now + 1000.0) == 0.0


def test_changes_at_any_rate_leave_attempts_their_time():
    hurry, acts, now = Hurry(), [], 0.0
    while now < 600.0:
        now += 0.1
        if not acts or now >= acts[-1]:
            acts.append(now + hurry.delay(now))
    assert len(acts) < 80
    assert max(later - sooner for sooner, later in zip(acts, acts[1:])) <= LONGEST_GAP + 0.2
