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
bit is found at the next open and never reaches the orchestrator.

Sizes are bytes, times are Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
import errno
import fcntl
import os
import pathlib
import re
import sqlite3
import stat
import time
from typing import Any, NamedTuple
import zlib

from camera_ws_bridge.errors import BridgeError, ConfigurationError
from camera_ws_bridge.outbox import UPDATES

# A new version must change the table's definition: a file with this very definition but another
# version has a damaged header.
VERSION = 1
TABLE = (
    'CREATE TABLE messages (id INTEGER PRIMARY KEY, lane TEXT NOT NULL, object_id INTEGER, '
    'accepted_at REAL NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL)')
LAYOUT = [('table', 'messages', TABLE)]
SELECT = 'SELECT id, lane, object_id, accepted_at, payload, crc FROM messages ORDER BY id '

PAGE = 4096
WAL_PAGES = 256  # the write-ahead log is emptied into the file when it has reached this
SLACK_PAGES = 64  # free pages that are not worth moving others for
VACUUM_STEP = 256  # pages per transaction, so that the write-ahead log stays small
BUSY_TIMEOUT = 1.0  # seconds to wait for somebody who looks into the file
KEPT_QUARANTINED = 3
CARRIED_AT_ONCE = 500  # rows

MAGIC = b'SQLite format 3\0'
BESIDE = ('-wal', '-shm', '-journal')
# What only a person can put right; other errors of the system may go away by themselves.
PERMANENT = {
    errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
CORRUPT = ('malformed', 'not a database', 'unsupported file format', 'too big')


class Row(NamedTuple):
    """One message; `payload` is its JSON text in UTF-8, `accepted_at` Unix time."""

    id: int  # noqa: A003
    lane: str
    object_id: int | None
    accepted_at: float
    payload: bytes


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
        self.aside = ''  # where that has been put

    @property
    def usable(self) -> bool:
        """Return whether nothing of the write is in the file, and the spool needs no reopen."""
        return self.cause in ('limit', 'full')


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
            _make_folder(folder)
            if self._lock is None:
                self._lock = _lock(self.path + '.lock')
            self._start(folder)
        except OSError as error:
            if error.errno in PERMANENT:
                raise ConfigurationError('spool_path', f'{error.filename or self.path}: '
                                         f'{error.strerror}') from None
            raise _system_failure(error) from None

    def load(self) -> list[Row]:
        """Return all rows in order of their ids; raise SpoolError."""
        return [Row(*values[:5]) for values in self._execute(SELECT)]

    def ids(self) -> list[int]:
        """Return the ids of all rows, in order; raise SpoolError."""
        return [id_ for id_, in self._execute('SELECT id FROM messages ORDER BY id')]

    def write(self, added: Sequence[Row], removed: Sequence[int]) -> None:
        """
        Add and remove rows in one transaction; ids that are not there may be removed.

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
                'INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?)',
                ((*row, _checksum(row)) for row in added))
            connection.execute('COMMIT')
        except OSError as error:
            raise _system_failure(error) from None
        except sqlite3.Error as error:
            self._roll_back(connection)
            failure = _sqlite_failure(error)
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
        except sqlite3.Error as error:
            raise _sqlite_failure(error) from None
        self._execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def bytes(self) -> int:  # noqa: A003
        """Return what the file and its write-ahead log take; from any thread."""
        return sum(_size(self.path + suffix) for suffix in ('', '-wal'))

    def close(self) -> None:
        """Close the file and let go of the lock; may be called again."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ---- opening

    def _start(self, folder: str) -> None:
        _make_file(self.path)
        try:
            self._connection = self._connect()
            return
        except SpoolError as error:
            if error.cause != 'corrupt':
                raise
            damage = error
        _sync(folder)
        _make_file(self.path)
        self._connection = self._connect()
        rows, carried = damage.rows, 0
        with suppress(SpoolError):
            while carried < len(rows):
                self.write(rows[carried:carried + CARRIED_AT_ONCE], ())
                carried += len(rows[carried:carried + CARRIED_AT_ONCE])
        self.report = (
            f'the spool was corrupt ({damage.reason}), is now {os.path.basename(damage.aside)} '
            f'beside it; a fresh one holds {carried} of its {len(rows)} readable messages')

    def _connect(self) -> sqlite3.Connection:
        # Before SQLite has the file open: closing any other descriptor of it would drop SQLite's
        # locks.
        header = _header(self.path)
        if header[:16] == MAGIC and int.from_bytes(header[60:64], 'big') > VERSION:
            _refuse_newer(self.path)
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
            _check(connection)
            info = os.stat(self.path)
        except BaseException as error:
            failure = _sqlite_failure(error) if isinstance(error, sqlite3.Error) else error
            try:
                if isinstance(failure, SpoolError) and failure.cause == 'corrupt':
                    if header[:16] == MAGIC:
                        failure.rows = _salvage(connection)
                    # Before SQLite closes the file, since that would remove the log.
                    failure.aside = _put_aside(self.path)
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
                f'journal_size_limit = {WAL_PAGES * PAGE}', f'wal_autocheckpoint = {WAL_PAGES}',
                f'max_page_count = {self._max_pages}'):
            connection.execute(f'PRAGMA {setting}').fetchall()

    # ---- an open file

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise SpoolError('closed', 'the spool is not open')
        return self._connection

    def _execute(self, statement: str) -> list[Any]:
        try:
            return self._connected().execute(statement).fetchall()
        except sqlite3.Error as error:
            raise _sqlite_failure(error) from None

    def _pragma(self, name: str) -> int:
        return int(self._execute(f'PRAGMA {name}')[0][0])

    def _check_identity(self) -> None:
        """Notice a removed file: SQLite would go on writing to what nobody can open any more."""
        info = os.stat(self.path)
        if (info.st_dev, info.st_ino) != self._identity:
            raise SpoolError('io', 'the spool has been replaced by another file')

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):  # SQLite may have done so itself
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


