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

"""Threads for what may stall, such as the look-up of a host name."""

from __future__ import annotations

import _thread
from collections.abc import Callable
import concurrent.futures
from typing import Any

PATIENCE = 1.0  # seconds until a thread begins


class DaemonExecutor(concurrent.futures.ThreadPoolExecutor):
    """
    A thread per job that nobody waits for.

    The loop resolves host names in its executor, and the interpreter joins the usual pool's
    threads at exit: a resolver that stalls would hold up the end of the process. A thread that
    finds no memory to begin with dies without a word, and threading waits for it for ever.
    """

    def submit(
            self, fn: Callable[..., Any], /, *args: Any,
            **kwargs: Any) -> concurrent.futures.Future[Any]:
        """Call the function in a thread of its own; return the future of its result."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        awaited = _thread.allocate_lock()
        awaited.acquire()

        def run() -> None:
            awaited.release()
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
        _thread.start_new_thread(run, ())
        if not awaited.acquire(timeout=PATIENCE):
            future.cancel()
            raise MemoryError('a thread has not begun')
        return future
