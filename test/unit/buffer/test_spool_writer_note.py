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

"""The note goes into the file with the rows that it belongs to, and never alone."""

import contextlib

from camera_ws_bridge.buffer.outbox import Item, UPDATES
from camera_ws_bridge.buffer.spool.spool import Spool, SpoolError
from rigs.spool_writer_rig import MIB, Rig


def noted(path):
    """Return the note in a closed spool."""
    with contextlib.closing(Spool.open(path, MIB)) as spool:
        return spool.note()


def test_a_note_waits_for_the_next_row_and_is_found_again(path):
    rig = Rig(path).start()
    assert rig.writer.found_note == b''
    rig.writer.note(b'first')
    assert rig.flush()
    assert not rig.writes, 'nothing touches the disk for a note alone'
    rig.writer.added(UPDATES, Item(1, b'update', 0.0, 7, 5))
    assert rig.flush()
    assert len(rig.writes) == 1
    rig.close()
    rig = Rig(path).start()
    assert rig.writer.found_note == b'first'
    assert [row.session for row in rig.rows] == [5]
    rig.close()
    assert len(rig.writes) == 0


def test_the_newest_note_is_in_the_file_at_the_end(path):
    rig = Rig(path).start()
    rig.writer.note(b'first')
    rig.update(1)
    assert rig.flush()
    rig.writer.note(b'second')
    rig.gone(1)
    assert rig.flush()
    rig.writer.note(b'third')
    rig.close()
    assert noted(path) == b'third'


def test_a_note_is_written_again_after_a_failure(path):
    rig = Rig(path).start()
    rig.writer.note(b'noted')
    rig.update(1)
    assert rig.flush()
    rig.fault = SpoolError('corrupt', 'malformed')
    rig.update(2)
    assert not rig.flush()
    rig.fault = None
    assert rig.flush()
    rig.close()
    assert noted(path) == b'noted'
    assert rig.in_file() == [1, 2]


def test_where_the_file_cannot_be_read_nothing_is_found(path):
    rig = Rig(path)
    rig.load_fault = SpoolError('io', 'disk I/O error')
    rig.start()
    assert rig.writer.found_note == b''
    rig.close()
