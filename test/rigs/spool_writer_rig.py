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

"""A SpoolWriter on a spool that fails on demand."""

import contextlib
import threading

from camera_ws_bridge.buffer.outbox import BOXES, Item, UPDATES
from camera_ws_bridge.buffer.spool.spool import Spool, SpoolError
from camera_ws_bridge.buffer.spool.writer import SpoolWriter, Timing
from rigs.shared import wait_until

MIB = 2**20
NEVER = 3600.0  # seconds; longer than any test
PATIENCE = 20.0  # seconds

FAULTS = [SpoolError('full', 'the disk is full'), SpoolError('limit', 'the limit is reached'),
          SpoolError('read_only', 'the file is read-only'), SpoolError('io', 'disk I/O error'),
          SpoolError('corrupt', 'malformed')]


class Rig:
    """A SpoolWriter, what it said, and a spool that fails on demand."""

    def __init__(self, path, max_bytes=16 * MIB, **options):
        """Open it; options of Timing."""
        self.path = path
        self.max_bytes = max_bytes
        self.timing = Timing(**{'interval': NEVER, 'heal_interval': NEVER, **options})
        self.changes = []
        self.reports = []
        self.late = []
        self.writes = []  # (ids added, ids removed) of each
        self.opened = 0
        self.open_fault = None
        self.fault = None  # raised by the next writes
        self.load_fault = None
        self.before_write = lambda: None
        self.waits = 0  # how often the thread went to sleep, once pass_time has been called

    def start(self):
        """Open the writer; return itself."""
        self.writer, self.rows, self.next_id = SpoolWriter.open(
            self.path, self.max_bytes, self, self.timing, self.open_spool)
        return self

    def changed(self, *change):
        """Note a change of state."""
        self.changes.append(change)

    def reported(self, text):
        """Note a report."""
        self.reports.append(text)

    def came_late(self, rows):
        """Note rows that came late."""
        self.late.append(rows)

    def open_spool(self, path, max_bytes):
        """Open a spool whose methods can be made to fail."""
        self.opened += 1
        if self.open_fault is not None:
            raise self.open_fault
        spool = Spool.open(path, max_bytes)
        write, load, reopen = spool.write, spool.load, spool.reopen

        def failing_write(added, removed, note=None):
            self.before_write()
            if self.fault is not None:
                raise self.fault
            write(added, removed, note)
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
            self.writer.added(BOXES, Item(id_, payload, 0.0, None))

    def update(self, *ids, payload=b'update'):
        """Add updates."""
        for id_ in ids:
            self.writer.added(UPDATES, Item(id_, payload, 0.0, 7))

    def gone(self, *ids):
        """Forget messages."""
        for id_ in ids:
            self.writer.gone(id_)

    def pass_time(self, seconds):
        """Move the Clock; wait until the thread has done what is due by then."""
        condition = self.writer._condition
        if not self.waits:
            self.count_waits(condition)
        with condition:
            self.timing.clock.now += seconds
            waits = self.waits
            condition.notify_all()
        wait_until(lambda: self.waits > waits)

    def count_waits(self, condition):
        """Count how often the thread waits for time to pass."""
        wait = condition.wait

        def counted_wait(timeout=None):
            self.waits += threading.current_thread() is self.writer._thread
            return wait(timeout)
        condition.wait = counted_wait

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
