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

"""The writer's thread never holds up the buffer, and the file ends up as the buffer is."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

from camera_ws_bridge import spool_writer
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.outbox import BOXES, UPDATES
from camera_ws_bridge.spool import Row, Spool, SpoolError
from camera_ws_bridge.spool_writer import DEGRADED, monotonic_time, OK, SpoolWriter
from hypothesis import settings, strategies as st
from hypothesis.stateful import initialize, rule, RuleBasedStateMachine
import pytest

MIB = 2**20
NEVER = 3600.0  # seconds; longer than any test
PATIENCE = 20.0  # seconds


class Rig:
    """A SpoolWriter, what it said, and a spool that fails on demand."""

    def __init__(self, path, max_bytes=16 * MIB, **options):
        """Open it; options of SpoolWriter.open."""
        self.path = path
        self.max_bytes = max_bytes
        self.options = {'interval': NEVER, 'heal_interval': NEVER, **options}
        self.changes = []
        self.reports = []
        self.late = []
        self.writes = []  # (ids added, ids removed) of each
        self.opened = 0
        self.open_fault = None
        self.fault = None  # raised by the next writes
        self.load_fault = None
        self.before_write = lambda: None

    def start(self):
        """Open the writer; return itself."""
        self.writer, self.rows, self.next_id = SpoolWriter.open(
            self.path, self.max_bytes, open_spool=self.open_spool,
            on_change=lambda *change: self.changes.append(change),
            on_report=self.reports.append, on_late=self.late.append, **self.options)
        return self

    def open_spool(self, path, max_bytes):
        """Open a spool whose methods can be made to fail."""
        self.opened += 1
        if self.open_fault is not None:
            raise self.open_fault
        spool = Spool.open(path, max_bytes)
        write, load, reopen = spool.write, spool.load, spool.reopen

        def failing_write(added, removed):
            self.before_write()
            if self.fault is not None:
                raise self.fault
            write(added, removed)
            self.writes.append(([row.id for row in added], [*removed]))

        def failing_load():
            if self.load_fault is not None:
                raise self.load_fault
            return load()

        def counted_reopen():
            self.opened += 1
            reopen()
        spool.write, spool.load, spool.reopen = failing_write, failing_load, counted_reopen
        return spool

    def boxes(self, *ids, payload=b'boxes'):
        """Add boxes."""
        for id_ in ids:
            self.writer.added(BOXES, id_, payload, None, False)

    def update(self, *ids, payload=b'update'):
        """Add updates."""
        for id_ in ids:
            self.writer.added(UPDATES, id_, payload, 7, True)

    def gone(self, *ids):
        """Forget messages."""
        for id_ in ids:
            self.writer.gone(id_)

    def flush(self):
        """Flush; return whether that worked."""
        return self.writer.flush(PATIENCE)

    def close(self):
        """Close, in time."""
        assert self.writer.close(PATIENCE)

    def in_file(self):
        """Return the ids in the file, once the writer is closed."""
        return [row.id for row in stored(self.path)]


def stored(path):
    """Return the rows of a closed spool."""
    with contextlib.closing(Spool.open(path, 16 * MIB)) as spool:
        assert not spool.report
        return spool.load()


def wait_for(condition):
    """Wait until it is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, 'it did not come true'
        time.sleep(0.002)


@pytest.fixture
def path(tmp_path):
    """Return where the spool is to be."""
    return str(tmp_path / 'spool' / 'queue')


@pytest.fixture
def rigs(path):
    """Return a function that makes rigs on one path; all are closed in the end."""
    made = []

    def make(*args, start=True, **options):
        made.append(Rig(path, *args, **options))
        return made[-1].start() if start else made[-1]
    yield make
    for rig in made:
        if hasattr(rig, 'writer'):
            rig.writer.close(PATIENCE)


# ---- in order

def test_a_new_spool(rigs):
    rig = rigs()
    assert (rig.rows, rig.next_id, rig.writer.state, rig.writer.reason) == ([], 1, OK, '')
    assert rig.writer.bytes() > 0
    assert rig.flush()
    rig.close()
    assert (rig.writes, rig.changes, rig.reports) == ([], [], [])


