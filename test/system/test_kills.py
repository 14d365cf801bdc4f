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

"""
A bridge with a spool that is killed (SIGKILL) at random moments: what was committed arrives.

A hundred kills hit a process that has everything of a bridge but the ROS node (kill_host); some
more hit the real executable, its start included. Committed is what a copy of the files, taken
after the kill, holds when SQLite has recovered it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

from camera_ws_bridge.buffer.spool.spool import Spool
from camera_ws_bridge.tracking.life import digest, Life
from camera_ws_bridge_msgs.msg import Update
import pytest
from rigs import process_rig as rigs
from rigs.fault_results import record
from rigs.kill_host import is_update
from rigs.proxy import Proxy
from rigs.shared import wait_until
from rigs.spool_rig import rows_of_copy

KILLS = 100
WHOLE_KILLS = 6
SEED = 20260301


def number_of(message):
    """Return the number that a message carries."""
    if message['type'] == 'boundingBoxes':
        return int(message['frameId'])
    return int(message['featureMap'][0])


def in_spool(spool, copies):
    """Return the numbers of all rows in a copy of the spool, which stays as the kill left it."""
    rows, report = rows_of_copy(spool, copies)
    assert report == '', 'a kill must not corrupt the file'
    return [number_of(json.loads(row.payload)) for row in rows]


def numbers(orchestrator):
    """Return the numbers that have arrived, in order: boxes, and feature maps."""
    return tuple([number_of(message) for message in orchestrator.messages(kind)
                  if message.get('featureMap') != {}] for kind in ('boundingBoxes', 'featureMap'))


def assert_first_arrivals_are_in_order(arrived):
    for lane in arrived:
        firsts = list(dict.fromkeys(lane))
        assert firsts == sorted(firsts)


@pytest.fixture(name='orchestrator')
def an_orchestrator():
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread, landmark=True)
    orchestrator.proxy = Proxy(loop_thread, orchestrator.port)
    orchestrator.url = f'ws://127.0.0.1:{orchestrator.proxy.port}/processor'
    yield orchestrator
    orchestrator.proxy.close()
    orchestrator.die()
    loop_thread.stop()


def remember(spool, orchestrator):
    """Have in the spool what a bridge leaves that has been registered: else maps are doubtful."""
    told = {object_id: digest(tuple(feature_map))
            for object_id, feature_map in orchestrator.sim.state.objects.items()}
    with contextlib.closing(Spool.open(str(spool), 2**20)) as file:
        file.write((), (), Life(5, max(told), told).pack())


class Host:
    """The process that begets bridges."""

    def __init__(self, spool: pathlib.Path, url: str) -> None:
        self._parameters = {'orchestrator_url': url, 'camera_id': rigs.CAMERA_ID,
                            'spool_path': str(spool), 'connect_timeout': 0.0, **rigs.FAST}
        self._process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parents[1] / 'rigs/kill_host.py'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._pid = 0

    def beget(self, first: int, count: int, seed: int) -> None:
        """Begin a life; return when it produces."""
        self._process.stdin.write(json.dumps({
            'parameters': self._parameters, 'first': first, 'count': count, 'seed': seed}) + '\n')
        self._process.stdin.flush()
        said = [self._process.stdout.readline().strip() for _ in range(2)]  # in either order
        assert 'started' in said, said
        said.remove('started')
        self._pid = int(said[0])

    def kill(self) -> None:
        """End a life with SIGKILL; return when it is over."""
        os.kill(self._pid, signal.SIGKILL)
        self._pid = 0
        assert self._process.stdout.readline().strip() == 'dead'

    def end(self) -> None:
        """End life and host."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(rigs.PATIENCE)


