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

"""The measure that the faults are held to: it must see a callback that blocks."""

import os

import harness
import monitor
import pytest


@pytest.mark.parametrize(('late', 'wait'), [
    ([], 0.0),
    ([0.0, 0.0], 0.0),
    ([0.01], 0.0),  # 10 ms of 10 s are less than a hundredth
    ([0.1], 0.0),
    ([0.3], 0.2),  # 100 ms' worth of messages wait more than 200 ms
    ([0.3, 0.3], 0.25),
    ([0.3, 0.25], 0.225),
    ([0.3, 0.05], 0.2),
    ([1.0, 0.0, 0.01], 0.9),
])
def test_the_wait_of_messages_that_come_at_any_time(late, wait):
    assert monitor.wait_percentile(late, 10.0) == pytest.approx(wait)


def test_it_agrees_with_messages_that_are_counted_one_by_one():
    late = [0.3, 0.02, 0.11, 0.0, 0.05, 0.11]
    waits = sorted(max(0.0, each - step / 10000) for each in late for step in range(10000))
    # One message each 0.1 ms; those that come at other times do not wait.
    waits = [0.0] * (100000 - len(waits)) + waits
    assert monitor.wait_percentile(late, 10.0) == pytest.approx(waits[99000], abs=0.001)


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    (tmp_path / 'ticks').write_text('1.0 0.5 0.25 4096\n2.0 0.0 0.0 8192\n3.0 0.')
    ticks = monitor.read(tmp_path / 'ticks', since=1.5)
    assert ticks == [monitor.Tick(2.0, 0.0, 0.0, 8192)]
    assert monitor.read(tmp_path / 'ticks')[0].blocked == 0.25


def test_the_limit_is_loosened_only_where_there_is_more_to_do_than_processors(monkeypatch):
    for load, limits in ((os.cpu_count(), (0.05, 0.7)), (os.cpu_count() + 0.1, (0.5, 0.7))):
        monkeypatch.setattr(os, 'getloadavg', lambda: (load, 0.0, 0.0))
        assert (monitor.limit(0.05), monitor.limit(0.7)) == limits


def test_a_callback_that_blocks_fails_the_fault(tmp_path, monkeypatch):
    # What is meant to fail is no result.
    monkeypatch.setattr(harness, 'record', lambda case, measured, **account: None)
    monkeypatch.setattr(os, 'getloadavg', lambda: (0.0, 0.0, 0.0))  # hold it to 50 ms
    with harness.faulty(
            tmp_path, environment={'CAMERA_WS_BRIDGE_BLOCKED': '0.12'}) as bridge:
        with pytest.raises(AssertionError, match='callbacks were blocked'):
            with bridge.fault('a callback that blocks'):
                pass