def test_rows_of_an_earlier_life_come_back_with_the_next_id(rigs):
    first = rigs(wall=lambda: 1.5e9)
    first.boxes(1, 2)
    first.update(5)
    first.gone(2)
    first.close()
    second = rigs()
    assert second.rows == [
        Row(1, BOXES, None, 1.5e9, b'boxes'), Row(5, UPDATES, 7, 1.5e9, b'update')]
    assert second.next_id == 6
    second.gone(1)
    second.boxes(6)
    second.close()
    assert second.in_file() == [5, 6]


def test_boxes_that_are_gone_in_time_never_touch_the_disk(rigs):
    rig = rigs(interval=0.3)
    before = os.stat(rig.path).st_mtime_ns
    for id_ in range(1, 500):
        rig.boxes(id_)
        rig.gone(id_)
    time.sleep(0.5)
    assert rig.writes == []
    assert os.stat(rig.path).st_mtime_ns == before
    assert not os.path.exists(rig.path + '-wal') or not os.path.getsize(rig.path + '-wal')


def test_a_steady_stream_that_is_acknowledged_in_time_never_touches_the_disk(rigs):
    rig = rigs(interval=0.4)
    for id_ in range(1, 150):
        rig.boxes(id_)
        rig.gone(id_ - 10)
        time.sleep(0.005)
    assert rig.writes == []


def test_boxes_wait_for_their_batch_and_no_longer(rigs):
    rig = rigs(interval=0.2)
    began = time.monotonic()
    rig.boxes(1, 2)
    time.sleep(0.05)
    rig.boxes(3)
    rig.gone(2)
    wait_for(lambda: rig.writes)
    assert time.monotonic() - began >= 0.2
    assert rig.writes == [([1, 3], [])]
    rig.gone(1)
    rig.boxes(4)
    wait_for(lambda: len(rig.writes) == 3)
    assert rig.writes[1:] == [([], [1]), ([4], [])]


def test_removals_wait_for_a_batch_too(rigs):
    rig = rigs(interval=0.2)
    rig.boxes(1, 2, 3)
    assert rig.flush()
    began = time.monotonic()
    rig.gone(1, 2)
    wait_for(lambda: len(rig.writes) == 2)
    assert time.monotonic() - began >= 0.2
    assert rig.writes[1] == ([], [1, 2])


def test_updates_are_written_at_once_with_all_before_them(rigs):
    rig = rigs()
    rig.boxes(1, 2)
    rig.update(3)
    wait_for(lambda: len(rig.writes) == 2)
    assert rig.writes == [([3], []), ([1, 2], [])]


def test_what_was_never_there_may_be_gone(rigs):
    rig = rigs()
    rig.gone(1, 2)
    rig.boxes(3)
    rig.gone(3, 3)
    assert rig.flush()
    assert rig.writes == []


