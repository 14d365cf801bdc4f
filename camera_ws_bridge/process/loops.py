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

"""
Where the asyncio loop of the bridges runs: in the ROS executor's thread, in turns with it.

One thread for both costs less CPU per message than two: a message does not wake a second thread,
and nobody waits for Python's lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
import contextlib
import select
import selectors
import threading
import time
from typing import Any, Protocol, TypeVar

from camera_ws_bridge.process.wake_ups import WakeUps
from camera_ws_bridge.transport.daemon_executor import DaemonExecutor

MAX_TURN = 8  # iterations of a busy loop until the executor has its turn
MAX_TURN_TIME = 0.01  # seconds; as well
MAX_LEFT = 256  # things at the end; a publisher does not stop for it
MAX_LEFT_TIME = 1.0  # seconds; as well, since each may take long
MAX_SHARED_TIME = 0.02  # seconds of what shares a wake-up until the loop has its turn
MOMENT = 1e-6  # seconds
LONGEST_WAIT = 1.0  # seconds; an executor's wait without a limit does not work everywhere
BRAKE = 0.01  # seconds to pause where one turn of the executor after the other fails

T = TypeVar('T')


class Executor(Protocol):
    """What is needed of a ROS executor."""

    def create_task(self, callback: Callable[[], None]) -> Any:
        """Run the callback in spin_once; from any thread."""

    def spin_once(self, timeout_sec: float) -> None:
        """Wait for one thing to do, and do it."""


class SharedLoop:
    """
    A loop that takes turns with a ROS executor in the thread that makes it.

    While there is nothing to do, the thread waits in the executor: messages from ROS are what
    comes most. A second thread, which touches nothing else, waits for the loop's sockets and
    wakes the executor. Callbacks of the executor run between two runs of the loop: they may call
    the loop's methods directly, and `wait`.
    """

    def __init__(self) -> None:
        self._selector = _Selector()
        self.loop: asyncio.AbstractEventLoop = _Loop(self._selector)
        self.loop.set_default_executor(DaemonExecutor())
        self._selector.interrupt = self.loop.stop

    def wait(self, job: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine to its end, from outside of the loop; or raise TimeoutError."""
        try:
            return self.loop.run_until_complete(asyncio.wait_for(job, timeout))
        except asyncio.TimeoutError:
            raise TimeoutError from None  # one type before Python 3.11, too

    def spin(
            self, executor: Executor, until: Callable[[], bool],
            on_error: Callable[[], None], wake_interval: float = 0.0) -> None:
        """
        Let loop and executor work until the condition holds, which one of them has to change.

        on_error is called where an exception of a callback of the executor is handled.
        wake_interval: seconds; what comes within them may share one wake-up.
        """
        def wake() -> None:
            executor.create_task(_nothing)

        watcher = _Watcher(self._selector.fileno(), wake)
        failed = False
        wake_ups = WakeUps(wake_interval)
        due = now = self.loop.time()  # when the loop has to have its turn
        while not until():
            # Most messages from ROS leave it nothing to do.
            if self._selector.has_news or watcher.fired or now >= due:
                due = self._run()
                if until():
                    return
                now = self.loop.time()
            busy = due <= now
            if not busy:
                watcher.arm()
            try:
                if busy:
                    # Its turn is long: one message of ROS after each would be too few.
                    for _ in range(MAX_TURN):
                        executor.spin_once(timeout_sec=0.0)
                elif not wake_interval:
                    executor.spin_once(timeout_sec=min(due - now, LONGEST_WAIT))
                elif wake_ups.shared:
                    time.sleep(wake_ups.rest(now, due))
                    wake_ups.done(_do_what_waits(executor))
                else:
                    worked = time.thread_time()
                    executor.spin_once(timeout_sec=min(due - now, LONGEST_WAIT))
                    woken_at = self.loop.time()
                    wake_ups.woken(woken_at, woken_at - now - (time.thread_time() - worked))
                failed = False
            except Exception:  # noqa: B902
                on_error()
                if failed:
                    time.sleep(BRAKE)
                failed = True
            now = self.loop.time()

    def finish(self, executor: Executor, on_error: Callable[[], None]) -> None:
        """Let the executor do what has come before this, within bounds; wait for nothing."""
        end = time.monotonic() + MAX_LEFT_TIME
        for _ in range(MAX_LEFT):
            if time.monotonic() > end:
                return
            try:
                executor.spin_once(timeout_sec=0)
            except Exception:  # noqa: B902
                on_error()

    def _run(self) -> float:
        """Let the loop have its turn; return when it has to have the next, by its clock."""
        self._selector.sharing = True
        try:
            self.loop.run_forever()
        finally:
            self._selector.sharing = False
        # A timer of the last iteration may have left something to do.
        return self.loop.time() + (0.0 if self._selector.has_news else self._selector.timeout)

    def stop(self) -> None:
        """Close the loop."""
        self.loop.close()


def _nothing() -> None:
    pass


def _do_what_waits(executor: Executor) -> int:
    """Let the executor do all that it could do now; return how many things that were."""
    reached: list[bool] = []
    # One with a wait set looks what is ready only now; without any time, at what is rare as well.
    executor.spin_once(timeout_sec=MOMENT)
    things, news, end = 0, 2, time.monotonic() + MAX_SHARED_TIME
    while news > 1 and time.monotonic() < end:  # the next message may be in line behind the mark
        news = 0
        executor.create_task(lambda: reached.append(True))  # a mark, behind what could be done
        while not reached and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.0)
            news += 1
        reached.clear()
        things += news
    return things


class _Selector(selectors.DefaultSelector):
    """Ends the run of the loop instead of waiting, while the loop shares its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sharing = False
        self.has_news = True  # whether the loop was given something to do since it was idle
        self.timeout = 0.0  # seconds that the loop would have waited
        self.interrupt: Callable[[], None] = _nothing  # loop.stop: after this iteration
        self._turn = 0
        self._turn_end = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.sharing:
            return super().select(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not self._turn:
            self._turn_end = time.monotonic() + MAX_TURN_TIME
        self._turn += 1
        idle = not ready and (timeout is None or timeout > 0)
        if idle:
            self.has_news = False
        if idle or self._turn >= MAX_TURN or time.monotonic() > self._turn_end:
            self._turn = 0
            self.timeout = 0.0 if not idle else LONGEST_WAIT if timeout is None else timeout
            self.interrupt()
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """Says when it is given something to do from outside; other threads wake its selector."""

    def __init__(self, selector: _Selector) -> None:
        self._sharing = selector
        super().__init__(selector)

    # typeshed's signatures cannot be written in Python 3.10.

    def call_soon(self, *args: Any, **context: Any) -> asyncio.Handle:  # type: ignore[override]
        self._sharing.has_news = True
        return super().call_soon(*args, **context)

    def call_at(self, *args: Any, **context: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        self._sharing.has_news = True
        return super().call_at(*args, **context)


class _Watcher:
    """Waits in a thread for the loop's sockets: once each time that it is armed."""

    def __init__(self, descriptor: int, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._armed = threading.Semaphore(0)
        self.fired = True  # since it was armed
        threading.Thread(target=self._run, name='sockets', daemon=True).start()

    def arm(self) -> None:
        """Watch, from now on; does nothing while it watches already."""
        if self.fired:
            self.fired = False
            self._armed.release()

    def _run(self) -> None:
        while True:
            self._armed.acquire()
            self._poll.poll()
            self.fired = True
            with contextlib.suppress(Exception):  # the executor may have been shut down
                self._wake()
