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

"""A websockets that is too old, or none, is one line that says what to do, and exit code 2."""

import os
import subprocess
import sys

from camera_ws_bridge.transport import library
import pytest
from rigs.installed import executable as executable_of
from rigs.own_files import ROOT

PATIENCE = 60.0  # seconds
EXECUTABLES = ('bridge', 'multi_bridge', 'check')


def installed(folder, version):
    """Put a websockets into a folder that has nothing but its version."""
    (folder / 'websockets').mkdir()
    (folder / 'websockets/__init__.py').touch()
    (folder / 'websockets/version.py').write_text(f'version = {version!r}\n')


def environment(folder):
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(
        [str(folder), os.environ.get('PYTHONPATH', '')])}


@pytest.mark.parametrize('executable', EXECUTABLES)
@pytest.mark.parametrize('version', ['9.1', '10.3'])
def test_one_line_says_what_to_install(tmp_path, executable, version):
    installed(tmp_path, version)
    done = subprocess.run(
        [executable_of(executable)], text=True, capture_output=True, timeout=PATIENCE,
        env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (2, ''), done.stderr
    (line,) = done.stderr.splitlines()
    assert f'websockets {version} is too old' in line and 'pip install' in line


@pytest.mark.parametrize('version, will_do', [
    ('8.1', False), ('9.1', False), ('10.3', False), ('10.4', True), ('10.4.dev1', True),
    ('11', True), ('11.0', True), ('15.0.1', True), ('17.4', True)])
def test_which_will_do(version, will_do):
    assert (library.too_old(version) == '') == will_do


def test_none_is_told_as_well(monkeypatch):
    monkeypatch.setitem(sys.modules, 'websockets.version', None)
    assert 'is missing' in library.unusable() and 'pip install' in library.unusable()


@pytest.mark.parametrize('version, told', [('9.1', True), ('10.4', False)])
def test_make_sees_it_too(tmp_path, version, told):
    installed(tmp_path, version)
    done = subprocess.run(
        ['bash', str(ROOT / 'scripts/check_ros.bash')], text=True, capture_output=True,
        timeout=PATIENCE, env={**environment(tmp_path), 'ROS_DISTRO': 'humble'})
    assert (f'error: websockets {version} is too old' in done.stderr) == told, done.stderr
    assert not told or done.returncode == 1
