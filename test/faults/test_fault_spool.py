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

"""Spools that cannot be written, are damaged, or belong to another bridge; see harness.py."""

import contextlib
import pathlib
import random
import resource
import signal
import time

from camera_ws_bridge.process.run import EXIT_CONFIGURATION
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Status, Update
from diagnostic_msgs.msg import DiagnosticStatus
from harness import faulty, MIB, QUICK
import pytest
from rigs import process_rig as rigs
from rigs.fault_results import record
from rigs.spool_rig import aside, rows_of_copy

FIRST = 1000  # what messages are numbered from: a number of four digits is found in a file
COUNT = 80  # messages at a time; one in four is a feature map
FLIPS = 20
SEED = 20261125
PAGE = 4096  # bytes; in the first page are the definitions, without which nothing is readable


def spooled(folder, **arguments):
    return faulty(folder, spool_path=str(folder / 'spool' / 'spool.sqlite'), **QUICK, **arguments)


@contextlib.contextmanager
def outage(bridge):
    bridge.proxy.refuse()
    bridge.proxy.reset()
    yield
    bridge.proxy.pass_through()


# ---- while the bridge runs

def wait_until_degraded(bridge):
    """Wait until the spool is given up for now, and diagnostics say so; return the reason."""
    bridge.wait(lambda: bridge.probe.status.spool.startswith('degraded'), 'it is noticed')
    bridge.wait(lambda: any(
        status.level == DiagnosticStatus.ERROR and 'spool degraded' in status.message
        for array in bridge.probe.diagnostics for status in array.status), 'it is an ERROR')
    return bridge.probe.status.spool.partition(': ')[2]


def wait_until_healed(bridge, fault, reason):
    """Wait until the spool is in use again; note how long that took."""
    began = time.monotonic()
    bridge.wait(lambda: bridge.probe.status.spool == 'ok', 'the spool heals')
    fault.measured = (f'"{reason}", ERROR in diagnostics, '
                      f'in use again after {time.monotonic() - began:.1f} s')


def test_spool_is_full(tmp_path):
    with spooled(tmp_path, spool_max_bytes=MIB) as bridge:
        with bridge.fault('spool: page limit reached', boxes_a_frame=100) as fault:
            with outage(bridge):
                reason = wait_until_degraded(bridge)
            fault.healed()
            wait_until_healed(bridge, fault, reason)
    assert 'spool_max_bytes' in reason


def test_disk_is_full(tmp_path):
    with spooled(tmp_path) as bridge:
        with bridge.fault('spool: disk full', boxes_a_frame=100) as fault:
            before = bridge.process.info.rlimit(resource.RLIMIT_FSIZE)
            with outage(bridge):
                bridge.process.info.rlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
                reason = wait_until_degraded(bridge)
                bridge.process.info.rlimit(resource.RLIMIT_FSIZE, before)
            fault.healed()
            wait_until_healed(bridge, fault, reason)


def test_spool_is_read_only(tmp_path):
    """Let SQLite itself refuse to write: modes would not, where tests run as root."""
    disk = tmp_path / 'disk'
    disk.write_text('writable')
    with spooled(tmp_path, environment={'CAMERA_WS_BRIDGE_DISK': str(disk)}) as bridge:
        with bridge.fault('spool: read-only') as fault:
            with outage(bridge):
                disk.write_text('read-only')
                reason = wait_until_degraded(bridge)
                disk.write_text('writable')
                wait_until_healed(bridge, fault, reason)
            fault.healed()
    assert reason == 'the file is read-only'


