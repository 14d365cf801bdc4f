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

"""Where the executables begin, on their own."""

import signal
import subprocess
import sys

import pytest

PATIENCE = 30.0  # seconds

# Importing rclpy says so, and then takes for ever.
START = """
import sys
class Stall:
    def find_spec(self, name, path=None, target=None):
        if name == 'rclpy':
            print('importing', flush=True)
            sys.stdin.read()
sys.meta_path.insert(0, Stall())
from camera_ws_bridge.process import start
sys.exit(start.{executable}())
"""


@pytest.mark.parametrize('executable', ['bridge', 'multi_bridge'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_python_still_imports_ends_it_in_order(tmp_path, executable, number):
    with subprocess.Popen(
            [sys.executable, '-c', START.format(executable=executable)], cwd=tmp_path,
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == 'importing\n', process.stderr.read()
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
            assert process.stderr.read() == ''
        finally:
            process.kill()
