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

"""Faults of the link between bridge and orchestrator; harness.py asserts the account of each."""

import contextlib
import random
import re
import signal
import subprocess
import time

from camera_ws_bridge_msgs.msg import Start
from harness import faulty
import pytest
from rigs.fault_results import RESULTS
from rigs.installed import executable
from rigs.proxy import TO_CLIENT, TO_SERVER

START = '{{"type": "start", "objectId": {}, "frameId": 1, "boxId": 0}}'

# A dead link is noticed after a second, and reconnects cost next to nothing.
QUICK = {'heartbeat_interval': 0.5, 'heartbeat_timeout': 1.0, 'reconnect_delay_min': 0.01,
         'reconnect_delay_max': 0.05, 'stable_after': 0.0, 'open_timeout': 1.0}


@pytest.fixture(scope='module', name='bridge')
def shared_bridge(tmp_path_factory):
    with faulty(tmp_path_factory.mktemp('link'), **QUICK) as bridge:
        yield bridge


def some_arrive(bridge, count=20):
    """Wait until so many more messages have arrived."""
    arrived = len(bridge.received)
    bridge.wait(lambda: len(bridge.received) >= arrived + count)


def test_no_fault_at_all(bridge):
    with bridge.fault('none, for comparison'):
        some_arrive(bridge, 100)


def test_connection_reset(bridge):
    with bridge.fault('RST') as fault:
        some_arrive(bridge)
        bridge.proxy.reset()
        fault.healed()
        bridge.wait_for_cause(fault, 'lost')


def test_peer_stops_reading_while_the_link_is_idle(bridge):
    with bridge.fault('peer stops reading, idle', rate=5.0) as fault:
        bridge.proxy.stall()
        bridge.wait_for_cause(fault, 'silent')
        bridge.proxy.pass_through()
        fault.healed()


def test_peer_stops_reading_while_the_link_is_saturated(bridge):
    # 50 boxes a frame, 100 frames a second: 500 kB a second fill every buffer on the way.
    with bridge.fault('peer stops reading, saturated', rate=100.0, boxes_a_frame=50) as fault:
        some_arrive(bridge)
        bridge.proxy.stall()
        bridge.wait_for_cause(fault, 'silent')
        bridge.wait(lambda: bridge.probe.status.boxes_queued > 100)
        bridge.proxy.pass_through()
        fault.healed()


@pytest.mark.parametrize('direction', [TO_SERVER, TO_CLIENT])
def test_one_direction_dies(bridge, direction):
    with bridge.fault(f'only {direction} stalls') as fault:
        some_arrive(bridge)
        bridge.proxy.stall(direction)
        bridge.wait_for_cause(fault, 'silent')
        bridge.proxy.pass_through()
        fault.healed()


def test_link_throttled_to_10_kb_a_second(bridge):
    # Three times what the link takes, for as long as it takes to queue up.
    with bridge.fault('link throttled to 10 kB/s', boxes_a_frame=6) as fault:
        bridge.proxy.throttle(10_000)
        bridge.wait(lambda: bridge.probe.status.boxes_queued > 150)
        some_arrive(bridge)
        bridge.proxy.pass_through()
        fault.healed()


def test_link_in_fragments_of_a_few_bytes(bridge):
    with bridge.fault('1 to 7 bytes at a time') as fault:
        bridge.proxy.fragment(seed=1)
        bridge.proxy.reset()
        some_arrive(bridge)
        bridge.proxy.pass_through()
        fault.healed()


# The first leaves the bridge less time between two; the second takes 100 s, too long for each run.
PACES = {'200 drops, each as soon as it is connected': 0.0}
if RESULTS:
    PACES['200 drops, one each 0.5 s'] = 0.5  # seconds


