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

"""The writer over kills, restarts and crashes, in any order."""

import os
import random
import shutil
import tempfile
import time

from camera_ws_bridge.buffer.spool.spool import SpoolError
from camera_ws_bridge.buffer.spool.writer import OK
from hypothesis import settings, strategies as st
from hypothesis.stateful import initialize, rule, RuleBasedStateMachine
from rigs.shared import wait_until
from rigs.spool_rig import crash, in_process
from rigs.spool_writer_rig import FAULTS, Rig, stored


# ---- the end of the process

VICTIM = """
    import random, time
    from camera_ws_bridge.buffer.outbox import Item
    from camera_ws_bridge.buffer.spool.writer import SpoolWriter, Timing
    path, log, seed = sys.argv[1:]
    chance = random.Random(seed)
    log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    reports = []
    class Listener:
        def changed(self, state, reason):
            reports.append(reason)
        reported = came_late = reports.append
    writer, rows, next_id = SpoolWriter.open(path, 2**24, Listener(), Timing(interval=0.005))
    assert not reports and writer.state == 'ok'
    alive = [row.id for row in rows]
    os.write(log, b'%r %r\\n' % (next_id, alive))
    while True:
        for _ in range(chance.randrange(30)):
            urgent = chance.random() < 0.2
            os.write(log, b'+%d\\n' % next_id)
            lane = 'updates' if urgent else 'boxes'
            writer.added(lane, Item(next_id, b'%d ' % next_id * 99, 0.0, 1))
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
        process = in_process(VICTIM, path, log, str(kill))
        wait_until(lambda: process.poll() is not None or (
            os.path.exists(log) and os.path.getsize(log)))
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.communicate()
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
        with crash(self.path):
            self.rig.fault = SpoolError('io', 'the end is near')
            self.rig.close()
        self.start()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
