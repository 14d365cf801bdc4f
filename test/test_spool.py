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

"""The spool keeps what was written through every fault of the file, the disk and the process."""

import ast
import errno
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import time

from camera_ws_bridge import spool as spool_module
from camera_ws_bridge.errors import BridgeError, ConfigurationError
from camera_ws_bridge.outbox import BOXES, UPDATES
from camera_ws_bridge.spool import Row, Spool, SpoolError
from hypothesis import settings, strategies as st
from hypothesis.stateful import initialize, invariant, rule, RuleBasedStateMachine
import pytest

MIB = 2**20


def boxes(id_, payload=b'boxes'):
    """Return a row of boxes."""
    return Row(id_, BOXES, None, 1.5e9 + id_, payload)


def update(id_, payload=b'update', object_id=7):
    """Return a row of an update."""
    return Row(id_, UPDATES, object_id, 1.5e9 + id_, payload)


def mixed(first, last):
    """Return rows of both lanes and many sizes, from id first to last."""
    chance = random.Random(first)
    return [chance.choice((boxes, update))(id_, chance.randbytes(chance.randrange(3000)))
            for id_ in range(first, last + 1)]


@pytest.fixture
def path(tmp_path):
    """Return where the spool is to be."""
    return str(tmp_path / 'spool' / 'queue')


@pytest.fixture
def spool(path):
    """Return an open spool."""
    spool = Spool.open(path, 4 * MIB)
    yield spool
    spool.close()


def reopened(path, max_bytes=4 * MIB):
    """Return the rows and the report of a spool opened once more."""
    spool = Spool.open(path, max_bytes)
    try:
        assert spool.ids() == [row.id for row in spool.load()]
        return spool.load(), spool.report
    finally:
        spool.close()


def mode(path):
    """Return the permissions."""
    return stat.S_IMODE(os.lstat(path).st_mode)


def aside(path, beside=False):
    """Return the paths of files that were put aside, or (beside) also of what belongs to them."""
    folder, name = os.path.split(path)
    return sorted(os.path.join(folder, entry) for entry in os.listdir(folder)
                  if entry.startswith(name + '.corrupt-')
                  and (beside or not entry.endswith(('-wal', '-shm'))))


# ---- rows

def test_a_new_spool_is_empty(spool, path):
    assert (spool.load(), spool.ids(), spool.report) == ([], [], '')
    assert spool.bytes() == os.path.getsize(path) > 0


def test_rows_come_back_as_they_were_in_order_of_ids(spool, path):
    rows = [boxes(3, b''), update(1, bytes(range(256)) * 100), update(2**40, object_id=-2**63)]
    spool.write(rows, ())
    assert spool.load() == sorted(rows)
    spool.close()
    assert reopened(path) == (sorted(rows), '')


def test_rows_are_removed_and_added_in_one_go(spool):
    spool.write(mixed(1, 10), ())
    spool.write([boxes(11)], [1, 2, 3, 99])
    assert spool.load() == [*mixed(1, 10)[3:], boxes(11)]


def test_what_is_written_twice_is_there_once(spool):
    spool.write([boxes(1)], ())
    spool.write([boxes(1)], ())
    assert spool.load() == [boxes(1)]


def test_writing_nothing_is_no_fault(spool):
    spool.write((), ())
    assert spool.load() == []


def statements(spool):
    """Return the list that the statements of the spool go to from now on."""
    said = []
    spool._connection.set_trace_callback(said.append)
    return said


@pytest.mark.parametrize('rows, level', [
    ([boxes(1)], 'NORMAL'), ([update(1)], 'FULL'), ([boxes(1), update(2)], 'FULL'),
    ([], 'NORMAL')])
def test_updates_are_synced_boxes_are_not(spool, rows, level):
    said = statements(spool)
    spool.write(rows, ())
    assert said[0] == f'PRAGMA synchronous = {level}'
    assert spool._pragma('synchronous') == {'NORMAL': 1, 'FULL': 2}[level]


def test_the_settings_that_safety_rests_on(spool):
    assert spool._execute('PRAGMA journal_mode') == [('wal',)]
    assert spool._execute('PRAGMA locking_mode') == [('exclusive',)]
    assert spool._pragma('mmap_size') == 0
    assert spool._pragma('auto_vacuum') == 2
    assert spool._pragma('max_page_count') == MIB // 1024
    assert spool._pragma('user_version') == spool_module.VERSION


def test_no_file_is_mapped_which_could_be_cut_under_us(spool, path):
    spool.write([boxes(1)], ())
    for _ in range(2):
        assert not os.path.exists(path + '-shm')
        spool.reopen()
        spool.write([boxes(2)], ())


