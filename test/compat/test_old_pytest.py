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

"""What the pytest of ROS 2 Humble, 6.2, asks of a conftest.py: it knows no `path` of pathlib."""

import inspect
import pathlib
import runpy
import types

import pytest

LAUNCH = pathlib.Path(__file__).resolve().parents[1] / 'launch'


@pytest.fixture
def conftest(monkeypatch):
    """Return the names in the one of the launch tests, as an old pytest reads it."""
    monkeypatch.delattr(pytest, 'version_tuple')
    monkeypatch.syspath_prepend('')  # it changes the path
    return runpy.run_path(str(LAUNCH / 'conftest.py'))


def test_its_hook_for_modules_takes_what_an_old_pytest_gives(conftest):
    assert list(inspect.signature(conftest['pytest_pycollect_makemodule']).parameters) == [
        'path', 'parent']


def test_a_launch_test_of_an_old_pytest_gets_its_time(conftest):
    marks = []
    item = types.SimpleNamespace(fspath=LAUNCH / 'test_a.py', add_marker=marks.append)
    plugins = types.SimpleNamespace(hasplugin=lambda name: True)
    conftest['pytest_collection_modifyitems'](
        types.SimpleNamespace(pluginmanager=plugins), [item])
    assert [mark.name for mark in marks] == ['timeout']
