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

"""Files of other versions of this bridge, and the note beside the messages."""

import contextlib
import os
import sqlite3
import zlib

from camera_ws_bridge.buffer.outbox import BOXES, UPDATES
from camera_ws_bridge.buffer.spool import table
from camera_ws_bridge.buffer.spool.spool import Row, Spool
from camera_ws_bridge.errors import ConfigurationError
import pytest
from rigs.spool_rig import aside, boxes, MIB, mixed, reopened, update

# What version 1 of the file was, as its bridges wrote it.
TABLE_1 = (
    'CREATE TABLE messages (id INTEGER PRIMARY KEY, lane TEXT NOT NULL, object_id INTEGER, '
    'accepted_at REAL NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL)')
ROWS_1 = [(1, UPDATES, 7, 1.5e9, b'update'), (2, BOXES, None, 1.5e9, b'boxes'),
          *((id_, BOXES, None, 1.5e9, bytes(3000)) for id_ in range(3, 40))]


def write_version_1(path, rows=ROWS_1):
    """Write a file as version 1 of the bridge did."""
    os.mkdir(os.path.dirname(path), 0o700)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ('PRAGMA page_size = 4096', 'PRAGMA auto_vacuum = INCREMENTAL',
                          'PRAGMA journal_mode = WAL', TABLE_1, 'PRAGMA user_version = 1'):
            connection.execute(statement)
        for row in rows:
            crc = zlib.crc32(row[4], zlib.crc32(repr(row[:4]).encode()))
            connection.execute('INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)', (*row, crc))
    os.chmod(path, 0o600)


def edit(path, *statements):
    """Change the file as another program would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def version(path):
    """Return the version that stands in the file itself, not only in the log beside it."""
    with open(path, 'rb') as file:
        return int.from_bytes(file.read(100)[60:64], 'big')


@pytest.mark.parametrize('max_bytes', (4 * MIB, 1))
def test_a_file_of_version_1_is_brought_up_to_date(path, max_bytes):
    write_version_1(path)
    assert version(path) == 1
    spool = Spool.open(path, max_bytes)
    assert version(path) == table.VERSION == 2
    expected = [Row(*row, session=0) for row in ROWS_1]
    assert (spool.load(), spool.note(), spool.report) == (expected, b'', '')
    spool.write([update(100)._replace(session=5)], [3], b'noted')
    spool.close()
    spool = Spool.open(path, 4 * MIB)
    assert spool.load() == [*expected[:2], *expected[3:], update(100)._replace(session=5)]
    assert (spool.note(), spool.report, aside(path)) == (b'noted', '', [])
    spool.close()


def test_a_file_cannot_be_told_from_one_that_was_made_new(path, tmp_path):
    write_version_1(path, [])
    Spool.open(path, MIB).close()
    new = str(tmp_path / 'new' / 'spool')
    Spool.open(new, MIB).close()
    definitions = []
    for each in (path, new):
        with contextlib.closing(sqlite3.connect(each)) as connection:
            definitions.append(connection.execute('SELECT sql FROM sqlite_master').fetchall())
    assert definitions[0] == definitions[1]


@pytest.mark.parametrize('statement, reason', [
    ('PRAGMA user_version = 2', 'bad header'), ('PRAGMA user_version = 77', 'bad header'),
    ("UPDATE messages SET payload = 'x' WHERE id = 2", 'checksum')])
def test_what_is_readable_of_a_damaged_file_of_version_1_is_carried_over(path, statement, reason):
    write_version_1(path)
    edit(path, statement)
    rows, report = reopened(path)
    damaged = {2} if reason == 'checksum' else set()
    assert rows == [Row(*row) for row in ROWS_1 if row[0] not in damaged]
    assert reason in report


def test_sessions_survive_damage_elsewhere(spool, path):
    rows = [row._replace(session=row.id % 3) for row in mixed(1, 50)]
    spool.write(rows, ())
    spool.close()
    edit(path, 'PRAGMA user_version = 1')
    assert reopened(path)[0] == rows


def test_a_session_that_was_damaged_is_found(spool, path):
    spool.write([boxes(1)._replace(session=5), boxes(2), boxes(3)._replace(session=5)], ())
    spool.close()
    edit(path, 'UPDATE messages SET session = 6 WHERE id = 1',
         'UPDATE messages SET session = 5 WHERE id = 2')
    rows, report = reopened(path)
    assert [row.id for row in rows] == [3]
    assert 'checksum' in report


def test_a_bridge_of_version_1_refuses_this_file(spool, path, monkeypatch):
    spool.close()
    monkeypatch.setattr(table, 'VERSION', 1)
    monkeypatch.setattr(table, 'LAYOUTS', {1: table.LAYOUTS[1]})
    with pytest.raises(ConfigurationError, match='newer version of this bridge: install'):
        Spool.open(path, MIB)


# ---- the note

def test_a_note_is_replaced_and_stays(spool):
    assert spool.note() == b''
    for content in (b'first', b'x' * 20000, b''):
        spool.write([], (), content)
        spool.write([update(1)], ())
        spool.reopen()
        assert spool.note() == content


def test_a_note_survives_damage_elsewhere(spool, path):
    spool.write([boxes(1)], (), b'noted')
    spool.close()
    edit(path, "UPDATE messages SET payload = 'x'")
    spool = Spool.open(path, MIB)
    assert (spool.load(), spool.note()) == ([], b'noted')
    assert 'corrupt' in spool.report
    spool.close()


def test_a_damaged_note_is_none(spool, path):
    spool.write([boxes(1)], (), b'noted')
    for statement in ("UPDATE note SET content = x'00'", 'UPDATE note SET content = 5'):
        spool.close()
        edit(path, statement)
        spool = Spool.open(path, MIB)
        assert (spool.note(), spool.load(), spool.report) == (b'', [boxes(1)], '')
    spool.close()