# ---- rows

def _checksum(row: Row) -> int:
    head = repr((row.id, row.lane, row.object_id, float(row.accepted_at)))
    return zlib.crc32(row.payload, zlib.crc32(head.encode('utf-8', 'replace')))


def _sound(values: Any) -> Row | None:
    """Return the row of these columns, unless it is damaged."""
    row = Row(*values[:5])
    right_types = isinstance(row.payload, bytes) and isinstance(row.accepted_at, float)
    return row if right_types and _checksum(row) == values[5] else None


def _salvage(connection: sqlite3.Connection) -> list[Row]:
    """Return what can be read from both ends of a corrupt file, as far as checksums vouch."""
    rows: dict[int, Row] = {}
    for order in ('ASC', 'DESC'):
        with suppress(sqlite3.Error, MemoryError):
            for values in connection.execute(SELECT + order):
                row = _sound(values)
                if row is not None:
                    if row.id in rows:  # the other end's, or pages that lead in a circle
                        break
                    rows[row.id] = row
    return [rows[id_] for id_ in sorted(rows)]


def _check(connection: sqlite3.Connection) -> None:
    """Make the table in an empty file; raise SpoolError ('corrupt') for what is not a spool."""
    layout = _layout(connection)
    version, = connection.execute('PRAGMA user_version').fetchone()
    if not layout and version == 0:
        connection.execute('BEGIN IMMEDIATE')
        connection.execute(TABLE)
        connection.execute(f'PRAGMA user_version = {VERSION}')
        connection.execute('COMMIT')
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()
        return
    if layout != LAYOUT:
        raise SpoolError('corrupt', 'its tables are not those of a spool')
    if version != VERSION:
        raise SpoolError('corrupt', 'bad header')
    result, = connection.execute('PRAGMA quick_check(1)').fetchone()
    if result != 'ok':
        raise SpoolError('corrupt', result.splitlines()[-1])
    if any(_sound(values) is None for values in connection.execute(SELECT)):
        raise SpoolError('corrupt', 'a message does not match its checksum')


def _layout(connection: sqlite3.Connection) -> list[Any]:
    return connection.execute('SELECT type, name, sql FROM sqlite_master').fetchall()


