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

"""Secrets in files: who may read them, what they may hold, and that they can be replaced."""

import os
import subprocess
import sys
from urllib.parse import parse_qs

from camera_ws_bridge.auth import sources
import pytest
from rigs.auth_rig import environment, fault_of, SECRET, serving, source_for, TOKEN, wrong
from rigs.shared import run, WAIT

pytestmark = pytest.mark.usefixtures('no_canary_logged')

root_only = pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')


@pytest.mark.parametrize('mode', (0o600, 0o400, 0o700))
def test_token_from_a_file(secret_file, mode):
    source = sources.from_environment({}, secret_file(f'\n {TOKEN}\r\n\n', mode))

    async def test():
        assert await source.token() == TOKEN
        source.rejected()
        assert await source.token() == TOKEN
    run(test())


@pytest.mark.parametrize('mode', (0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777))
def test_files_that_others_can_use_are_refused(secret_file, mode):
    path = secret_file(TOKEN, mode)
    error = wrong(sources.from_environment, {}, path)
    assert f'chmod 600 {path}' in str(error) and f'{mode:04o}' in str(error)
    for name in ('CLIENT_ID', 'CLIENT_SECRET'):
        values = environment('https://a/t', **{name: None, f'{name}_FILE': path})
        error = wrong(sources.from_environment, values, '')
        assert error.parameter == f'{name}_FILE' and f'chmod 600 {path}' in str(error)


@root_only
def test_a_credential_of_systemd_is_accepted(secret_file):
    # LoadCredential: root's, 0400 or, where an access control list lets the user in, 0440.
    for mode in (0o400, 0o440):
        path = secret_file(TOKEN, mode)
        os.chown(path, 0, 0)
        assert sources.from_environment({}, path) is not None


@root_only
@pytest.mark.parametrize('where', ('first', 'supplementary'))
def test_a_secret_of_kubernetes_is_accepted(secret_file, monkeypatch, where):
    # With fsGroup the files are root's, of that group, and have the mode that defaultMode says.
    if where == 'first':
        monkeypatch.setattr(os, 'getegid', lambda: 4711)
    else:
        monkeypatch.setattr(os, 'getgroups', lambda: [7, 4711])
    path = secret_file(TOKEN)
    os.chown(path, 0, 4711)
    os.chmod(path, 0o440)
    assert sources.from_environment({}, path) is not None
    for mode in (0o640, 0o460, 0o444, 0o441, 0o550):
        os.chmod(path, mode)
        assert '0440' in str(wrong(sources.from_environment, {}, path))
    os.chown(path, os.geteuid() or 4712, 4711)
    os.chmod(path, 0o440)
    wrong(sources.from_environment, {}, path)


@root_only
def test_a_process_without_privileges_reads_a_secret_of_its_group(secret_file, tmp_path):
    path = secret_file(TOKEN)
    os.chown(path, 0, 4711)
    os.chmod(path, 0o440)
    tmp_path.chmod(0o755)
    program = """if True:
        import os, sys
        from camera_ws_bridge.auth import sources
        file = os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY)  # its parents are root's
        os.fchdir(file)
        os.setgroups([4711])
        os.setgid(10001)
        os.setuid(10001)
        sources.from_environment({}, os.path.basename(sys.argv[1]))
    """
    result = subprocess.run(
        [sys.executable, '-c', program, path], capture_output=True, text=True, timeout=WAIT)
    assert (result.returncode, result.stderr) == (0, '')


@root_only
@pytest.mark.parametrize('user, group, mode', [
    (0, 4711, 0o440), (0, 0, 0o640), (0, 0, 0o460), (0, 0, 0o450), (0, 0, 0o444)])
def test_what_only_resembles_a_credential_is_refused(secret_file, user, group, mode):
    path = secret_file(TOKEN)
    os.chown(path, user, group)
    os.chmod(path, mode)
    assert f'{mode:04o}' in str(wrong(sources.from_environment, {}, path))


@root_only
def test_files_of_others_are_refused(secret_file):
    path = secret_file(TOKEN)
    os.chown(path, 4711, -1)
    error = wrong(sources.from_environment, {}, path)
    assert path in str(error) and '4711' in str(error)


@pytest.mark.parametrize('content, part', (
    (b'', 'empty'), (b' \n', 'empty'), (b'canary\xff', 'UTF-8'), (b'canary\ncanary', 'lines'),
    (b'canary\x00', 'printable'), (b'canary' * 4000, 'larger'),
    ('canary\u00e4'.encode(), 'no token has')))
def test_files_that_hold_no_token(secret_file, content, part):
    path = secret_file(content)
    error = wrong(sources.from_environment, {}, path)
    assert path in str(error) and part in str(error)


@pytest.mark.parametrize('make', (os.mkdir, os.mkfifo, lambda path: None))
def test_what_is_no_file_is_refused_without_waiting(tmp_path, make):
    path = str(tmp_path / 'thing')
    make(path)
    assert path in str(wrong(sources.from_environment, {}, path))


@pytest.mark.parametrize('path', ('/dev/null', '/dev/zero', 'no\0name', 'line\nbreak', '/x' * 999))
def test_names_that_are_none(path):
    assert '\n' not in str(wrong(sources.from_environment, {}, path))


def test_links_are_followed_and_their_targets_checked(secret_file, tmp_path):
    link = tmp_path / 'link'
    link.symlink_to(secret_file(TOKEN))
    run(sources.from_environment({}, str(link)).token())
    os.chmod(tmp_path / 'secret', 0o644)
    assert str(link) in str(wrong(sources.from_environment, {}, str(link)))
    link.unlink()
    link.symlink_to(link)
    wrong(sources.from_environment, {}, str(link))


def test_file_is_rotated(secret_file):
    path = secret_file(TOKEN)
    source = sources.from_environment({}, path)

    async def test():
        replacement = secret_file(TOKEN + 'new', name='new')
        os.replace(replacement, path)
        assert await source.token() == TOKEN + 'new'
        for spoil in (lambda: secret_file('canary\ncanary'), lambda: secret_file('canary\u00e4'),
                      lambda: os.chmod(path, 0o644), lambda: os.unlink(path)):
            spoil()
            fault = await fault_of(source.token())
            assert fault.cause == 'secret_file' and 'token_file' in fault.reason
            if os.path.exists(path):
                os.chmod(path, 0o600)
        secret_file(TOKEN)
        assert await source.token() == TOKEN
    run(test())


def test_client_id_and_secret_from_files_are_read_anew(secret_file):
    async def test():
        async with serving(lambda server: server.good(expires_in=None)) as server:
            source = source_for(
                server, CLIENT_ID=None, CLIENT_ID_FILE=secret_file('gate\n', 0o600, 'id'),
                CLIENT_SECRET=None, CLIENT_SECRET_FILE=secret_file(f'{SECRET}\n'))
            await source.token()
            path = secret_file('canary-2')
            await source.token()
            os.chmod(path, 0o640)
            fault = await fault_of(source.token())
            assert (fault.cause, 'CLIENT_SECRET_FILE' in fault.reason) == ('secret_file', True)
        forms = [parse_qs(request.body.decode()) for request in server.requests]
        assert [form['client_secret'] for form in forms] == [[SECRET], ['canary-2']]
        assert [form['client_id'] for form in forms] == [['gate'], ['gate']]
    run(test())
