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

"""SIGINT, SIGTERM and SIGHUP, one or many, in every phase of a bridge's life: exit code 0."""

import itertools
import shutil
import signal
import time

import pytest
from rigs import process_rig as rigs
from rigs.installed import executable
from rigs.shared import wait_until

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BURST = 12  # signals
GAP = 0.05  # seconds between two of them


def holds_back_signals(process):
    """Whether the process has come so far that no signal ends it any more."""
    with open(f'/proc/{process.info.pid}/status') as status:
        (mask,) = [line for line in status if line.startswith('SigBlk')]
    return all(int(mask.split()[1], 16) >> number - 1 & 1 for number in NUMBERS)


def burst(process, numbers=NUMBERS):
    """Send signals, close to each other, until the process has ended or enough were sent."""
    for number, _ in zip(itertools.cycle(numbers), range(BURST)):
        if not process.alive:
            return
        process.signal(number)
        time.sleep(GAP)


@pytest.mark.parametrize('delay', [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.2])
def test_a_burst_at_the_start(tmp_path, delay):
    """Whether it imports, makes its node or connects: nobody tells."""
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url='ws://127.0.0.1:1/processor',
            camera_id='cam-1')
        wait_until(lambda: holds_back_signals(process))
        time.sleep(delay)
        burst(process)
        assert process.wait() == 0, process.log
        assert 'Traceback' not in process.log


@pytest.mark.parametrize('numbers', [(number,) for number in NUMBERS] + [NUMBERS])
def test_a_burst_while_it_runs_flushes_once(tmp_path, numbers):
    with rigs.running(tmp_path) as rig:
        rig.probe.publish_frames(range(100))
        for number in range(50):
            rig.probe.boxes.publish(rigs.boxes(1000.0 + number, rigs.box()))
        rig.probe.flush()
        burst(rig.process, numbers)
        assert rig.process.wait() == 0, rig.process.log
        assert 'Traceback' not in rig.process.log
        received = rig.orchestrator.frame_ids()
        assert received == [*range(100), *(1000.0 + number for number in range(50))]


def test_a_burst_while_it_flushes_does_not_cut_that_short(tmp_path):
    with rigs.running(tmp_path, shutdown_timeout=2.0, heartbeat_timeout=60.0) as rig:
        rig.orchestrator.do('stall')
        for number in range(10):
            rig.probe.boxes.publish(rigs.boxes(float(number)))
        rig.probe.wait_for_status(lambda status: status.boxes_queued >= 10)
        began = time.monotonic()
        burst(rig.process)
        assert rig.process.wait() == 0, rig.process.log
        assert time.monotonic() - began > 1.9, 'it has waited for the orchestrator'


@pytest.mark.parametrize('seed', range(4))
def test_a_burst_at_the_very_end(tmp_path, seed):
    """Executor, middleware and Python itself are taken down, one after the other."""
    with rigs.running(tmp_path) as rig:
        rig.process.signal(signal.SIGTERM)
        end = time.monotonic() + rigs.PATIENCE
        while rig.process.alive and time.monotonic() < end:
            rig.process.signal(NUMBERS[seed % 3])
            time.sleep(0.001 * (seed + 1))
        assert rig.process.wait() == 0, rig.process.log


def test_nohup_lets_it_run_on(tmp_path):
    with rigs.running(tmp_path) as rig, rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'other.log', command=(shutil.which('nohup'), executable('bridge')),
            orchestrator_url=rig.orchestrator.sim.url, camera_id='other')
        probe = rigs.Probe(domain)
        probe.wait_until_registered()
        process.signal(signal.SIGHUP)
        seen = len(probe.statuses)
        probe.wait(lambda: len(probe.statuses) > seen + 2, 'it goes on')
        assert process.end() == 0, process.log
