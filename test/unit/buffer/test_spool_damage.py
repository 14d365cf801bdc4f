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

"""A damaged file costs no more than what was hit, and never a wrong message."""

import os
import random
import shutil
import sqlite3

from camera_ws_bridge.buffer.spool import files, table
from camera_ws_bridge.buffer.spool.spool import MAGIC, Spool
from camera_ws_bridge.errors import ConfigurationError
import pytest
from rigs.spool_rig import aside, boxes, MIB, mixed, mode, reopened, update


GARBAGE = [
    b'x', b'not a database' * 1000, MAGIC, MAGIC + bytes(84),
    MAGIC + b'\xff' * 9000]


@pytest.mark.parametrize('garbage', GARBAGE)
def test_garbage_is_put_aside_with_what_belongs_to_it(path, garbage):
    os.mkdir(os.path.dirname(path), 0o700)
    for suffix, content in (('', garbage), ('-wal', b'log' * 1000)):
        with open(path + suffix, 'wb') as file:
            file.write(content)
    spool = Spool.open(path, MIB)
    assert spool.load() == []
    moved = aside(path, beside=True)
    assert moved[0].endswith('Z')
    assert moved[1:] == [moved[0] + '-wal']
    assert os.path.basename(moved[0]) in spool.report
    assert 'was corrupt' in spool.report
    assert '0 of its 0' in spool.report
    for name, content in zip(moved, (garbage, b'log' * 1000)):
        with open(name, 'rb') as file:
            assert file.read() == content
    assert mode(moved[0]) == 0o600
    spool.write([update(1)], ())
    spool.reopen()
    assert (spool.load(), spool.report) == ([update(1)], '')
    spool.close()


def test_the_log_is_moved_along(path):
    os.mkdir(os.path.dirname(path), 0o700)
    for suffix in ('', '-wal', '-shm'):
        with open(path + suffix, 'wb') as file:
            file.write(b'garbage' * 1000)
    reopened(path)
    moved = aside(path, beside=True)
    assert moved == [moved[0], moved[0] + '-shm', moved[0] + '-wal']


def test_only_the_newest_are_kept_aside(path, monkeypatch):
    os.mkdir(os.path.dirname(path), 0o700)
    for number in range(12):
        with open(path, 'wb') as file:
            file.write(b'garbage %d' % number)
        with open(path + '-shm', 'wb') as file:
            file.write(b'garbage')
        monkeypatch.setattr(files.time, 'gmtime', lambda: (2026, 1, 1, 0, 0, 0, 0, 1, 0))
        reopened(path)
    moved = [f'{path}.corrupt-20260101T000000Z-{number}' for number in (10, 11, 9)]
    assert aside(path) == moved
    assert [name for name in aside(path, beside=True) if name.endswith('-shm')] == [
        name + '-shm' for name in moved]
    with open(path + '.corrupt-20260101T000000Z-11', 'rb') as file:
        assert file.read() == b'garbage 11'


