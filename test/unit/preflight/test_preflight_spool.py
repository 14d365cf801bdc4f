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

"""Whether the spool can be written, without a trace."""

import os

from camera_ws_bridge.buffer.spool.spool import Spool
from camera_ws_bridge.preflight import spool as spool_check
from camera_ws_bridge.preflight.report import Status
import pytest


def test_a_spool_that_is_not_wanted():
    assert spool_check.check('', 1).status is Status.SKIPPED


def test_a_spool_that_can_be_made_is_not_made(tmp_path):
    found = spool_check.check(str(tmp_path / 'one' / 'two' / 'queue'), 2**20)
    assert (found.status, found.data['exists']) == (Status.OK, False)
    assert os.listdir(tmp_path) == []


def test_a_spool_in_use_is_left_alone(spool, path):
    before = os.stat(path)
    found = spool_check.check(path, 2**20)
    assert (found.status, found.data['exists']) == (Status.OK, True)
    assert os.stat(path) == before
    spool.write((), ())  # still works


def test_too_little_room(tmp_path):
    found = spool_check.check(str(tmp_path / 'queue'), 2**60)
    assert found.status is Status.WARNING and 'spool_max_bytes' in found.detail


@pytest.mark.parametrize('spoil, part', (
    (lambda path: os.chmod(path.parent, 0o777), 'chmod go-w'),
    (lambda path: path.symlink_to('/etc/passwd'), 'symbolic link'),
    (lambda path: path.mkdir(), 'not a regular file'),
    (lambda path: os.rmdir(path.parent) or path.parent.write_bytes(b''), 'not a directory')))
def test_paths_that_the_bridge_would_refuse(tmp_path, spoil, part):
    path = tmp_path / 'folder' / 'queue'
    path.parent.mkdir(0o700)
    spoil(path)
    found = spool_check.check(str(path), 2**20)
    assert found.status is Status.FAILED and part in found.detail
    with pytest.raises(Exception, match=part):
        Spool.open(str(path), 2**20)


@pytest.mark.parametrize('path', ('a\0b', '/x' * 3000))
def test_paths_that_are_none(path):
    assert spool_check.check(path, 2**20).status is Status.FAILED


def test_a_place_where_we_may_not_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)  # root may write everywhere
    tmp_path.chmod(0o700)
    found = spool_check.check(str(tmp_path / 'queue'), 2**20)
    assert found.status is Status.FAILED and 'not writable' in found.detail