def test_a_bug_leaves_no_transaction_open(spool):
    with pytest.raises(OverflowError):
        spool.write([boxes(1), update(2, object_id=2**64)], ())
    spool.write([boxes(3)], ())
    assert spool.ids() == [3]


def test_a_closed_spool_says_so(spool):
    spool.close()
    spool.close()
    for use in (spool.load, spool.ids, spool.shrink, lambda: spool.write((), ())):
        with pytest.raises(SpoolError) as caught:
            use()
        assert caught.value.cause == 'closed'
        assert not caught.value.usable
    assert isinstance(caught.value, BridgeError)


def test_bytes_of_a_missing_file(spool, path):
    spool.close()
    os.unlink(path)
    assert spool.bytes() == 0


# ---- size

def test_the_page_limit_is_kept_and_nothing_of_the_write_is_there(spool, path):
    spool.write(mixed(1, 10), ())
    with pytest.raises(SpoolError, match=r'^spool_max_bytes \(4194304\) is reached$') as caught:
        spool.write([boxes(id_, b'x' * 10000) for id_ in range(11, 1000)], [1])
    assert (caught.value.cause, caught.value.usable) == ('limit', True)
    assert spool.load() == mixed(1, 10)
    spool.write([update(2000)], [1])  # what fits goes on
    spool.close()
    assert os.path.getsize(path) <= 4 * MIB
    assert reopened(path)[0] == [*mixed(1, 10)[1:], update(2000)]


def test_a_spool_full_to_the_limit_can_be_drained(path):
    spool = Spool.open(path, MIB)
    added = 0
    with pytest.raises(SpoolError) as caught:
        while True:
            spool.write([boxes(added + 1, b'x' * 3000)], ())
            added += 1
    assert caught.value.cause == 'limit'
    assert added > 200
    for id_ in range(1, added + 1):
        spool.write((), [id_])
    assert spool.load() == []
    spool.close()


def test_a_limit_below_what_is_there_loses_nothing(spool, path):
    rows = [boxes(id_, b'x' * 3000) for id_ in range(1, 301)]
    spool.write(rows, ())
    spool.close()
    assert reopened(path, 1) == (rows, '')


def test_the_log_beside_it_stays_small(spool, path):
    for id_ in range(1, 2000):
        spool.write([boxes(id_, b'x' * 3000)], [id_ - 100])
        assert os.path.getsize(path + '-wal') <= 2 * MIB
    assert os.path.getsize(path) <= 2 * MIB


def test_the_file_shrinks_after_a_drain(spool, path):
    spool.write([boxes(id_, b'x' * 3000) for id_ in range(1, 1001)], ())
    assert spool.bytes() > 3 * MIB
    spool.write((), range(1, 401))
    before = spool._pragma('page_count')
    spool.shrink()  # less than half is free
    assert spool._pragma('page_count') == before
    spool.write([update(1001)], range(401, 1001))
    spool.shrink()
    assert spool.load() == [update(1001)]
    assert spool.bytes() == os.path.getsize(path) < 20000


def test_a_few_free_pages_are_left_alone(spool):
    spool.write([boxes(1, b'x' * 100000)], ())
    spool.write((), [1])
    before = spool._pragma('page_count')
    spool.shrink()
    assert spool._pragma('page_count') == before


# ---- who may: modes, links, lock

@pytest.fixture(params=[0, 0o022, 0o277])
def umask(request):
    """Set the process's umask."""
    if request.param == 0o277 and os.geteuid():
        pytest.skip('with this umask only root can go on')
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_modes_do_not_depend_on_the_umask(tmp_path, umask):
    path = str(tmp_path / 'one' / 'two' / 'queue')
    spool = Spool.open(path, MIB)
    spool.write([update(1)], ())
    for folder in (tmp_path / 'one', tmp_path / 'one' / 'two'):
        assert mode(folder) & 0o077 == 0
    for suffix in ('', '-wal', '.lock'):
        assert mode(path + suffix) & 0o077 == 0
    assert mode(path) == mode(path + '-wal') == 0o600
    spool.close()


def test_modes_that_are_too_wide_are_narrowed(spool, path):
    spool.close()
    for name in (path, path + '.lock'):
        os.chmod(name, 0o666)
    reopened(path)
    assert mode(path) == mode(path + '.lock') == 0o600