@pytest.mark.timeout(300)
@pytest.mark.parametrize('case', PACES)
def test_200_drops(bridge, case):
    random_source = random.Random(1)
    with bridge.fault(case, rate=100.0) as fault:
        accepted = bridge.proxy.accepted
        due = time.monotonic()
        for number in range(200):
            due += PACES[case]
            bridge.wait(lambda: time.monotonic() >= due)
            kind = number % 3
            if kind == 0:
                bridge.proxy.drop()
            elif kind == 1:
                bridge.proxy.reset()
            else:  # in the handshake, the registration, or a message
                bridge.proxy.cut_after(random_source.randint(1, 2000))
            bridge.wait(lambda: bridge.proxy.accepted > accepted + number, 'it has come back')
        fault.healed()
        assert bridge.proxy.accepted >= accepted + 200
        fault.measured = f'{time.monotonic() - fault.began:.0f} s'


def test_connection_cut_inside_a_message(bridge):
    with bridge.fault('cut at a random byte') as fault:
        for seed in range(10):
            accepted = bridge.proxy.accepted
            bridge.proxy.cut_after(random.Random(seed).randint(600, 1500))
            bridge.wait(lambda: bridge.proxy.accepted > accepted)
        fault.healed()


def test_nobody_accepts_connections(bridge):
    with bridge.fault('connects, but is never accepted') as fault:
        bridge.proxy.stop_accepting()
        bridge.proxy.reset()
        bridge.wait_for_cause(fault, 'timeout')
        bridge.proxy.pass_through()
        fault.healed()


def test_connections_are_refused(bridge):
    with bridge.fault('connection refused') as fault:
        bridge.proxy.refuse()
        bridge.proxy.reset()
        bridge.wait_for_cause(fault, 'refused')
        bridge.wait(lambda: bridge.probe.status.boxes_queued > 30)
        bridge.proxy.pass_through()
        fault.healed()


def test_orchestrator_is_killed_in_the_middle_of_a_batch(bridge, tmp_path):
    with bridge.fault('orchestrator SIGKILLed mid-batch', boxes_a_frame=20, drops=True) as fault:
        with orchestrator_process(tmp_path) as (process, port, journal):
            bridge.proxy.target = port
            bridge.proxy.reset()
            bridge.wait(lambda: journal.exists() and journal.read_bytes().count(b'frameId') > 50)
            process.kill()  # while it is busy: nothing of what is in its buffers is handled
            process.wait()
            bridge.take_journal(journal)
        bridge.wait_for_cause(fault, 'lost')
        bridge.proxy.target = bridge.orchestrator.port
        fault.healed()


def test_orchestrator_stopped_and_continued(bridge, tmp_path):
    """Its kernel goes on acknowledging: only the pong is missing."""
    with bridge.fault('orchestrator SIGSTOPped', drops=True) as fault:
        with orchestrator_process(tmp_path) as (process, port, journal):
            bridge.proxy.target = port
            bridge.proxy.reset()
            bridge.wait(lambda: journal.exists() and journal.read_bytes().count(b'frameId') > 20)
            process.send_signal(signal.SIGSTOP)
            bridge.wait_for_cause(fault, 'silent')
            process.kill()
            process.wait()
            bridge.take_journal(journal)  # before another receives what comes behind
            bridge.proxy.target = bridge.orchestrator.port
            bridge.proxy.reset()
        fault.healed()


def test_orchestrator_restarts_with_object_ids_from_1(bridge):
    with bridge.fault('orchestrator restarted, object ids from 1', drops=True) as fault:
        session = bridge.probe.status.session
        bridge.orchestrator.send(START.format(1), START.format(2))
        bridge.wait(lambda: len(bridge.probe.of(Start)) >= 2)
        bridge.orchestrator.die()
        bridge.orchestrator.come_back()
        fault.healed()
        bridge.orchestrator.send(START.format(1))
        bridge.wait(lambda: bridge.probe.of(Start)[-1].session == session + 1)
        fault.measured = f'session {session}, then {session + 1}'


@contextlib.contextmanager
def orchestrator_process(folder):
    """Run the simulator as a process; yield it, its port and its journal."""
    journal = folder / 'journal'
    process = subprocess.Popen(
        [executable('orchestrator_sim'), '--port', '0', '--record', str(journal)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline()
        yield process, int(re.search(r':(\d+)/', line)[1]), journal
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
