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

"""When wake-ups are shared, by a clock of the test's own."""

from camera_ws_bridge.process.wake_ups import CLOSE, WakeUps

INTERVAL = 0.01
NEVER = 1e9  # nothing else is due
SLEPT = 0.0005  # seconds until something came


def crowded():
    """Return one that was woken up again and again until it shares, and when that was last."""
    wake_ups = WakeUps(INTERVAL)
    for number in range(CLOSE + 1):
        assert not wake_ups.shared
        wake_ups.woken(100.0 + 0.001 * number, SLEPT)
    assert wake_ups.shared
    return wake_ups, 100.0 + 0.001 * CLOSE


def test_wake_ups_with_an_interval_between_them_are_not_shared():
    wake_ups = WakeUps(INTERVAL)
    for number in range(100):
        wake_ups.woken(100.0 + INTERVAL * number, SLEPT)
        assert not wake_ups.shared


def test_a_few_close_ones_are_not_shared():
    wake_ups = WakeUps(INTERVAL)
    for number in range(100):
        for close in range(CLOSE):
            wake_ups.woken(100.0 + number + 0.001 * close, SLEPT)
            assert not wake_ups.shared


def test_what_was_there_already_is_no_wake_up():
    wake_ups = WakeUps(INTERVAL)
    for number in range(100):
        wake_ups.woken(100.0 + 0.0001 * number, 0.000001)
        assert not wake_ups.shared


def test_where_one_follows_the_other_it_rests_until_the_interval_is_over():
    wake_ups, at = crowded()
    assert abs(wake_ups.rest(at + 0.002, NEVER) - 0.008) < 1e-9
    wake_ups.done(5)
    assert wake_ups.shared
    # From the end of the rest, not of the work behind it.
    assert abs(wake_ups.rest(at + 0.013, NEVER) - 0.007) < 1e-9


def test_it_does_not_rest_where_the_work_took_the_interval():
    wake_ups, at = crowded()
    assert wake_ups.rest(at + 0.02, NEVER) == 0.0


def test_it_does_not_rest_beyond_what_is_due():
    wake_ups, at = crowded()
    assert abs(wake_ups.rest(at, at + 0.004) - 0.004) < 1e-9
    assert wake_ups.rest(at + 0.005, at + 0.004) == 0.0


def test_it_shares_no_longer_where_there_was_nothing_to_share():
    for things in (0, 1):
        wake_ups, at = crowded()
        wake_ups.rest(at, NEVER)
        wake_ups.done(things)
        assert not wake_ups.shared
        for number in range(CLOSE - 1):
            wake_ups.woken(at + INTERVAL + 0.001 * number, SLEPT)
            assert not wake_ups.shared


def test_without_an_interval_none_is_shared():
    wake_ups = WakeUps(0.0)
    for _ in range(100):
        wake_ups.woken(100.0, SLEPT)
        assert not wake_ups.shared