@pytest.mark.parametrize('wide', [0o770, 0o707, 0o1777])
def test_a_directory_that_others_may_write_to_is_refused(spool, path, wide):
    spool.close()
    os.chmod(os.path.dirname(path), wide)
    with pytest.raises(ConfigurationError, match='others may write .* chmod go-w'):
        Spool.open(path, MIB)


def test_a_directory_that_others_may_read_is_not(spool, path):
    spool.close()
    os.chmod(os.path.dirname(path), 0o755)
    reopened(path)


def owned_by_another(monkeypatch, path):
    """Let os.stat and os.lstat name another owner for one path."""
    for name in ('stat', 'lstat'):
        def look(asked, *args, original=getattr(os, name), **kwargs):
            info = original(asked, *args, **kwargs)
            if asked != path:
                return info
            return os.stat_result([*info[:4], info.st_uid + 1, *info[5:10]])
        monkeypatch.setattr(os, name, look)


@pytest.mark.parametrize('suffix', ['', '.lock', '-wal'])
def test_a_file_of_another_user_is_refused(spool, path, monkeypatch, suffix):
    spool.close()
    open(path + suffix, 'ab').close()
    owned_by_another(monkeypatch, path + suffix)
    with pytest.raises(ConfigurationError, match='belongs to another user'):
        Spool.open(path, MIB)


def test_a_directory_of_another_user_is_refused(spool, path, monkeypatch):
    spool.close()
    owned_by_another(monkeypatch, os.path.dirname(path))
    with pytest.raises(ConfigurationError, match='directory .* belongs to another user'):
        Spool.open(path, MIB)


@pytest.mark.parametrize('suffix', ['', '-wal', '-shm', '-journal', '.lock'])
@pytest.mark.parametrize('there', [True, False])
def test_symbolic_links_are_refused_and_what_they_point_to_is_untouched(
        tmp_path, path, suffix, there):
    os.mkdir(os.path.dirname(path), 0o700)
    target = tmp_path / 'target'
    if there:
        target.write_bytes(b'precious')
    os.symlink(target, path + suffix)
    with pytest.raises(ConfigurationError, match='is a symbolic link: remove it'):
        Spool.open(path, MIB)
    assert target.exists() is there
    assert not there or target.read_bytes() == b'precious'


def test_a_pipe_does_not_hang_it(path):
    os.mkdir(os.path.dirname(path), 0o700)
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match='is not a regular file'):
        Spool.open(path, MIB)


@pytest.mark.parametrize('below, text', [
    ('file/queue', 'is not a directory'), ('file/more/queue', 'Not a directory'),
    ('x' * 300, 'File name too long'), ('', 'not a regular file'), ('a\0b', 'NUL')])
def test_paths_that_can_never_work(tmp_path, below, text):
    (tmp_path / 'file').write_bytes(b'')
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigurationError, match=text) as caught:
        Spool.open(str(tmp_path / 'folder' / '..' / below) if below else str(tmp_path), MIB)
    assert caught.value.parameter == 'spool_path'


def test_a_directory_made_by_another_at_the_same_time(path, monkeypatch):
    make = os.mkdir

    def made_before(folder, *args):
        make(folder, 0o700)
        make(folder, *args)
    monkeypatch.setattr(os, 'mkdir', made_before)
    assert reopened(path) == ([], '')


