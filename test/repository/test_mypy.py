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

"""The package's types are complete and right."""

import subprocess
import sys

import pytest
from rigs.own_files import ROOT

pytest.importorskip('mypy', reason='mypy is not installed')


@pytest.mark.linter
@pytest.mark.timeout(600)  # much work, on a busy machine
@pytest.mark.mypy
def test_mypy(tmp_path):
    result = subprocess.run(
        [sys.executable, '-m', 'mypy', '--strict', '--cache-dir', str(tmp_path),
         'camera_ws_bridge'], cwd=ROOT, text=True, capture_output=True, timeout=570)
    assert result.returncode == 0, result.stdout + result.stderr