def test_bytes_are_flipped_while_it_runs(tmp_path):
    """The buffer has everything: it does not matter when SQLite finds it."""
    with spooled(tmp_path) as bridge:
        with bridge.fault('spool: bytes flipped while it runs', boxes_a_frame=100) as fault:
            file = tmp_path / 'spool' / 'spool.sqlite'
            with outage(bridge):
                bridge.wait(lambda: bridge.probe.status.boxes_queued > 30)
                with file.open('r+b') as spool:
                    spool.write(bytes(range(256)) * (file.stat().st_size // 256))
                bridge.wait(lambda: bridge.probe.status.boxes_queued > 100)
            fault.healed()
            assert bridge.probe.status.spool == 'ok'
            fault.measured = 'SQLite had all in its cache, and the spool stayed in use'
    rows, _ = rows_of_copy(file, tmp_path / 'copies')
    assert rows == [], 'whether it is sound again or not, nothing is left to be sent'


def test_another_bridge_opens_the_spool(tmp_path):
    with spooled(tmp_path) as bridge:
        with bridge.fault('spool: second opener') as fault:
            began = time.monotonic()
            other = rigs.Process(
                bridge.rig.domain, tmp_path / 'other.log', '-r', '__ns:=/other',
                **bridge.rig.parameters)
            bridge.wait(lambda: not other.alive, 'the other one ends')
            assert other.wait() == EXIT_CONFIGURATION, other.log
            fault.measured = ('the second one ends with exit code 2 after '
                              f'{time.monotonic() - began:.1f} s')
            fault.healed()
        assert 'spool_path' in other.log and 'in use' in other.log
        assert bridge.probe.status.spool == 'ok'
        assert bridge.probe.status.reconnects == fault.before.reconnects


# ---- between two lives

class Lives:
    """A bridge whose first life ends with a full spool, and the next with an empty one."""

    def __init__(self, rig, folder):
        self.rig = rig
        self._folder = folder
        self.path = rig.parameters.get('spool_path')

    def fill(self, first=FIRST):
        """Accept COUNT messages that cannot be sent; return their numbers."""
        rig, probe = self.rig, self.rig.probe
        rig.proxy.refuse()
        rig.proxy.reset()
        rig.wait(lambda: probe.status.state == Status.CONNECTING)
        before = probe.status
        numbers = list(range(first, first + COUNT))
        for number in numbers:
            if number % 4 == 0:
                probe.feature_map.publish(Update(object_id=number, feature_map=[float(number)]))
            else:
                probe.boxes.publish(rigs.boxes(float(number)))
            probe.executor.spin_once(timeout_sec=0.005)
        rig.wait(lambda: probe.status.boxes_accepted + probe.status.updates_accepted >= (
            before.boxes_accepted + before.updates_accepted + COUNT), 'all are accepted')
        return numbers

    def readable(self):
        """Return the numbers in a copy of the spool, in order."""
        rows, _ = rows_of_copy(self.path, self._folder / 'copies')
        return sorted(filter(None, map(number_of, (row.payload.decode() for row in rows))))

    def live_again(self):
        """Start the next life; return the numbers that arrive, once the spool is empty."""
        rig, probe = self.rig, self.rig.probe
        rig.process = rigs.Process(
            rig.domain, self._folder / 'second.log', environment=ENVIRONMENT, **rig.parameters)
        rig.proxy.pass_through()
        rig.wait(lambda: probe.status.state in (Status.REGISTERED, Status.STABLE) and (
            probe.status.boxes_queued == probe.status.updates_queued == 0), 'it has sent all')
        assert rig.process.end() == 0, rig.process.log
        texts = map(number_of, rig.orchestrator.received)
        return sorted({number for number in texts if number})


ENVIRONMENT = {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}  # after a kill, shared memory would stay


def number_of(text):
    """Return the number of a message that `fill` has published, or 0."""
    message = strict_json.loads(text)
    if message['type'] == 'boundingBoxes':
        number = message['frameId']
    else:
        number = (message.get('featureMap') or [0])[0] if 'featureMap' in message else 0
    return int(number) if number >= FIRST else 0


@pytest.fixture(name='lives')
def a_bridge_with_lives(tmp_path):
    with rigs.running(
            tmp_path, orchestrator={'landmark': True}, through_proxy=True, environment=ENVIRONMENT,
            spool_path=str(tmp_path / 'spool' / 'spool.sqlite')) as rig:
        rig.wait(lambda: rig.probe.tracked.objects)
        yield Lives(rig, tmp_path)


def end_first_life(lives, number):
    lives.rig.process.signal(number)
    lives.rig.process.wait()


# ---- between two lives of the orchestrator

def give_out_again(rig, object_ids):
    """Restart the orchestrator; others start as many objects before the bridge is back."""
    rig.orchestrator.die()
    rig.orchestrator.come_back()
    rig.orchestrator.sim.state.objects.update((object_id, {}) for object_id in object_ids)


def judge_lives(case, rig, numbers, arrived):
    """Assert that all boxes have arrived, no feature map has, and each of these is counted."""
    feature_maps = [number for number in numbers if number % 4 == 0]
    assert arrived == [number for number in numbers if number % 4]
    assert {count.cause: count.count for count in rig.probe.status.dropped} == {
        'updates_former_session': len(feature_maps)}
    assert {*rig.orchestrator.sim.state.objects} >= {*feature_maps}
    record(case, f'{len(arrived)} boxes arrive, 0 of {len(feature_maps)} feature maps; '
           f'updates_former_session {len(feature_maps)}')


def test_ids_are_given_out_again_while_memory_holds_feature_maps(tmp_path):
    with rigs.running(tmp_path, orchestrator={'landmark': True}, through_proxy=True) as rig:
        rig.wait(lambda: rig.probe.tracked.objects)
        numbers = Lives(rig, tmp_path).fill()
        give_out_again(rig, numbers)
        rig.proxy.pass_through()
        rig.probe.wait_for_status(lambda status: status.state in (
            Status.REGISTERED, Status.STABLE) and status.boxes_queued == 0)
        judge_lives('ids given out again, feature maps in memory', rig, numbers,
                    sorted({*map(number_of, rig.orchestrator.received)} - {0}))


def test_ids_are_given_out_again_while_a_spool_holds_feature_maps(lives):
    numbers = lives.fill()
    end_first_life(lives, signal.SIGTERM)
    give_out_again(lives.rig, numbers)
    judge_lives('ids given out again, feature maps in a spool', lives.rig, numbers,
                lives.live_again())


def test_one_byte_is_flipped(lives):
    numbers = lives.fill()
    end_first_life(lives, signal.SIGTERM)  # so that all is in one file
    with open(lives.path, 'r+b') as file:
        data = bytearray(file.read())
        data[data.index(b'"frameId":1041.0') + 11] ^= 1
        file.seek(0)
        file.write(data)
    arrived = lives.live_again()
    assert arrived == [number for number in numbers if number != 1041]
    assert 'the spool was corrupt' in lives.rig.process.log
    assert len(aside(lives.path)) == 1
    record('spool: one byte flipped between two lives',
           f'{len(numbers)} accepted, 1 hit, {len(arrived)} arrive; 1 file put aside')


def test_bytes_are_flipped_all_over(lives):
    numbers = lives.fill()
    end_first_life(lives, signal.SIGTERM)
    chance = random.Random(SEED)
    with open(lives.path, 'r+b') as file:
        data = bytearray(file.read())
        for _ in range(FLIPS):
            data[chance.randrange(PAGE, len(data))] ^= 1 << chance.randrange(8)
        file.seek(0)
        file.write(data)
    readable = lives.readable()
    arrived = lives.live_again()
    assert arrived == readable
    assert 0 < len(arrived) < COUNT and set(arrived) <= set(numbers)
    assert 'the spool was corrupt' in lives.rig.process.log
    assert len(aside(lives.path)) == 1
    record('spool: 20 bytes flipped between two lives',
           f'{len(numbers)} accepted, {len(readable)} readable, {len(arrived)} arrive; '
           '1 file put aside')


def test_the_log_is_cut(lives):
    numbers, log = [], pathlib.Path(lives.path + '-wal')
    sizes = []
    for first in (FIRST, FIRST + COUNT):
        numbers += lives.fill(first)
        lives.rig.wait(lambda: lives.readable() == numbers, 'all are committed')
        sizes.append(log.stat().st_size)
    end_first_life(lives, signal.SIGKILL)  # so that all is in the write-ahead log
    with log.open('r+b') as file:
        file.truncate(random.Random(SEED).randrange(*sizes))
    readable = lives.readable()
    arrived = lives.live_again()
    assert arrived == readable
    assert COUNT <= len(arrived) < 2 * COUNT
    assert not aside(lives.path), 'a log that ends early is no damage'
    record('spool: WAL cut',
           f'{len(numbers)} committed, {len(readable)} before the cut, {len(arrived)} arrive')
