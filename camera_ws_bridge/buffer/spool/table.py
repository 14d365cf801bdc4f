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
What is in the spool's file: the tables, the rows and their checksums, and what they can get into.

Sizes are bytes, times are Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
import errno
from itertools import product
import pathlib
import sqlite3
from typing import Any, NamedTuple
import zlib

from camera_ws_bridge.errors import BridgeError, ConfigurationError

# A new version must change the tables' definitions: a file with the very definitions of one
# version, but the number of another, has a damaged header.
VERSION = 2
_MESSAGES = (
    'CREATE TABLE messages (id INTEGER PRIMARY KEY, lane TEXT NOT NULL, object_id INTEGER, '
    'accepted_at REAL NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL')
_SESSION = 'session INTEGER NOT NULL DEFAULT 0'
_NOTE = 'CREATE TABLE note (id INTEGER PRIMARY KEY, content BLOB NOT NULL, crc INTEGER NOT NULL)'
LAYOUTS = {  # as SQLite keeps them, also when it has changed the first one into the second
    1: [('table', 'messages', f'{_MESSAGES})')],
    2: [('table', 'messages', f'{_MESSAGES}, {_SESSION})'), ('table', 'note', _NOTE)]}
_SELECT = ('SELECT id, lane, object_id, accepted_at, payload, {session}, crc FROM messages '
           'ORDER BY id ')
SELECTS = {1: _SELECT.format(session=0), 2: _SELECT.format(session='session')}
SELECT = SELECTS[VERSION]
INSERT = ('INSERT OR REPLACE INTO messages (id, lane, object_id, accepted_at, payload, session, '
          'crc) VALUES (?, ?, ?, ?, ?, ?, ?)')
SELECT_NOTE = 'SELECT content, crc FROM note WHERE id = 1'
INSERT_NOTE = 'INSERT OR REPLACE INTO note VALUES (1, ?, ?)'

# Where SQLite's message quotes damaged text, Python cannot even decode the message.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
CORRUPT = ('malformed', 'not a database', 'unsupported file format', 'too big')


class Row(NamedTuple):
    """
    One message; `payload` is its JSON text in UTF-8, `accepted_at` Unix time.

    session: in which it was accepted; 0, as in all rows of version 1: unknown.
    """

    id: int  # noqa: A003
    lane: str
    object_id: int | None
    accepted_at: float
    payload: bytes
    session: int = 0


class SpoolError(BridgeError):
    """
    The spool could not be read or written.

    `cause` is 'limit' (max_bytes is reached), 'full' (the disk is), 'read_only', 'io', 'locked',
    'corrupt' or 'closed'.
    """

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.rows: Sequence[Row] = ()  # what is still readable of a corrupt file
        self.note = b''  # likewise
        self.aside = ''  # where that has been put

    @property
    def usable(self) -> bool:
        """Return whether nothing of the write is in the file, and the spool needs no reopen."""
        return self.cause in ('limit', 'full')


def checksum(row: Row) -> int:
    head = repr((row.id, row.lane, row.object_id, float(row.accepted_at)))
    if row.session:  # else as in version 1
        head += str(row.session)
    return zlib.crc32(row.payload, zlib.crc32(head.encode('utf-8', 'replace')))


def _sound(values: Any) -> Row | None:
    """Return the row of these columns, unless it is damaged."""
    row = Row(*values[:6])
    right_types = isinstance(row.payload, bytes) and isinstance(row.accepted_at, float)
    return row if right_types and checksum(row) == values[6] else None


def salvage(connection: sqlite3.Connection) -> list[Row]:
    """Return what can be read from both ends of a corrupt file, as far as checksums vouch."""
    rows: dict[int, Row] = {}
    for version, order in product(sorted(SELECTS, reverse=True), ('ASC', 'DESC')):
        if order == 'ASC' and rows:
            break  # it is of a newer version
        with suppress(*SQLITE_ERRORS, MemoryError):
            for values in connection.execute(SELECTS[version] + order):
                row = _sound(values)
                if row is not None:
                    if row.id in rows:  # the other end's, or pages that lead in a circle
                        break
                    rows[row.id] = row
    return [rows[id_] for id_ in sorted(rows)]


def note(connection: sqlite3.Connection) -> bytes:
    """Return the note; nothing if there is none, or a damaged one."""
    for content, crc in connection.execute(SELECT_NOTE):
        if isinstance(content, bytes) and zlib.crc32(content) == crc:
            return content
    return b''


def check(connection: sqlite3.Connection) -> None:
    """
    Make the tables in an empty file, bring those of an older version up to date.

    Raise SpoolError ('corrupt') for what is not a spool.
    """
    layout = _layout(connection)
    version, = connection.execute('PRAGMA user_version').fetchone()
    if layout or version:
        if layout not in LAYOUTS.values():
            raise SpoolError('corrupt', 'its tables are not those of a spool')
        if LAYOUTS.get(version) != layout:
            raise SpoolError('corrupt', 'bad header')
        _check_contents(connection, SELECTS[version])
        if version == VERSION:
            return
    connection.execute('BEGIN IMMEDIATE')
    connection.execute(
        f'ALTER TABLE messages ADD COLUMN {_SESSION}' if layout else LAYOUTS[VERSION][0][2])
    connection.execute(_NOTE)
    connection.execute(f'PRAGMA user_version = {VERSION}')
    connection.execute('COMMIT')
    # At once: other versions read the number from the file before they look into the log.
    connection.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()


def _check_contents(connection: sqlite3.Connection, select: str) -> None:
    result, = connection.execute('PRAGMA quick_check(1)').fetchone()
    if result != 'ok':
        raise SpoolError('corrupt', result.splitlines()[-1])
    if any(_sound(values) is None for values in connection.execute(select)):
        raise SpoolError('corrupt', 'a message does not match its checksum')


def _layout(connection: sqlite3.Connection) -> list[Any]:
    return connection.execute('SELECT type, name, sql FROM sqlite_master').fetchall()


def refuse_newer(path: str) -> None:
    """Raise ConfigurationError unless this is our own file with a damaged header."""
    # Immutable: an ordinary connection would empty the write-ahead log into the file.
    uri = pathlib.Path(path).as_uri() + '?mode=ro&immutable=1'
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            layout = _layout(connection)
    except SQLITE_ERRORS:
        return
    if layout not in LAYOUTS.values():
        raise ConfigurationError(
            'spool_path', f'{path} was written by a newer version of this bridge: install that '
            'version again and let it drain, or give another path')


def sqlite_failure(error: Exception) -> SpoolError:
    """Return what one of SQLITE_ERRORS means."""
    # By the text, which SQLite keeps stable; Python has the codes from 3.11 on only.
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or not text:  # Python 3.10 tells it without a text
        return SpoolError('corrupt', 'its definitions are not UTF-8')
    if 'disk is full' in text:
        return SpoolError('full', 'the disk is full')
    if 'readonly' in text:
        return SpoolError('read_only', 'the file is read-only')
    if 'locked' in text:
        return SpoolError('locked', 'another program has the file open')
    if any(part in text for part in CORRUPT):
        return SpoolError('corrupt', text)
    return SpoolError('io', text)


def system_failure(error: OSError) -> SpoolError:
    # Never 'full': outside of SQLite there is no transaction, so all has to be looked at again.
    cause = 'read_only' if error.errno == errno.EROFS else 'io'
    return SpoolError(cause, error.strerror or str(error))
