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

"""Threads for what may stall: what becomes of a job, and of one whose thread never begins."""

import _thread
import threading

from camera_ws_bridge.transport.daemon_executor import DaemonExecutor
import pytest

pytestmark = pytest.mark.timeout(30)


def test_a_job_has_a_thread_of_its_own_and_its_result_or_error_is_told():
    executor = DaemonExecutor()
    assert executor.submit(threading.get_ident).result(20) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 / 0).result(20)


def test_a_job_that_stalls_holds_up_no_other():
    executor, goes_on = DaemonExecutor(), threading.Event()
    stalled = executor.submit(goes_on.wait)
    assert executor.submit(lambda: 'done').result(20) == 'done'
    goes_on.set()
    assert stalled.result(20)


def test_a_thread_that_never_begins_is_an_error_and_its_job_is_never_done(monkeypatch):
    """Without memory Python's own threads die before they begin, and Thread.start() waits on."""
    started, done = [], []

    def start(function, arguments):
        started.append((function, arguments))
        return 1
    monkeypatch.setattr(_thread, 'start_new_thread', start)
    with pytest.raises(MemoryError):
        DaemonExecutor().submit(done.append, 1)
    for function, arguments in started:  # later than anybody waits for
        function(*arguments)
    assert started and not done
