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
The spool: a SQLite file that holds the buffer's messages over a restart or a loss of power.

Synchronous, for one thread at a time. The file is held by this process alone: a lock beside it
keeps other bridges away, and SQLite's exclusive mode keeps its index in memory, so that no mapped
file can be cut under us (SIGBUS). Every row carries a checksum, since SQLite has none: a flipped
bit is found at the next open and never reaches the orchestrator. Beside the rows lies one note, a
few bytes that are the caller's business.

Sizes are bytes, times are Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
import errno
import os
import sqlite3
from typing import Any
import zlib

from camera_ws_bridge.buffer.outbox import UPDATES
from camera_ws_bridge.buffer.spool import files, table
from camera_ws_bridge.buffer.spool.table import Row, SpoolError
from camera_ws_bridge.errors import ConfigurationError

__all__ = ['Row', 'Spool', 'SpoolError']

PAGE = 4096
WAL_PAGES = 256  # the write-ahead log is emptied into the file when it has reached this
SLACK_PAGES = 64  # free pages that are not worth moving others for
VACUUM_STEP = 256  # pages per transaction, so that the write-ahead log stays small
BUSY_TIMEOUT = 1.0  # seconds to wait for somebody who looks into the file
CARRIED_AT_ONCE = 500  # rows

MAGIC = b'SQLite format 3\0'
# What only a person can put right; other errors of the system may go away by themselves.
PERMANENT = {
    errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}