def test_many_messages_are_split_into_transactions(rigs):
    rig = rigs()
    rig.boxes(*range(1, 1201))
    rig.boxes(*range(1201, 1206), payload=bytes(MIB // 2))
    assert rig.flush()
    assert [len(added) for added, _ in rig.writes] == [500, 500, 201, 2, 2]
    rig.gone(*range(1, 1206))
    assert rig.flush()
    assert [len(removed) for _, removed in rig.writes[5:]] == [500, 500, 205]
    assert rig.writer.bytes() < 100000  # and the file has shrunk
    rig.close()
    assert rig.in_file() == []


def test_a_flush_with_nothing_to_write_hurries_nothing_after_it(rigs):
    rig = rigs()
    assert rig.flush()
    rig.boxes(1)
    time.sleep(0.05)
    assert rig.writes == []


def test_payloads_are_not_copied(rigs):
    rig = rigs()
    payload = bytes(1000)
    rig.boxes(1, payload=payload)
    assert rig.writer._rows[1].payload is payload
    rig.gone(1)
    assert not rig.writer._rows
    assert not rig.writer._fresh


def test_the_buffer_does_not_wait_for_a_slow_disk(rigs):
    rig = rigs()
    release = threading.Event()
    rig.before_write = lambda: release.wait(PATIENCE)
    rig.update(1)
    began = time.monotonic()
    for id_ in range(2, 1000):
        rig.boxes(id_)
        rig.gone(id_ - 1)
    assert time.monotonic() - began < 1.0
    assert not rig.writer.flush(0.05)
    assert not rig.writer.close(0.05)
    release.set()
    rig.close()
    assert rig.in_file() == [999]


def test_gone_while_it_is_being_written(rigs):
    rig = rigs()
    writing, release = threading.Event(), threading.Event()

    def hold():
        writing.set()
        release.wait(PATIENCE)
    rig.before_write = hold
    rig.update(1)
    assert writing.wait(PATIENCE)
    rig.gone(1)
    release.set()
    assert rig.flush()
    assert rig.writes == [([1], []), ([], [1])]


def test_close_may_be_called_again_and_flush_after_it(rigs):
    rig = rigs()
    rig.boxes(1)
    rig.close()
    rig.close()
    assert rig.flush()
    rig.boxes(2)
    assert not rig.flush()
    assert rig.in_file() == [1]


@pytest.mark.parametrize('row, wall, monotonic', [
    (100.0, 130.0, 70.0), (100.0, 100.0, 100.0), (100.0, 50.0, 100.0), (1e9, 1e9 + 5, 95.0)])
def test_ages_survive_and_are_never_negative(row, wall, monotonic):
    assert monotonic_time(row, wall=wall, monotonic=100.0) == monotonic


# ---- who may

def test_a_second_writer_is_refused(rigs):
    rigs()
    with pytest.raises(ConfigurationError, match='in use by another bridge'):
        rigs()


# ---- faults

FAULTS = [SpoolError('full', 'the disk is full'), SpoolError('limit', 'the limit is reached'),
          SpoolError('read_only', 'the file is read-only'), SpoolError('io', 'disk I/O error'),
          SpoolError('corrupt', 'malformed')]


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.cause)
def test_it_degrades_goes_on_and_heals(rigs, fault):
    rig = rigs(heal_interval=0.02)
    rig.boxes(1, 2, 3)
    assert rig.flush()
    rig.fault = fault
    rig.gone(1)
    rig.update(4)
    wait_for(lambda: rig.changes)
    assert rig.changes == [(DEGRADED, str(fault))]
    assert (rig.writer.state, rig.writer.reason) == (DEGRADED, str(fault))
    assert not rig.flush()
    rig.boxes(5, 6)
    rig.gone(2, 5)
    time.sleep(0.1)  # some attempts in vain
    assert len(rig.changes) == 1
    rig.fault = None
    wait_for(lambda: rig.writer.state == OK)
    assert rig.changes[1:] == [(OK, '')]
    assert rig.writer.reason == ''
    rig.update(7)
    assert rig.flush()
    rig.close()
    assert rig.in_file() == [3, 4, 6, 7]
    assert (rig.opened == 1) is fault.usable  # the check of the whole file is not for nothing
    assert not rig.reports


def test_the_reason_may_change(rigs):
    rig = rigs(heal_interval=0.02)
    for fault in FAULTS[:2]:
        rig.fault = fault
        rig.boxes(len(rig.changes) + 1)
        rig.flush()
        wait_for(lambda: rig.writer.reason == str(fault))
    assert rig.changes == [(DEGRADED, str(fault)) for fault in FAULTS[:2]]


def test_updates_do_not_hurry_it_while_it_is_degraded(rigs):
    rig = rigs()
    rig.fault = FAULTS[3]
    attempts = []
    rig.before_write = lambda: attempts.append(1)
    for id_ in range(1, 20):
        rig.update(id_)
        wait_for(lambda: rig.writer.state == DEGRADED)
    assert len(attempts) == 1
    rig.fault = None
    assert rig.flush()
    assert rig.writer.state == OK


def test_a_failure_between_two_transactions(rigs):
    rig = rigs(heal_interval=0.02)
    rig.boxes(*range(1, 1801))
    budget = [2]

    def fail_after_two():
        budget[0] -= 1
        rig.fault = SpoolError('full', 'the disk is full') if budget[0] < 0 else None
    rig.before_write = fail_after_two
    assert not rig.flush()
    rig.gone(3, 4, 1700)
    budget[0] = 10**6
    rig.fault = None
    wait_for(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [id_ for id_ in range(1, 1801) if id_ not in (3, 4, 1700)]
    assert sum(len(added) for added, _ in rig.writes) == 1799


def test_a_real_limit_keeps_updates_first_and_heals_as_it_drains(rigs):
    rig = rigs(MIB, heal_interval=0.05)
    rig.boxes(*range(1, 1001), payload=bytes(3000))
    assert not rig.flush()
    assert rig.writer.reason == f'spool_max_bytes ({MIB}) is reached'
    rig.gone(*range(1, 200))
    rig.update(1001)
    assert not rig.flush()
    assert rig.writes[-1][0] == [1001]  # there was no room for the boxes
    rig.gone(*range(200, 901))
    wait_for(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [*range(901, 1002)]
    assert os.path.getsize(rig.path) <= MIB


def test_a_bug_costs_the_spool_not_the_thread(rigs):
    rig = rigs(heal_interval=0.02)
    rig.fault = RuntimeError('a bug')
    rig.update(1)
    wait_for(lambda: rig.writer.reason == 'RuntimeError: a bug')
    rig.fault = None
    wait_for(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [1]


def test_callbacks_that_fail_are_nothing_to_it(path):
    def fail(*_):
        raise RuntimeError('the loop is closed')
    writer, _, _ = SpoolWriter.open(path, MIB, on_change=fail, heal_interval=NEVER)
    writer._spool.close()
    writer.added(UPDATES, 1, b'update', 1, True)
    wait_for(lambda: writer.state == DEGRADED)
    assert writer.flush(PATIENCE)
    assert writer.state == OK
    assert writer.close(PATIENCE)


@pytest.mark.parametrize('damage', [b'garbage' * 3000, b''])
def test_corrupt_while_running(rigs, path, damage):
    rig = rigs(heal_interval=0.02)
    rig.boxes(1, 2, 3)
    assert rig.flush()
    rig.gone(2)
    with open(path + '.new', 'wb') as file:
        file.write(damage)
    os.rename(path + '.new', path)
    rig.update(4)
    wait_for(lambda: [state for state, _ in rig.changes] == [DEGRADED, OK])
    assert len(rig.reports) == bool(damage)
    assert all('was corrupt' in report for report in rig.reports)
    rig.close()
    assert rig.in_file() == [1, 3, 4]


def test_bytes_flipped_while_running(rigs, path):
    rig = rigs(heal_interval=0.02)
    chance = random.Random(8)
    rig.boxes(*range(1, 301), payload=bytes(2000))
    assert rig.flush()
    expected = list(range(1, 301))
    for round_ in range(20):
        with open(path, 'r+b') as file:
            file.seek(chance.randrange(os.path.getsize(path)))
            file.write(b'\xa5')
        rig.fault = SpoolError('io', 'disk I/O error')  # what SQLite says of it, sooner or later
        rig.gone(expected.pop(0))
        assert not rig.flush()
        rig.fault = None
        wait_for(lambda: rig.writer.state == OK)
        rig.boxes(301 + round_)
        expected.append(301 + round_)
        assert rig.flush()
    assert rig.reports
    rig.close()
    assert rig.in_file() == expected


def test_a_corrupt_file_at_the_start_is_reported(rigs, path):
    os.mkdir(os.path.dirname(path), 0o700)
    with open(path, 'wb') as file:
        file.write(b'garbage')
    rig = rigs()
    assert (rig.rows, rig.next_id, rig.writer.state) == ([], 1, OK)
    assert len(rig.reports) == 1
    rig.boxes(1)
    rig.close()
    assert rig.in_file() == [1]


# ---- a spool that cannot be read at the start

def earlier_life(rigs, *ids):
    """Leave boxes of an earlier life in the file."""
    rig = rigs()
    rig.boxes(*ids)
    rig.close()


@pytest.mark.parametrize('fault', ['open_fault', 'load_fault'])
def test_rows_that_can_be_read_only_later(rigs, fault):
    earlier_life(rigs, 3, 5)
    rig = rigs(start=False)
    setattr(rig, fault, SpoolError('read_only', 'Read-only file system'))
    rig.start()
    assert (rig.rows, rig.next_id) == ([], 1)
    assert rig.changes == [(DEGRADED, 'Read-only file system')]
    assert (rig.writer.bytes() == 0) is (fault == 'open_fault')
    rig.boxes(1, 2, 3)
    rig.gone(2)
    assert not rig.flush()
    setattr(rig, fault, None)
    assert rig.flush()
    assert rig.changes[1:] == [(OK, '')]
    (late,) = rig.late
    assert [row.id for row in late] == [-2, 0]
    assert [row.payload for row in late] == [b'boxes', b'boxes']
    rig.boxes(4)
    rig.gone(-2, 1)
    rig.close()
    assert rig.in_file() == [5, 8, 9]  # the file's own ids go on counting
    again = rigs()
    assert [row.id for row in again.rows] == [5, 8, 9]
    assert again.next_id == 10


def test_a_failure_right_after_the_late_rows_does_not_lose_them(rigs, monkeypatch):
    earlier_life(rigs, 1, 2)
    rig = rigs(start=False, heal_interval=0.02)
    rig.load_fault = SpoolError('io', 'disk I/O error')
    failures = [SpoolError('io', 'disk I/O error')] * 3
    ids = Spool.ids

    def failing_ids(spool):
        if failures:
            raise failures.pop()
        return ids(spool)
    monkeypatch.setattr(Spool, 'ids', failing_ids)
    rig.start()
    rig.boxes(1)
    rig.load_fault = None
    wait_for(lambda: rig.writer.state == OK)
    assert [[row.id for row in late] for late in rig.late] == [[-1, 0]]
    rig.close()
    assert rig.in_file() == [1, 2, 3]


def test_nothing_there_later(rigs):
    rig = rigs(start=False, heal_interval=0.02)
    rig.open_fault = SpoolError('io', 'No space left on device')
    rig.start()
    rig.boxes(1)
    rig.open_fault = None
    wait_for(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.late == []
    assert rig.in_file() == [1]


def test_what_a_person_has_to_put_right_does_not_end_a_running_bridge(rigs, path):
    rig = rigs(heal_interval=0.02)
    os.chmod(os.path.dirname(path), 0o777)
    rig.fault = SpoolError('io', 'disk I/O error')
    rig.update(1)
    wait_for(lambda: 'others may write' in rig.writer.reason)
    rig.fault = None
    os.chmod(os.path.dirname(path), 0o700)
    wait_for(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [1]


def test_closed_while_it_never_worked(rigs):
    rig = rigs(start=False)
    rig.open_fault = SpoolError('io', 'disk I/O error')
    rig.start()
    rig.boxes(1)
    rig.close()
    assert rig.writer.bytes() == 0


def test_closing_is_the_last_attempt_to_heal(rigs):
    rig = rigs()
    rig.fault = SpoolError('io', 'disk I/O error')
    rig.boxes(1)
    assert not rig.flush()
    rig.fault = None
    rig.close()
    assert rig.in_file() == [1]


# ---- the end of the process

VICTIM = """
    import os, random, sys, time
    from camera_ws_bridge.spool_writer import SpoolWriter
    path, log, seed = sys.argv[1:]
    chance = random.Random(seed)
    log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    reports = []
    writer, rows, next_id = SpoolWriter.open(path, 2**24, interval=0.005, on_report=reports.append)
    assert not reports and writer.state == 'ok'
    alive = [row.id for row in rows]
    os.write(log, b'%r %r\\n' % (next_id, alive))
    while True:
        for _ in range(chance.randrange(30)):
            urgent = chance.random() < 0.2
            os.write(log, b'+%d\\n' % next_id)
            lane = 'updates' if urgent else 'boxes'
            writer.added(lane, next_id, b'%d ' % next_id * 99, 1, urgent)
            alive.append(next_id)
            next_id += 1
        for _ in range(chance.randrange(25)):
            if alive:
                os.write(log, b'-%d\\n' % alive[0])
                writer.gone(alive.pop(0))
        if chance.random() < 0.3 and writer.flush(60):
            os.write(log, b'flushed %r\\n' % alive)
        time.sleep(0.001)
"""


def test_a_killed_bridge_finds_all_that_was_flushed_in_order(tmp_path, path):
    chance = random.Random(9)
    log = str(tmp_path / 'log')
    flushes = 0
    for kill in range(15):
        process = subprocess.Popen(
            [sys.executable, '-c', textwrap.dedent(VICTIM), path, log, str(kill)])
        wait_for(lambda: process.poll() is not None or (
            os.path.exists(log) and os.path.getsize(log)))
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.wait()
        with open(log) as file:
            lines = file.read().splitlines()
        os.unlink(log)
        flushed = [place for place, line in enumerate(lines) if line.startswith('flushed')]
        flushes += len(flushed)
        start = flushed[-1] if flushed else 0
        safe = {int(id_) for id_ in lines[start].partition('[')[2].rstrip(']').split(', ') if id_}
        gone = {int(line[1:]) for line in lines[start:] if line.startswith('-')}
        added = {int(line[1:]) for line in lines[start:] if line.startswith('+')}
        rows = stored(path)
        found = [row.id for row in rows]
        assert found == sorted(set(found))
        assert safe - gone <= set(found) <= safe | added
        assert all(row.payload == b'%d ' % row.id * 99 for row in rows)
    assert flushes > 10


# ---- all of it together

class Machine(RuleBasedStateMachine):
    """A writer beside what was flushed and what was not."""

    @initialize()
    def begin(self):
        """Make an empty one."""
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, 'spool', 'queue')
        self.alive = {}  # what the buffer holds
        self.saved = {}  # what is in the file
        self.start()

    def start(self):
        """Start, perhaps on what an earlier life left."""
        self.rig = Rig(self.path).start()
        rows = {row.id: row.payload for row in self.rig.rows}
        assert [*rows] == sorted(rows)
        assert rows == self.saved
        assert self.rig.next_id == max([0, *rows]) + 1
        assert not self.rig.reports
        self.next_id = self.rig.next_id
        self.alive = rows

    def teardown(self):
        """Remove the files."""
        if hasattr(self, 'rig'):
            self.rig.close()
            shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 5), size=st.sampled_from([8, 5000]))
    def boxes(self, count, size):
        """Accept boxes; not urgent, so that they are written with a flush only."""
        for _ in range(count):
            self.alive[self.next_id] = (b'%08d' % self.next_id).ljust(size)
            self.rig.boxes(self.next_id, payload=self.alive[self.next_id])
            self.next_id += 1

    @rule(data=st.data())
    def gone(self, data):
        """Acknowledge or drop some."""
        for id_ in data.draw(st.lists(st.sampled_from(sorted(self.alive) or [10**6]), max_size=5)):
            self.alive.pop(id_, None)
            self.rig.gone(id_)

    @rule()
    def flush(self):
        """Write, or fail to."""
        done = self.rig.flush()
        if self.rig.fault is None:
            assert done
            self.saved = dict(self.alive)
            assert self.rig.writer.state == OK

    @rule(fault=st.sampled_from([*FAULTS, None]))
    def fault(self, fault):
        """Let the disk fail, or work again."""
        self.rig.fault = fault

    @rule()
    def restart(self):
        """End in order and start again."""
        if self.rig.fault is None:
            self.saved = dict(self.alive)
        self.rig.close()
        self.start()

    @rule()
    def crash(self):
        """Start again from the files as they are at this moment."""
        copy = self.path + '.copy'
        for suffix in ('', '-wal'):
            if os.path.exists(self.path + suffix):
                shutil.copy(self.path + suffix, copy + suffix)
        self.rig.fault = SpoolError('io', 'the end is near')
        self.rig.close()
        for suffix in ('', '-wal'):
            if os.path.exists(copy + suffix):
                os.rename(copy + suffix, self.path + suffix)
        self.start()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)


def test_the_defaults_are_those_of_the_documentation():
    assert spool_writer.SpoolWriter.open.__kwdefaults__['interval'] == 0.5
    assert spool_writer.SpoolWriter.open.__kwdefaults__['heal_interval'] == 5.0
