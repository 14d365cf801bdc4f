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

"""An asyncio loop in a thread of its own, for simulators beside a ROS node."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
import concurrent.futures
import threading
from typing import Any, TypeVar

from camera_ws_bridge.transport.daemon_executor import DaemonExecutor

T = TypeVar('T')


class LoopThread:
    """A loop that runs in a thread of its own."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.loop.set_default_executor(DaemonExecutor())
        self._thread = threading.Thread(target=self._run, name='asyncio', daemon=True)
        self._thread.start()

    def submit(self, job: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine in the loop; return the future of its result, for any thread."""
        return asyncio.run_coroutine_threadsafe(job, self.loop)

    def wait(self, job: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine in the loop to its end, from another thread; or raise TimeoutError."""
        try:
            return self.submit(job).result(timeout)
        except concurrent.futures.TimeoutError:
            raise TimeoutError from None  # one type before Python 3.11, too

    def stop(self) -> None:
        """End the loop; nothing may be submitted any more."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