class Spool:
    """
    The file; `report` says what was found corrupt and put aside at the last (re)open, or ''.

    The file is at most max_bytes, and the write-ahead log beside it 1 MiB plus one write().
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        """Touch nothing yet: use Spool.open."""
        if '\0' in path:
            raise ConfigurationError('spool_path', 'holds a NUL character')
        self.path = os.path.abspath(path)
        self.report = ''
        self._max_bytes = max_bytes
        self._max_pages = max(16, max_bytes // PAGE)
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)

    @classmethod
    def open(cls, path: str, max_bytes: int) -> Spool:  # noqa: A003
        """
        Open or create the file, its directory included.

        Raise ConfigurationError for what only a person can put right (in use, not ours, of a newer
        version), SpoolError for what may heal. A corrupt file is neither: see `report`.
        """
        spool = cls(path, max_bytes)
        try:
            spool.reopen()
        except BaseException:
            spool.close()
            raise
        return spool

    def reopen(self) -> None:
        """Open the file anew, under the same lock; raise as open() does."""
        self._disconnect()
        self.report = ''
        try:
            folder = os.path.dirname(self.path)
            files.make_folder(folder)
            if self._lock is None:
                self._lock = files.lock(self.path + '.lock')
            self._start(folder)
        except OSError as error:
            if error.errno in PERMANENT:
                raise ConfigurationError('spool_path', f'{error.filename or self.path}: '
                                         f'{error.strerror}') from None
            raise table.system_failure(error) from None

    def load(self) -> list[Row]:
        """Return all rows in order of their ids; raise SpoolError."""
        return [Row(*values[:6]) for values in self._execute(table.SELECT)]

    def ids(self) -> list[int]:
        """Return the ids of all rows, in order; raise SpoolError."""
        return [id_ for id_, in self._execute('SELECT id FROM messages ORDER BY id')]

    def note(self) -> bytes:
        """Return the note; nothing if there is none, or a damaged one. Raise SpoolError."""
        try:
            return table.note(self._connected())
        except table.SQLITE_ERRORS as error:
            raise table.sqlite_failure(error) from None

    def write(
            self, added: Sequence[Row], removed: Sequence[int], note: bytes | None = None) -> None:
        """
        Add and remove rows in one transaction; ids that are not there may be removed.

        note: what there is to be noted from now on; None: what was.

        Raise SpoolError; unless it is `usable`, whether this is in the file is known only after
        reopen(). Updates are on the disk when this returns; boxes are safe from the end of the
        process, and from a loss of power after the next update or checkpoint.
        """
        urgent = any(row.lane == UPDATES for row in added)
        connection = self._connected()
        try:
            self._check_identity()
            connection.execute(f'PRAGMA synchronous = {"FULL" if urgent else "NORMAL"}')
            connection.execute('BEGIN IMMEDIATE')
            # First, since these make room.
            connection.executemany(
                'DELETE FROM messages WHERE id = ?', ((id_,) for id_ in removed))
            connection.executemany(
                table.INSERT, ((*row, table.checksum(row)) for row in added))
            if note is not None:
                connection.execute(table.INSERT_NOTE, (note, zlib.crc32(note)))
            connection.execute('COMMIT')
        except OSError as error:
            raise table.system_failure(error) from None
        except table.SQLITE_ERRORS as error:
            self._roll_back(connection)
            failure = table.sqlite_failure(error)
            if failure.cause == 'full' and self._near_limit(sum(len(r.payload) for r in added)):
                raise SpoolError(
                    'limit', f'spool_max_bytes ({self._max_bytes}) is reached') from None
            raise failure from None
        except BaseException:  # a bug: no reason to leave a transaction open
            self._roll_back(connection)
            raise

    def shrink(self) -> None:
        """Give free pages back to the file system where they are most of the file."""
        free = self._pragma('freelist_count')
        if free <= SLACK_PAGES or 2 * free <= self._pragma('page_count'):
            return
        try:
            for _ in range(0, free, VACUUM_STEP):
                # Not execute(): that would end after the first page.
                self._connected().executescript(f'PRAGMA incremental_vacuum({VACUUM_STEP})')
        except table.SQLITE_ERRORS as error:
            raise table.sqlite_failure(error) from None
        self._execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def bytes(self) -> int:  # noqa: A003
        """Return what the file and its write-ahead log take; from any thread."""
        return sum(files.size(self.path + suffix) for suffix in ('', '-wal'))

    def close(self) -> None:
        """Close the file and let go of the lock; may be called again."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ---- opening

    def _start(self, folder: str) -> None:
        files.make_file(self.path)
        try:
            self._connection = self._connect()
            return
        except SpoolError as error:
            if error.cause != 'corrupt':
                raise
            damage = error
        files.sync(folder)
        files.make_file(self.path)
        self._connection = self._connect()
        rows, carried = damage.rows, 0
        with suppress(SpoolError):
            self.write((), (), damage.note)
            while carried < len(rows):
                self.write(rows[carried:carried + CARRIED_AT_ONCE], ())
                carried += len(rows[carried:carried + CARRIED_AT_ONCE])
        self.report = (
            f'the spool was corrupt ({damage.reason}), is now {os.path.basename(damage.aside)} '
            f'beside it; a fresh one holds {carried} of its {len(rows)} readable messages')

    def _connect(self) -> sqlite3.Connection:
        # Before SQLite has the file open: closing any other descriptor of it would drop SQLite's
        # locks.
        header = files.header(self.path)
        if header[:16] == MAGIC and int.from_bytes(header[60:64], 'big') > table.VERSION:
            table.refuse_newer(self.path)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        # What is no UTF-8 is for the checksum to find.
        connection.text_factory = lambda text: text.decode('utf-8', 'replace')
        try:
            # Before all that reads: otherwise the index is a mapped file already.
            connection.execute('PRAGMA locking_mode = EXCLUSIVE').fetchall()
            # SQLite would take a short file for an empty one, and only read the other.
            if header and (header[:16] != MAGIC or max(header[18:20], default=3) > 2):
                raise SpoolError('corrupt', 'bad header')
            self._configure(connection)
            table.check(connection)
            connection.execute(f'PRAGMA max_page_count = {self._max_pages}').fetchall()
            info = os.stat(self.path)
        except BaseException as error:
            failure: BaseException = error
            if isinstance(error, table.SQLITE_ERRORS):
                failure = table.sqlite_failure(error)
            try:
                if isinstance(failure, SpoolError) and failure.cause == 'corrupt':
                    if header[:16] == MAGIC:
                        failure.rows = table.salvage(connection)
                        with suppress(*table.SQLITE_ERRORS):
                            failure.note = table.note(connection)
                    # Before SQLite closes the file, since that would remove the log.
                    failure.aside = files.put_aside(self.path)
            finally:
                connection.close()
            raise failure from None
        self._identity = (info.st_dev, info.st_ino)
        return connection

    def _configure(self, connection: sqlite3.Connection) -> None:
        for setting in (
                'mmap_size = 0', 'temp_store = MEMORY', 'cell_size_check = ON',
                'trusted_schema = OFF', f'page_size = {PAGE}', 'auto_vacuum = INCREMENTAL'):
            connection.execute(f'PRAGMA {setting}').fetchall()
        mode, = connection.execute('PRAGMA journal_mode = WAL').fetchone()
        if mode != 'wal':
            raise SpoolError('read_only', f'no write-ahead log can be kept (mode {mode})')
        for setting in (
                f'journal_size_limit = {WAL_PAGES * PAGE}', f'wal_autocheckpoint = {WAL_PAGES}'):
            connection.execute(f'PRAGMA {setting}').fetchall()

    # ---- an open file

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise SpoolError('closed', 'the spool is not open')
        return self._connection

    def _execute(self, statement: str) -> list[Any]:
        try:
            return self._connected().execute(statement).fetchall()
        except table.SQLITE_ERRORS as error:
            raise table.sqlite_failure(error) from None

    def _pragma(self, name: str) -> int:
        return int(self._execute(f'PRAGMA {name}')[0][0])

    def _check_identity(self) -> None:
        """Notice a removed file: SQLite would go on writing to what nobody can open any more."""
        info = os.stat(self.path)
        if (info.st_dev, info.st_ino) != self._identity:
            raise SpoolError('io', 'the spool has been replaced by another file')

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        with suppress(*table.SQLITE_ERRORS):  # SQLite may have done so itself
            connection.execute('ROLLBACK')

    def _near_limit(self, size: int) -> bool:
        """Return whether max_bytes, not the disk, is what `size` more does not fit into."""
        try:
            room = (self._max_pages - self._pragma('page_count')
                    + self._pragma('freelist_count')) * PAGE
        except SpoolError:
            return False
        # A row may take up to twice its size: the next one may not fit onto its page.
        return room <= 2 * size + 16 * PAGE

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
