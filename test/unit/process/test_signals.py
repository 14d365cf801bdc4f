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
import os, signal, threading
from camera_ws_bridge.process.signals import END_SIGNALS
heard = threading.Semaphore(0)
END_SIGNALS.on_signal(heard.release)
for _ in range(2):
    os.kill(os.getpid(), signal.{name})
    heard.acquire()
# What a library that takes its own handlers away leaves.
signal.signal(signal.{name}, signal.SIG_DFL)
os.kill(os.getpid(), signal.{name})
heard.acquire()
print('goes on')
"""


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_every_signal_is_told_of_and_none_kills(tmp_path, name):
    done = subprocess.run(
        [sys.executable, '-c', TWICE.format(name=name)], cwd=tmp_path, text=True,
        capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, 'goes on\n', '')


def test_a_thread_that_is_made_later_holds_them_back_as_well(tmp_path):
    text = """
import signal, threading
from camera_ws_bridge.process.signals import END_SIGNALS, NUMBERS
END_SIGNALS.hold_back()
found = []
thread = threading.Thread(target=lambda: found.append(signal.pthread_sigmask(0, [])))
thread.start()
thread.join()
print({*NUMBERS} <= found[0])
"""
    done = subprocess.run(
        [sys.executable, '-c', text], cwd=tmp_path, text=True, capture_output=True,
        timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ('True\n', '')