def _refuse_newer(path: str) -> None:
    """Raise ConfigurationError unless this is our own file with a damaged header."""
    # Immutable: an ordinary connection would empty the write-ahead log into the file.
    uri = pathlib.Path(path).as_uri() + '?mode=ro&immutable=1'
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            layout = _layout(connection)
    except sqlite3.Error:
        return
    if layout != LAYOUT:
        raise ConfigurationError(
            'spool_path', f'{path} was written by a newer version of this bridge: install that '
            'version again and let it drain, or give another path')


# ---- errors

def _sqlite_failure(error: sqlite3.Error) -> SpoolError:
    # By the text, which SQLite keeps stable; Python has the codes from 3.11 on only.
    text = str(error)
    if 'disk is full' in text:
        return SpoolError('full', 'the disk is full')
    if 'readonly' in text:
        return SpoolError('read_only', 'the file is read-only')
    if 'locked' in text:
        return SpoolError('locked', 'another program has the file open')
    if any(part in text for part in CORRUPT):
        return SpoolError('corrupt', text)
    return SpoolError('io', text)


def _system_failure(error: OSError) -> SpoolError:
    # Never 'full': outside of SQLite there is no transaction, so all has to be looked at again.
    cause = 'read_only' if error.errno == errno.EROFS else 'io'
    return SpoolError(cause, error.strerror or str(error))


# ---- files

def _make_folder(folder: str) -> None:
    """Create the directory, 0700, or check that nobody else can put files into it."""
    if not os.path.lexists(folder):
        parent = os.path.dirname(folder)
        if not os.path.lexists(parent):
            _make_folder(parent)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            _sync(parent)
    info = os.stat(folder)
    if not stat.S_ISDIR(info.st_mode):
        raise ConfigurationError('spool_path', f'{folder} is not a directory')
    if info.st_uid != os.geteuid():
        raise ConfigurationError('spool_path', f'the directory {folder} belongs to another user')
    if info.st_mode & 0o022:
        raise ConfigurationError(
            'spool_path', f'others may write to the directory {folder}: chmod go-w {folder}')


def _make_file(path: str) -> None:
    """Create the file, 0600 whatever the umask; refuse links and what belongs to others."""
    for suffix in ('', *BESIDE):
        _secure(path + suffix)
    with suppress(FileExistsError):
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
        _sync(os.path.dirname(path))


def _secure(path: str) -> None:
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(info.st_mode):
        kind = 'a symbolic link' if stat.S_ISLNK(info.st_mode) else 'not a regular file'
        raise ConfigurationError('spool_path', f'{path} is {kind}: remove it')
    if info.st_uid != os.geteuid():
        raise ConfigurationError('spool_path', f'{path} belongs to another user')
    if stat.S_IMODE(info.st_mode) != 0o600:
        os.chmod(path, 0o600)


def _lock(path: str) -> int:
    """Return the descriptor that holds the lock until it is closed."""
    _secure(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigurationError(
            'spool_path', 'in use by another bridge: give each bridge a file of its own') from None
    return descriptor


def _header(path: str) -> bytes:
    with open(path, 'rb') as file:
        return file.read(100)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _sync(folder: str) -> None:
    """Let the directory's entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_aside(path: str) -> str:
    """Rename the file and what belongs to it; remove the oldest put aside before."""
    folder, name = os.path.split(path)
    now = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())
    pattern = re.compile(re.escape(name) + r'\.corrupt-(\w{16})(?:-(\d+))?')
    found = sorted((match[1], int(match[2] or 0)) for entry in os.listdir(folder)
                   if (match := pattern.fullmatch(entry)))
    numbers = [number for stamp, number in found if stamp == now]
    found.append((now, max(numbers) + 1 if numbers else 0))
    names = [f'{path}.corrupt-{stamp}' + (f'-{number}' if number else '')
             for stamp, number in found]
    for suffix in ('', *BESIDE):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, names[-1] + suffix)
    for old in names[:-KEPT_QUARANTINED]:
        for suffix in ('', *BESIDE):
            with suppress(FileNotFoundError):
                os.unlink(old + suffix)
    return names[-1]
