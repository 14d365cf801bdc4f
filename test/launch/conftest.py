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

"""Makes the shared helpers importable, and skips where pytest cannot run launch tests."""

import importlib.util
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the package rigs


class NotInstalled(pytest.Module):
    """A file that cannot even be imported."""

    def collect(self):
        pytest.skip('launch_testing is not installed: no launch tests', allow_module_level=True)


def skipped(parent, **path):
    """Skip, visibly, without launch_testing."""
    if importlib.util.find_spec('launch_testing') is None:
        return NotInstalled.from_parent(parent, **path)


# Before pytest 7 (Humble has 6.2) a hook is refused for an argument that it does not know.
if hasattr(pytest, 'version_tuple'):
    def pytest_pycollect_makemodule(module_path, parent):
        return skipped(parent, path=module_path)
else:
    def pytest_pycollect_makemodule(path, parent):
        return skipped(parent, fspath=path)


def pytest_collection_modifyitems(config, items):
    """Give them time; skip, visibly, where launch_testing's pytest plugin is not loaded."""
    for item in items:
        if HERE in pathlib.Path(getattr(item, 'path', None) or item.fspath).parents:
            item.add_marker(pytest.mark.timeout(300))
            if not config.pluginmanager.hasplugin('launch_testing'):
                item.add_marker(pytest.mark.skip(
                    reason="launch_testing's pytest plugin is not loaded; "
                           'PYTHONPATH=test launch_test runs this file'))
