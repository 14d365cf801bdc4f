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

"""Delays double with every failure, up to a ceiling, and only a stable connection resets them."""

import random

from camera_ws_bridge.link.backoff import Backoff, LONGEST_ASKED, UNREACHED_CEILING
from camera_ws_bridge.link.settings import Settings
import pytest

DEFAULTS = Settings('gate')


def at_most(minimum=0.25, maximum=30.0, stable_after=10.0):
    """Return a Backoff that always draws the ceiling."""
    return Backoff(minimum, maximum, stable_after, lambda: 1.0)


def ceilings(backoff, count, **failure):
    """Return the delays of so many failures."""
    return [backoff.next_delay(**failure) for _ in range(count)]


def test_ceilings_double_up_to_the_maximum():
    assert ceilings(at_most(), 10, reached=True) == [
        0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_an_unreached_server_is_looked_for_at_least_every_second():
    assert ceilings(at_most(), 6, reached=False) == [0.25, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert UNREACHED_CEILING == 1.0


def test_the_maximum_holds_for_an_unreached_server_too():
    assert ceilings(at_most(maximum=0.5), 4, reached=False) == [0.25, 0.5, 0.5, 0.5]


def test_a_minimum_above_the_maximum_gives_the_maximum():
    assert ceilings(at_most(minimum=5.0, maximum=2.0), 3, reached=True) == [2.0, 2.0, 2.0]


def test_a_minimum_above_the_ceiling_of_unreached_servers():
    backoff = at_most(minimum=5.0)
    assert ceilings(backoff, 3, reached=False) == [1.0, 1.0, 1.0]
    assert ceilings(backoff, 3, reached=True) == [5.0, 10.0, 20.0]


def test_a_server_that_vanishes_and_comes_back_is_still_called_slowly():
    backoff = at_most()
    ceilings(backoff, 6, reached=True)
    assert ceilings(backoff, 3, reached=False) == [1.0, 1.0, 1.0]
    assert ceilings(backoff, 2, reached=True) == [16.0, 30.0]


def test_failures_without_a_server_count_when_it_is_back():
    backoff = at_most()
    ceilings(backoff, 10, reached=False)
    assert ceilings(backoff, 3, reached=True) == [1.0, 2.0, 4.0]


@pytest.mark.parametrize('lasted', [0.0, 9.99])
def test_accept_then_close_does_not_reset(lasted):
    assert ceilings(at_most(), 5, reached=True, lasted=lasted) == [0.25, 0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize('lasted', [10.0, 1e6])
def test_a_stable_connection_resets(lasted):
    backoff = at_most()
    ceilings(backoff, 9, reached=True)
    assert backoff.next_delay(reached=True, lasted=lasted) == 0.25
    assert ceilings(backoff, 3, reached=True) == [0.5, 1.0, 2.0]


def test_jitter_is_from_a_floor_that_grows_to_the_ceiling():
    draws = iter([0.0, 0.5, 0.25, 0.999, 0.0])
    backoff = Backoff(1.0, 8.0, 10.0, lambda: next(draws))
    assert ceilings(backoff, 5, reached=True) == pytest.approx(
        [0.0, 0.5 + 0.75, 1.5 + 0.625, 3.5 + 0.999 * 4.5, 3.5])


def test_the_first_delay_may_be_none_at_all():
    assert Backoff(5.0, 2.0, 10.0, lambda: 0.0).next_delay(reached=True) == 0.0


def connects_in_10_seconds(seed):
    """Return how often a server is called that accepts and closes."""
    backoff = Backoff(DEFAULTS.reconnect_delay_min, DEFAULTS.reconnect_delay_max,
                      DEFAULTS.stable_after, random.Random(seed).random)
    connects, now = 0, 0.0
    while now < 10.0:
        connects += 1
        now += backoff.next_delay(reached=True)
    return connects


def test_a_server_that_accepts_and_closes_sees_at_most_10_connects_in_10_seconds():
    for seed in range(200):
        assert 2 <= connects_in_10_seconds(seed) <= 10, f'seed {seed}'


def test_other_values_from_now_on():
    backoff = at_most()
    ceilings(backoff, 8, reached=True)
    assert not backoff.configure(0.25, 30.0, 10.0)
    assert backoff.configure(1.0, 4.0, 5.0)
    assert ceilings(backoff, 2, reached=True) == [4.0, 4.0]
    assert ceilings(backoff, 3, reached=True, lasted=5.0)[0] == 1.0
    assert backoff.configure(2.0, 8.0, 5.0)
    assert ceilings(at_most(), 1, reached=True) == [0.25]
    assert ceilings(backoff, 4, reached=True) == [2.0, 4.0, 8.0, 8.0]


def test_ten_connects_in_ten_seconds_are_hardly_ever_exceeded():
    exceeding = sum(connects_in_10_seconds(seed) > 10 for seed in range(20_000))
    print(f'{exceeding} of 20000 seeds exceed 10 connects in 10 s')
    assert exceeding <= 20  # 0.1 %


def test_a_server_that_is_well_again_is_found_within_three_seconds():
    assert max(ceilings(Backoff(
        DEFAULTS.reconnect_delay_min, DEFAULTS.reconnect_delay_max, DEFAULTS.stable_after,
        lambda: 1.0), 20, reached=True)) <= 2.5


@pytest.mark.parametrize('seconds, least, most', [
    (0.0, 0.0, 0.0), (2.0, 2.0, 3.0), (8.0, 8.0, 10.0), (9.5, 9.5, 10.0),
    (LONGEST_ASKED, LONGEST_ASKED * 2 / 3, LONGEST_ASKED)])
def test_who_is_asked_to_wait_comes_back_by_chance_after_that(seconds, least, most):
    for draw, delay in ((0.0, least), (1.0, most)):
        assert Backoff(0.25, 2.0, 10.0, lambda: draw).asked(seconds) == pytest.approx(delay)
