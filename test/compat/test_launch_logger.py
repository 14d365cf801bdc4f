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

"""What launch does to Python's loggers; the tests have to see what is logged all the same."""

import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]

# As launch.logging, which launch_testing's pytest plugins import before any conftest.py.
PLUGIN = """
import logging

class LaunchLogger(logging.getLoggerClass()):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.propagate = False

logging.setLoggerClass(LaunchLogger)
logging.getLogger('early')
"""
PROBE = """
import logging

def test_probe(caplog):
    for name in 'early', 'late':
        logging.getLogger(name).warning('text')
    assert [record.name for record in caplog.records] == ['early', 'late']
"""


def test_what_is_logged_is_seen_beside_launch(tmp_path):
    (tmp_path / 'launch_like.py').write_text(PLUGIN)
    (tmp_path / 'test_probe.py').write_text(PROBE)
    path = f'{tmp_path}:{TESTS}:{os.environ.get("PYTHONPATH", "")}'
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', 'launch_like', '-p', 'conftest', 'test_probe.py'],
        cwd=tmp_path, text=True, capture_output=True, timeout=100,
        env={**os.environ, 'PYTHONPATH': path,
             'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'})  # they would come behind this conftest
    assert done.returncode == 0, done.stdout + done.stderr
