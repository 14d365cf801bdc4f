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

"""A fault of the disk has a cause, and leaves what was there before."""

import errno
import os
import sqlite3

from camera_ws_bridge.buffer.spool import table
from camera_ws_bridge.buffer.spool.spool import Spool, SpoolError
from camera_ws_bridge.errors import ConfigurationError
import pytest
from rigs.spool_rig import aside, boxes, in_process, MIB, reopened


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


@pytest.mark.parametrize('at', ['PRAGMA synchronous', 'BEGIN', 'COMMIT'])
def test_faults_of_a_write_have_a_cause_and_leave_the_old_state(spool, at):
    spool.write([boxes(1)], ())
    for text, cause, usable in FAULTS:
        spool._connection = Failing(spool._connection, at, sqlite3.OperationalError(text))
        with pytest.raises(SpoolError) as caught:
            spool.write([boxes(2)], [1])
        assert (caught.value.cause, caught.value.usable) == (cause, usable), text
        assert caught.value.reason == str(caught.value), text
        spool.reopen()
        assert (spool.load(), spool.report) == ([boxes(1)], ''), text


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


def test_an_error_that_says_nothing_of_damage_puts_nothing_aside(spool, path, monkeypatch):
    spool.write([boxes(1)], ())

    def fail(*args):
        raise sqlite3.OperationalError('disk I/O error')
    monkeypatch.setattr(table, 'check', fail)
    with pytest.raises(SpoolError) as caught:
        spool.reopen()
    assert caught.value.cause == 'io'
    assert not aside(path)
    monkeypatch.undo()
    spool.reopen()
    assert spool.load() == [boxes(1)]
