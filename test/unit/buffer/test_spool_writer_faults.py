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

"""The writer goes on in memory while the file is of no use, and catches up."""

import os
import random

from camera_ws_bridge.buffer.outbox import Item, UPDATES
from camera_ws_bridge.buffer.spool.spool import Spool, SpoolError
from camera_ws_bridge.buffer.spool.writer import DEGRADED, OK, SpoolWriter, Timing
import pytest
from rigs.shared import wait_until
from rigs.spool_writer_rig import FAULTS, MIB, NEVER, PATIENCE


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.cause)
def test_it_degrades_goes_on_and_heals(rigs, fault):
    rig = rigs(heal_interval=0.02)
    rig.boxes(1, 2, 3)
    assert rig.flush()
    rig.fault = fault
    rig.gone(1)
    rig.update(4)
    wait_until(lambda: rig.changes)
    assert rig.changes == [(DEGRADED, str(fault))]
    assert (rig.writer.state, rig.writer.reason) == (DEGRADED, str(fault))
    assert not rig.flush()
    rig.boxes(5, 6)
    rig.gone(2, 5)
    attempts = []
    rig.before_write = lambda: attempts.append(1)
    wait_until(lambda: len(attempts) > 3)  # in vain
    assert len(rig.changes) == 1
    rig.fault = None
    wait_until(lambda: rig.writer.state == OK)
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
        wait_until(lambda: rig.writer.reason == str(fault))
    assert rig.changes == [(DEGRADED, str(fault)) for fault in FAULTS[:2]]


def test_updates_do_not_hurry_it_while_it_is_degraded(rigs):
    rig = rigs()
    rig.fault = FAULTS[3]
    attempts = []
    rig.before_write = lambda: attempts.append(1)
    for id_ in range(1, 20):
        rig.update(id_)
        wait_until(lambda: rig.writer.state == DEGRADED)
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
    wait_until(lambda: rig.writer.state == OK)
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
    wait_until(lambda: rig.writes)
    assert rig.writes[-1][0] == [1001]  # there was no room for the boxes
    rig.gone(*range(200, 901))
    wait_until(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [*range(901, 1002)]
    assert os.path.getsize(rig.path) <= MIB


def test_a_bug_costs_the_spool_not_the_thread(rigs):
    rig = rigs(heal_interval=0.02)
    rig.fault = RuntimeError('a bug')
    rig.update(1)
    wait_until(lambda: rig.writer.reason == 'RuntimeError: a bug')
    rig.fault = None
    wait_until(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.in_file() == [1]


def test_callbacks_that_fail_are_nothing_to_it(path):
    class Listener:

        def changed(self, *_):
            raise RuntimeError('the loop is closed')
    writer, _, _ = SpoolWriter.open(path, MIB, Listener(), Timing(heal_interval=NEVER))
    writer._spool.close()
    writer.added(UPDATES, Item(1, b'update', 0.0, 1))
    wait_until(lambda: writer.state == DEGRADED)
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
    wait_until(lambda: [state for state, _ in rig.changes] == [DEGRADED, OK])
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
        wait_until(lambda: rig.writer.state == OK)
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
    wait_until(lambda: rig.writer.state == OK)
    assert [[row.id for row in late] for late in rig.late] == [[-1, 0]]
    rig.close()
    assert rig.in_file() == [1, 2, 3]


def test_nothing_there_later(rigs):
    rig = rigs(start=False, heal_interval=0.02)
    rig.open_fault = SpoolError('io', 'No space left on device')
    rig.start()
    rig.boxes(1)
    rig.open_fault = None
    wait_until(lambda: rig.writer.state == OK)
    rig.close()
    assert rig.late == []
    assert rig.in_file() == [1]


def test_what_a_person_has_to_put_right_does_not_end_a_running_bridge(rigs, path):
    rig = rigs(heal_interval=0.02)
    os.chmod(os.path.dirname(path), 0o777)
    rig.fault = SpoolError('io', 'disk I/O error')
    rig.update(1)
    wait_until(lambda: 'others may write' in rig.writer.reason)
    rig.fault = None
    os.chmod(os.path.dirname(path), 0o700)
    wait_until(lambda: rig.writer.state == OK)
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
