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

"""A loop in a thread of its own, and what may stall in it."""

import asyncio
import subprocess
import sys
import threading

import pytest
from rigs.shared import WAIT


def test_coroutine_runs_in_the_loops_own_thread(loop_thread):
    async def where():
        return threading.current_thread()

    thread = loop_thread.submit(where()).result(WAIT)
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_exception_of_a_coroutine_comes_back(loop_thread):
    async def fail():
        raise KeyError('oops')

    with pytest.raises(KeyError):
        loop_thread.submit(fail()).result(WAIT)


def test_a_stalled_resolver_does_not_hold_up_the_end_of_the_process():
    code = """if True:
        import asyncio, threading, time
        from camera_ws_bridge.sim.loop_thread import LoopThread
        loop_thread = LoopThread()
        began = threading.Event()
        def stall():
            began.set()
            time.sleep(3600)
        async def resolve():
            await asyncio.get_running_loop().run_in_executor(None, stall)
        loop_thread.submit(resolve())
        assert began.wait(30)
        loop_thread.stop()
    """
    subprocess.run([sys.executable, '-c', code], timeout=60, check=True)


def test_the_executor_passes_on_results_and_errors(loop_thread):
    async def both():
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, int, '5') == 5
        with pytest.raises(ValueError):
            await loop.run_in_executor(None, int, 'five')
    loop_thread.submit(both()).result(WAIT)


# ---- to the orchestrator and back