def in_process(code, *arguments, **kwargs):
    """Start a Python process with the package's modules at hand."""
    prelude = 'import os, sys\nfrom camera_ws_bridge.spool import Row, Spool, SpoolError\n'
    return subprocess.Popen(
        [sys.executable, '-c', prelude + textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, **kwargs)


def test_a_second_opener_in_another_process_is_told(spool, path):
    spool.write([boxes(1)], ())
    code = """
        try:
            Spool.open(sys.argv[1], 2**20)
        except Exception as error:
            print(type(error).__name__, error)
    """
    said = in_process(code, path).communicate(timeout=60)[0].decode()
    assert said == ('ConfigurationError parameter spool_path: in use by another bridge: give each '
                    'bridge a file of its own\n')
    with pytest.raises(ConfigurationError, match='in use by another bridge'):
        Spool.open(path, MIB)
    spool.reopen()
    assert spool.load() == [boxes(1)]


def test_the_lock_ends_with_the_process(path):
    process = in_process("""
        spool = Spool.open(sys.argv[1], 2**20)
        print('open', flush=True)
        sys.stdin.read()
    """, path)
    assert process.stdout.readline() == b'open\n'
    with pytest.raises(ConfigurationError, match='in use by another bridge'):
        Spool.open(path, MIB)
    process.kill()
    process.communicate()
    assert reopened(path) == ([], '')


def test_the_lock_is_held_while_it_is_reopened(spool, path):
    spool.write([boxes(1)], ())
    os.chmod(os.path.dirname(path), 0o777)
    with pytest.raises(ConfigurationError):
        spool.reopen()
    os.chmod(os.path.dirname(path), 0o700)
    with pytest.raises(ConfigurationError, match='in use by another bridge'):
        Spool.open(path, MIB)
    spool.reopen()
    assert spool.load() == [boxes(1)]


# ---- faults of the disk

class Failing:
    """A connection on which statements that begin with `at` fail."""

    def __init__(self, connection, at, error):
        """Stand before a connection."""
        self._connection = connection
        self._at = at
        self._error = error

    def __getattr__(self, name):
        """Return what the connection has."""
        return getattr(self._connection, name)

    def execute(self, statement, *args):
        """Execute, or fail."""
        if statement.startswith(self._at):
            raise self._error
        return self._connection.execute(statement, *args)

    executescript = execute


FAULTS = [
    ('database or disk is full', 'full', True),
    ('attempt to write a readonly database', 'read_only', False),
    ('disk I/O error', 'io', False),
    ('database is locked', 'locked', False),
    ('database disk image is malformed', 'corrupt', False),
    ('file is not a database', 'corrupt', False),
    ('unable to open database file', 'io', False),
]


@pytest.mark.parametrize('text, cause, usable', FAULTS)
@pytest.mark.parametrize('at', ['PRAGMA synchronous', 'BEGIN', 'COMMIT'])
def test_faults_of_a_write_have_a_cause_and_leave_the_old_state(spool, text, cause, usable, at):
    spool.write([boxes(1)], ())
    spool._connection = Failing(spool._connection, at, sqlite3.OperationalError(text))
    with pytest.raises(SpoolError) as caught:
        spool.write([boxes(2)], [1])
    assert (caught.value.cause, caught.value.usable) == (cause, usable)
    assert caught.value.reason == str(caught.value)
    spool.reopen()
    assert (spool.load(), spool.report) == ([boxes(1)], '')


def test_full_with_a_connection_that_answers_nothing_more(spool):
    failing = Failing(
        spool._connection, ('BEGIN', 'PRAGMA page_count'),
        sqlite3.OperationalError('database or disk is full'))
    spool._connection = failing
    with pytest.raises(SpoolError) as caught:
        spool.write([boxes(1)], ())
    assert caught.value.cause == 'full'


@pytest.mark.parametrize('use, at', [
    (Spool.load, 'SELECT'), (Spool.ids, 'SELECT'), (Spool.shrink, 'PRAGMA freelist_count'),
    (Spool.shrink, 'PRAGMA incremental_vacuum'), (Spool.shrink, 'PRAGMA wal_checkpoint')])
def test_faults_elsewhere_have_a_cause_too(spool, use, at):
    spool.write([boxes(1, b'x' * MIB)], ())
    spool.write((), [1])
    spool._connection = Failing(spool._connection, at, sqlite3.OperationalError('disk I/O error'))
    with pytest.raises(SpoolError) as caught:
        use(spool)
    assert caught.value.cause == 'io'


def test_a_connection_that_may_only_read(spool):
    spool.write([boxes(1)], ())
    spool._execute('PRAGMA query_only = ON')
    with pytest.raises(SpoolError) as caught:
        spool.write([boxes(2)], ())
    assert caught.value.cause == 'read_only'
    spool.reopen()
    spool.write([boxes(2)], ())
    assert spool.ids() == [1, 2]


def test_a_file_system_that_keeps_no_log(spool, monkeypatch):
    spool.write([boxes(1)], ())
    connect = sqlite3.connect

    class Stubborn(sqlite3.Connection):

        def execute(self, statement, *args):
            return super().execute(
                "SELECT 'delete'" if 'journal_mode' in statement else statement, *args)
    monkeypatch.setattr(
        sqlite3, 'connect', lambda *args, **kwargs: connect(*args, factory=Stubborn, **kwargs))
    with pytest.raises(SpoolError, match='no write-ahead log') as caught:
        spool.reopen()
    assert caught.value.cause == 'read_only'
    monkeypatch.undo()
    spool.reopen()
    assert spool.ids() == [1]


@pytest.mark.parametrize('number, cause', [
    (errno.EROFS, 'read_only'), (errno.ENOSPC, 'io'), (errno.EIO, 'io'), (errno.EMFILE, 'io')])
@pytest.mark.parametrize('at', ['.lock', ''])
def test_files_that_cannot_be_made_for_now(path, monkeypatch, number, cause, at):
    make = os.open

    def fail(asked, *args, **kwargs):
        if asked == path + at:
            raise OSError(number, os.strerror(number), asked)
        return make(asked, *args, **kwargs)
    monkeypatch.setattr(os, 'open', fail)
    with pytest.raises(SpoolError) as caught:
        Spool.open(path, MIB)
    assert (caught.value.cause, caught.value.usable) == (cause, False)
    assert caught.value.reason == os.strerror(number)
    monkeypatch.undo()
    assert reopened(path) == ([], '')


def test_what_only_a_person_can_put_right(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, 'Permission denied')
    monkeypatch.setattr(os, 'mkdir', refuse)
    with pytest.raises(ConfigurationError, match='Permission denied'):
        Spool.open(path, MIB)


def test_a_removed_file_is_noticed(spool, path):
    spool.write([boxes(1)], ())
    os.unlink(path)
    with pytest.raises(SpoolError, match='No such file') as caught:
        spool.write([boxes(2)], ())
    assert caught.value.cause == 'io'
    spool.reopen()
    spool.write([boxes(3)], ())
    assert spool.ids() == [3]


def test_a_replaced_file_is_noticed(spool, path):
    spool.write([boxes(1)], ())
    with open(path + '.new', 'wb') as file:
        file.write(b'something else')
    os.rename(path + '.new', path)
    with pytest.raises(SpoolError, match='replaced') as caught:
        spool.write([boxes(2)], ())
    assert not caught.value.usable


def test_a_limit_of_the_file_size():
    # In a process of its own: the limit cannot be taken back by everyone.
    code = """
        import resource
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            spool = Spool.open(folder + '/spool/queue', 2**26)
            row = Row(1, 'updates', 1, 1.5, b'first')
            spool.write([row], ())
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, resource.RLIM_INFINITY))
            try:
                spool.write([Row(2, 'boxes', None, 1.5, b'x' * 2**19)], ())
            except SpoolError as error:
                print(error.cause)
            spool.reopen()
            assert spool.load() == [row], spool.load()
            spool.write([row._replace(id=3)], ())
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            spool.write([Row(4, 'boxes', None, 1.5, b'x' * 2**19)], ())
            print(spool.ids(), repr(spool.report))
    """
    process = in_process(code)
    said = process.communicate(timeout=60)[0].decode()
    assert said == "io\n[1, 3, 4] ''\n"
    assert process.returncode == 0


# ---- damage

GARBAGE = [
    b'x', b'not a database' * 1000, spool_module.MAGIC, spool_module.MAGIC + bytes(84),
    spool_module.MAGIC + b'\xff' * 9000]


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
        monkeypatch.setattr(spool_module.time, 'gmtime', lambda: (2026, 1, 1, 0, 0, 0, 0, 1, 0))
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
    edit(path, 'ALTER TABLE messages ADD COLUMN more TEXT', 'PRAGMA user_version = 2')
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


def test_an_error_that_says_nothing_of_damage_puts_nothing_aside(spool, path, monkeypatch):
    spool.write([boxes(1)], ())

    def fail(*args):
        raise sqlite3.OperationalError('disk I/O error')
    monkeypatch.setattr(spool_module, '_check', fail)
    with pytest.raises(SpoolError) as caught:
        spool.reopen()
    assert caught.value.cause == 'io'
    assert not aside(path)
    monkeypatch.undo()
    spool.reopen()
    assert spool.load() == [boxes(1)]


def test_pages_that_lead_in_a_circle_are_read_once():
    class Circle:

        def execute(self, statement):
            row = boxes(1)
            while True:
                yield (*row, spool_module._checksum(row))
    assert spool_module._salvage(Circle()) == [boxes(1)]


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


def wait_for_size(path, process):
    """Wait until the process has written to its log."""
    deadline = time.monotonic() + 60
    while not os.path.exists(path) or not os.path.getsize(path):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.001)


def test_a_killed_process_loses_nothing_that_was_written(tmp_path, path):
    chance = random.Random(7)
    log = str(tmp_path / 'log')
    next_id, state, writes = 1, [], 0
    for kill in range(30):
        process = in_process(WRITER, path, log, str(kill), str(next_id))
        wait_for_size(log, process)
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
        copy = self.path + '.copy'
        for suffix in ('', '-wal'):
            if os.path.exists(self.path + suffix):
                shutil.copy(self.path + suffix, copy + suffix)
        self.spool.close()
        for suffix in ('', '-wal'):
            if os.path.exists(copy + suffix):
                os.rename(copy + suffix, self.path + suffix)
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
