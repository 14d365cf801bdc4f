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

"""The spool's files: modes, owners, links, and the lock."""

import os

from camera_ws_bridge.buffer.spool.spool import Spool
from camera_ws_bridge.errors import ConfigurationError
import pytest
from rigs.spool_rig import boxes, in_process, MIB, mode, reopened, update


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