def test_every_committed_row_arrives_over_a_hundred_kills(tmp_path, orchestrator):
    spool, copies = tmp_path / 'spool' / 'gate.sqlite', tmp_path / 'copies'
    chance = random.Random(SEED)
    committed: set[int] = set()
    left = []  # how many rows each kill left behind
    remember(spool, orchestrator)
    host = Host(spool, orchestrator.url)
    try:
        for kill in range(KILLS):
            # Mostly the link is away, for what is acknowledged at once is never written.
            if chance.random() < 0.4:
                orchestrator.proxy.pass_through()
            else:
                orchestrator.proxy.refuse()
            host.beget(first=kill * 10000 + 1, count=9999, seed=kill)
            time.sleep(chance.uniform(0.0, 0.06))
            host.kill()
            orchestrator.proxy.reset()
            rows = in_spool(spool, copies)
            assert rows == sorted(rows)
            committed.update(rows)
            left.append(len(rows))
        orchestrator.proxy.pass_through()
        host.beget(first=0, count=0, seed=0)
        wait_until(lambda: not in_spool(spool, copies), 'the spool is empty')
        host.kill()
    finally:
        host.end()
    boxes, updates = numbers(orchestrator)
    arrived = {*boxes, *updates}
    measured = (
        f'{KILLS} kills, {len(committed)} rows committed, {len(committed - arrived)} of them '
        f'missing; {len(boxes) + len(updates)} arrived, {len(arrived)} of them different')
    # Otherwise nothing was proved: rows of many lives were in the file, and links broke.
    assert sum(1 for rows in left if rows) > KILLS / 2
    assert {is_update(number) for number in committed} == {True, False}
    assert committed - arrived == set()
    assert_first_arrivals_are_in_order((boxes, updates))
    record('link, buffer and spool SIGKILLed 100 times', measured)


def test_every_committed_row_arrives_over_kills_of_the_whole_bridge(tmp_path, orchestrator):
    spool, copies = tmp_path / 'spool' / 'gate.sqlite', tmp_path / 'copies'
    chance = random.Random(SEED)
    committed: set[int] = set()
    number = 0
    remember(spool, orchestrator)
    with rigs.own_domain() as domain, contextlib.ExitStack() as probes:

        def bridge(life):
            return rigs.Process(
                domain, tmp_path / f'log{life}', orchestrator_url=orchestrator.url,
                camera_id=rigs.CAMERA_ID, spool_path=str(spool), connect_timeout=0.0,
                # Shared memory would stay behind.
                environment={'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}, **rigs.FAST)

        def publish_until(probe, moment):
            nonlocal number
            while time.monotonic() < moment:
                number += 1
                if is_update(number):
                    probe.feature_map.publish(
                        Update(object_id=1 + number % 5, feature_map=[float(number)]))
                else:
                    probe.boxes.publish(rigs.boxes(float(number)))
                probe.executor.spin_once(timeout_sec=0.005)

        for kill in range(WHOLE_KILLS):
            orchestrator.proxy.pass_through() if kill % 2 else orchestrator.proxy.refuse()
            # A new one: DDS believes a killed process alive for 20 s. They are closed when all is
            # calm, since Fast DDS may crash where an endpoint ends beside one that just begins.
            probe = rigs.Probe(domain)
            probes.callback(probe.close)
            process = bridge(kill)
            if kill:  # the first one is killed wherever its start is
                probe.wait_for_status(lambda status: status.camera_id, 'it is up')
            publish_until(probe, time.monotonic() + chance.uniform(0.2, 1.5))
            process.signal(signal.SIGKILL)
            process.wait()
            orchestrator.proxy.reset()
            if spool.exists():
                committed.update(in_spool(spool, copies))
        orchestrator.proxy.pass_through()
        last = bridge('last')
        wait_until(lambda: spool.exists() and not in_spool(spool, copies), 'the spool is empty')
        assert last.end() == 0, last.log
    boxes, updates = numbers(orchestrator)
    arrived = {*boxes, *updates}
    measured = (
        f'{WHOLE_KILLS} kills, {number} published, {len(committed)} rows committed, '
        f'{len(committed - arrived)} of them missing; {len(arrived)} arrived')
    assert len(committed) >= 10
    assert committed - arrived == set()
    assert_first_arrivals_are_in_order((boxes, updates))
    record('whole bridge SIGKILLed 6 times', measured)
