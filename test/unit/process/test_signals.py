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

"""The signals that end a process, in a process of their own."""

import subprocess
import sys

import pytest

PATIENCE = 30.0  # seconds

# Two signals, the second when the loop that heard the first is closed and gone.
TWICE = """
import asyncio, gc, os, signal
from camera_ws_bridge.process.signals import on_end_signal
def hear():
    loop = asyncio.new_event_loop()
    on_end_signal(loop, loop.stop)
    loop.call_later(0, os.kill, os.getpid(), signal.{name})
    loop.run_forever()
    loop.close()
hear()
gc.collect()
os.kill(os.getpid(), signal.{name})
print('goes on')
"""


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_second_signal_at_the_very_end_is_no_news(tmp_path, name):
    done = subprocess.run(
        [sys.executable, '-c', TWICE.format(name=name)], cwd=tmp_path, text=True,
        capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, 'goes on\n', '')