def edit(path, *statements):
    """Change the file as another program would."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize('statement', [
    'CREATE TABLE other (id INTEGER)', 'DROP TABLE messages',
    'ALTER TABLE messages ADD COLUMN more TEXT', 'CREATE INDEX lanes ON messages (lane)'])
def test_a_wrong_layout_is_put_aside(spool, path, statement):
    spool.close()
    edit(path, statement)
    rows, report = reopened(path)
    assert rows == []
    assert 'its tables are not those of a spool' in report
    assert len(aside(path)) == 1


def test_definitions_that_are_no_text_are_put_aside(spool, path):
    """For those SQLite has an error that quotes them, which Python cannot decode."""
    spool.close()
    with open(path, 'r+b') as file:
        data = file.read().replace(b'CREATE TABLE', b'CREATE \xa0ABLE')
        file.seek(0)
        file.write(data)
    rows, report = reopened(path)
    assert rows == []
    assert 'the spool was corrupt' in report
    assert len(aside(path)) == 1


@pytest.mark.parametrize('error', [
    UnicodeDecodeError('utf-8', b'\xa0', 0, 1, 'invalid start byte'),
    sqlite3.DatabaseError()])  # Python 3.10's
def test_an_error_that_cannot_quote_them_means_damage(error):
    assert table.sqlite_failure(error).cause == 'corrupt'


def test_readable_rows_of_a_corrupt_file_are_carried_over(spool, path):
    rows = mixed(1, 1200)
    spool.write(rows, ())
    spool.close()
    edit(path, "UPDATE messages SET payload = x'00' WHERE id = 7",
         "UPDATE messages SET lane = CAST(x'ff' AS TEXT) WHERE id = 8",
         "UPDATE messages SET crc = 'text' WHERE id = 9",
         "UPDATE messages SET payload = 'text' WHERE id = 10")
    sound = [row for row in rows if row.id not in (7, 8, 9, 10)]
    found, report = reopened(path)
    assert found == sound
    assert 'a message does not match its checksum' in report
    assert '1196 of its 1196 readable messages' in report
    assert reopened(path) == (sound, '')


def test_a_fresh_file_with_room_for_some_takes_these(spool, path):
    rows = [boxes(id_, b'x' * 3000) for id_ in range(1, 1001)]
    spool.write(rows, ())
    spool.close()
    edit(path, "UPDATE messages SET payload = x'00' WHERE id = 1")
    found, report = reopened(path, 2 * MIB)
    assert found == rows[1:501]
    assert '500 of its 999 readable messages' in report


def test_both_ends_of_a_broken_file_are_read(spool, path):
    rows = [boxes(id_, b'%04d' % id_ * 250) for id_ in range(1, 1001)]
    spool.write(rows, ())
    spool.close()
    with open(path, 'r+b') as file:
        content = file.read()
        file.seek(content.index(b'0500' * 250) // 4096 * 4096)
        file.write(b'\xff' * 4096)
    found, report = reopened(path)
    assert [row.id for row in found] == [
        id_ for id_ in range(1, 1001) if id_ not in range(498, 504)
        or id_ in {row.id for row in found}]
    assert 990 < len(found) < 1000
    assert all(row == rows[row.id - 1] for row in found)
    assert f'{len(found)} of its {len(found)}' in report


def test_a_newer_version_is_refused_and_left_as_it_is(spool, path):
    spool.close()
    edit(path, 'ALTER TABLE messages ADD COLUMN more TEXT',
         f'PRAGMA user_version = {table.VERSION + 1}')
    with open(path, 'rb') as file:
        before = file.read()
    with pytest.raises(ConfigurationError, match='newer version of this bridge: install'):
        Spool.open(path, MIB)
    with open(path, 'rb') as file:
        assert file.read() == before
    assert not aside(path)


def test_a_version_of_a_damaged_header_is_no_newer_version(spool, path):
    spool.write([boxes(1)], ())
    spool.close()
    edit(path, 'PRAGMA user_version = 77')
    rows, report = reopened(path)
    assert rows == [boxes(1)]
    assert 'bad header' in report


def damage_and_open(path, original, content, log=None):
    """Open a spool of this content; return its rows, all of which must have been there."""
    folder = os.path.dirname(path)
    shutil.rmtree(folder)
    os.mkdir(folder, 0o700)
    for name, what in ((path, content), (path + '-wal', log)):
        if what is not None:
            with open(name, 'wb') as file:
                file.write(what)
    spool = Spool.open(path, 4 * MIB)
    rows = spool.load()
    known = {row.id: row for row in original}
    assert all(known.get(row.id) == row for row in rows)
    assert [row.id for row in rows] == sorted({row.id for row in rows})
    # It works, now and at the next start.
    spool.write([update(10**6)], ())
    spool.write((), [row.id for row in rows])
    spool.shrink()
    assert spool.load() == [update(10**6)]
    reported = spool.report
    spool.close()
    assert reopened(path)[0] == [update(10**6)]
    return rows, reported


def test_flipped_bytes_lose_no_more_than_what_they_hit(spool, path):
    rows = mixed(1, 150)
    spool.write(rows, ())
    spool.write((), range(1, 150, 7))
    rows = spool.load()
    spool.close()
    with open(path, 'rb') as file:
        original = file.read()
    chance = random.Random(3)
    places = [*range(0, 100, 3)] + [chance.randrange(len(original)) for _ in range(300)]
    kept = 0
    for place in places:
        content = bytearray(original)
        for at in [place] + [chance.randrange(len(original))] * chance.randrange(2):
            content[at] ^= chance.randrange(1, 256)
        found, reported = damage_and_open(path, rows, content)
        kept += len(found)
        assert reported or found == rows
    # Most flips hit one payload, and all others are carried over.
    assert kept > 0.8 * len(places) * len(rows)


def test_a_file_cut_at_any_length(spool, path):
    rows = mixed(1, 60)
    spool.write(rows, ())
    spool.close()
    with open(path, 'rb') as file:
        original = file.read()
    chance = random.Random(4)
    for length in [0, 1, 15, 16, 99, 100, 4095, 4096, 4097] + [
            chance.randrange(len(original)) for _ in range(40)]:
        damage_and_open(path, rows, original[:length])


@pytest.fixture
def with_log(spool, path):
    """Return the rows, the file and the log of a spool whose process was killed."""
    rows = []
    for first in range(1, 60, 3):
        more = mixed(first, first + 2)
        spool.write(more, ())
        rows += more
    with open(path, 'rb') as file, open(path + '-wal', 'rb') as log:
        content = file.read(), log.read()
    spool.close()
    return rows, *content


def test_a_log_cut_at_any_length_leaves_whole_writes(with_log, path):
    rows, content, log = with_log
    chance = random.Random(5)
    lengths = [0, 1, 31, 32, 33, len(log)] + [chance.randrange(len(log)) for _ in range(60)]
    counts = set()
    for length in lengths:
        found, reported = damage_and_open(path, rows, content, log[:length])
        assert found == rows[:len(found)]
        assert len(found) % 3 == 0
        assert not reported
        counts.add(len(found))
    assert {0, len(rows)} < counts


def test_a_log_of_garbage(with_log, path):
    rows, content, log = with_log
    chance = random.Random(6)
    for garbage in (b'garbage' * 9999, bytes(len(log)), chance.randbytes(len(log))):
        assert damage_and_open(path, rows, content, garbage) == ([], '')
    for _ in range(60):
        damaged = bytearray(log)
        damaged[chance.randrange(len(log))] ^= chance.randrange(1, 256)
        found, reported = damage_and_open(path, rows, content, damaged)
        assert found == rows[:len(found)]
        assert len(found) % 3 == 0
        assert not reported


def test_pages_that_lead_in_a_circle_are_read_once():
    class Circle:

        def execute(self, statement):
            row = boxes(1)
            while True:
                yield (*row, table.checksum(row))
    assert table.salvage(Circle()) == [boxes(1)]
