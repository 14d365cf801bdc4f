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

"""The spool over kills, restarts and crashes, in any order."""

import ast
import os
import random
import shutil
import tempfile
import time

from camera_ws_bridge.buffer.outbox import BOXES, UPDATES
from camera_ws_bridge.buffer.spool.spool import Row, Spool, SpoolError
from hypothesis import settings, strategies as st
from hypothesis.stateful import initialize, invariant, rule, RuleBasedStateMachine
from rigs.shared import wait_until
from rigs.spool_rig import crash, in_process, MIB


# ---- the end of the process

WRITER = """
    import random
    path, log, seed, next_id = sys.argv[1:]
    chance, next_id = random.Random(seed), int(next_id)
    log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    spool = Spool.open(path, 2**24)
    assert not spool.report, spool.report
    ids = spool.ids()
    while True:
        added = [
            Row(id_, chance.choice(('boxes', 'updates')), None, 1.5, b'%d ' % id_ * (id_ % 999))
            for id_ in range(next_id, next_id + chance.randrange(1, 20))]
        removed = ids[:chance.randrange(20)]
        next_id += len(added)
        ids = ids[len(removed):] + [row.id for row in added]
        os.write(log, b'%r\\n' % ids)
        spool.write(added, removed)
        os.write(log, b'done\\n')
        if chance.random() < 0.2:
            spool.shrink()
"""


def test_a_killed_process_loses_nothing_that_was_written(tmp_path, path):
    chance = random.Random(7)
    log = str(tmp_path / 'log')
    next_id, state, writes = 1, [], 0
    for kill in range(30):
        process = in_process(WRITER, path, log, str(kill), str(next_id))
        wait_until(lambda: os.path.exists(log) and os.path.getsize(log), 'it writes')
        time.sleep(chance.uniform(0, 0.08))
        process.kill()
        process.communicate()
        with open(log, 'rb') as file:
            # A line that the kill has cut off was not followed by its write.
            lines = file.read().split(b'\n')[:-1]
        os.unlink(log)
        states = [state] + [ast.literal_eval(line.decode()) for line in lines if line != b'done']
        done = lines.count(b'done')
        writes += done
        spool = Spool.open(path, 16 * MIB)
        rows, report = spool.load(), spool.report
        spool.close()
        state = [row.id for row in rows]
        # The last write that returned, or the one that was under way.
        assert state in states[done:]
        assert all(row.payload == b'%d ' % row.id * (row.id % 999) for row in rows)
        assert not report
        next_id = max([next_id, *(id_ for ids in states for id_ in ids[-1:])]) + 1
    assert writes > 100


# ---- all of it together

class Machine(RuleBasedStateMachine):
    """A spool beside a dictionary of what it should hold."""

    @initialize()
    def begin(self):
        """Make an empty one."""
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, 'spool', 'queue')
        self.spool = Spool.open(self.path, MIB // 4)
        self.rows = {}
        self.next_id = 1

    def teardown(self):
        """Remove the files."""
        if hasattr(self, 'spool'):
            self.spool.close()
            shutil.rmtree(self.folder)

    @rule(sizes=st.lists(st.sampled_from([0, 10, 2000, 4090, 30000]), max_size=6),
          lane=st.sampled_from([BOXES, UPDATES]), data=st.data())
    def write(self, sizes, lane, data):
        """Write; what does not fit changes nothing."""
        removed = data.draw(st.lists(st.sampled_from(sorted(self.rows) or [0]), max_size=6))
        added = [Row(self.next_id + place, lane, None if lane == BOXES else place, 0.1 * place,
                     bytes(size)) for place, size in enumerate(sizes)]
        self.next_id += len(added)
        try:
            self.spool.write(added, removed)
        except SpoolError as error:
            assert error.cause == 'limit'
            assert sum(len(row.payload) for row in [*self.rows.values(), *added]) > MIB // 10
            return
        self.rows.update((row.id, row) for row in added)
        for id_ in removed:
            self.rows.pop(id_, None)

    @rule()
    def shrink(self):
        """Give free pages back."""
        self.spool.shrink()

    @rule()
    def reopen(self):
        """Open it anew, as after an error."""
        self.spool.reopen()
        assert not self.spool.report

    @rule()
    def restart(self):
        """End in order and start again."""
        self.spool.close()
        self.spool = Spool.open(self.path, MIB // 4)
        assert not self.spool.report

    @rule()
    def crash(self):
        """Start again from the files as they are at this moment."""
        with crash(self.path):
            self.spool.close()
        self.spool = Spool.open(self.path, MIB // 4)
        assert not self.spool.report

    @invariant()
    def holds_what_it_should(self):
        """Compare."""
        if hasattr(self, 'spool'):
            assert self.spool.load() == [self.rows[id_] for id_ in sorted(self.rows)]
            assert os.path.getsize(self.path) <= MIB // 4


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
