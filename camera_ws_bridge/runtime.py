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
The two threads, and the one crossing each way between them.

The executor's thread hands messages to the asyncio loop through `Bridge.submit_*`; everything that
decides runs in the loop's thread, and so does all publishing: rclpy's publishers may be used from
any thread, and a detour over the executor would only add latency.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
import concurrent.futures
import threading
import time
from typing import Any, TypeVar

from camera_ws_bridge.errors import LinkFault, MessageError
from camera_ws_bridge.frame_stamps import FrameStamps, Stamp
from camera_ws_bridge.limited_log import LimitedLog, Logger
from camera_ws_bridge.link import Link
from camera_ws_bridge.messages import Start, Update
from camera_ws_bridge.outbox import Outbox
from camera_ws_bridge.session import Command
from camera_ws_bridge.spool_writer import SpoolWriter

REPORT_PERIOD = 1.0  # seconds
SPOOL_CLOSE_TIMEOUT = 1.0  # seconds for a slow disk to take the rest

T = TypeVar('T')


class _DaemonExecutor(concurrent.futures.ThreadPoolExecutor):
    """
    A thread per job that nobody waits for.

    The loop resolves host names in its executor, and the interpreter joins the usual pool's
    threads at exit: a resolver that stalls would hold up the end of the process.
    """

    def submit(
            self, fn: Callable[..., Any], /, *args: Any,
            **kwargs: Any) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
        threading.Thread(target=run, name='resolver', daemon=True).start()
        return future


class LoopThread:
    """An asyncio loop that runs in a thread of its own; one serves any number of bridges."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(_DaemonExecutor())
        self._thread = threading.Thread(target=self._run, name='asyncio', daemon=True)
        self._thread.start()

    def submit(self, job: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine in the loop; return the future of its result, for any thread."""
        return asyncio.run_coroutine_threadsafe(job, self.loop)

    def stop(self) -> None:
        """End the loop; nothing may be submitted any more."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


class Bridge:
    """One camera: what its ROS side and its link to the orchestrator have in common."""

    def __init__(
            self, link: Link, frames: FrameStamps, loop_thread: LoopThread, logger: Logger, *,
            spool: SpoolWriter | None = None,
            publish: Callable[[Command, Stamp], None],
            publish_tracked: Callable[[], None],
            report: Callable[[bool], None],
            on_end: Callable[[LinkFault], None]) -> None:
        """
        Connect the parts; all callbacks run in the loop's thread.

        publish: a command, and the stamp of the frame it speaks of; publish_tracked: what is
        tracked has changed; report: the state has changed
        (True), or a second has gone by (False); on_end: the link has given up.
        """
        self.link = link
        self.spool = spool
        self.published: Counter[str] = Counter()  # commands, by name of their class
        self.rejected: Counter[str] = Counter()  # messages from ROS, by cause
        self._frames = frames
        self._loop_thread = loop_thread
        self._loop = loop_thread.loop
        self._limited = LimitedLog(logger, time.monotonic)
        self._publish = publish
        self._publish_tracked = publish_tracked
        self._report = report
        self._on_end = on_end
        self._inbox: deque[Callable[[], None]] = deque()
        self._tracked_is_news = False  # whether it will be published when the burst is over
        self._crossing = False  # whether the loop has been told that the inbox is not empty
        self._reported_drops = 0
        self._tasks: list[asyncio.Task[None]] = []

    # ---- called from the executor's thread

    def start(self) -> None:
        """Begin to connect."""
        self._loop.call_soon_threadsafe(self._start)

    def submit_boxes(self, frame_id: float, stamp: Stamp, payload: bytes) -> None:
        """Hand over an encoded boxes message; stamp: its header's."""
        now = time.monotonic()

        def accept() -> None:
            self._frames.add(frame_id, stamp)
            self.outbox.put(self.outbox.boxes, payload, now)
        self._cross(accept)

    def submit_update(self, update: Update, payload: bytes) -> None:
        """Hand over a feature map that the re-ID node extracted, and its encoded form."""
        now = time.monotonic()

        def accept() -> None:
            self.link.session.extracted(update)
            self._tracked_changed()
            self.outbox.put(self.outbox.updates, payload, now, update.object_id)
        self._cross(accept)

    def reject(self, topic: str, error: MessageError) -> None:
        """Count a message from ROS that cannot be sent, and say why."""
        self.rejected[error.cause] += 1
        self._limited.warning(
            topic, f'{self.link.settings.camera_id}: message on {topic} ignored: {error}')

    def reconnect(self) -> None:
        """Drop the connection and connect anew."""
        self._loop.call_soon_threadsafe(self.link.reconnect)

    def clear_buffer(self) -> int:
        """Drop what is queued; return how many messages that were."""
        async def clear() -> int:
            return self.outbox.clear('cleared')
        return self._loop_thread.submit(clear()).result(timeout=5.0)

    def shut_down(self) -> None:
        """Flush, close and end all tasks; returns when that is done."""
        timeout = self.link.settings.shutdown_timeout + SPOOL_CLOSE_TIMEOUT + 1.0
        try:
            self._loop_thread.submit(self._shut_down()).result(timeout)
        except concurrent.futures.TimeoutError:
            pass  # the daemon thread ends with the process

    @property
    def outbox(self) -> Outbox:
        """Return the buffer."""
        return self.link.outbox

    def _cross(self, job: Callable[[], None]) -> None:
        # One wake-up of the loop for as many messages as come before it has run.
        self._inbox.append(job)
        if not self._crossing:
            self._crossing = True
            self._loop.call_soon_threadsafe(self._arrive)

    # ---- called in the loop's thread

    def publish(self, command: Command) -> None:
        """Publish a command; the link calls this."""
        message = command.message
        self.published[type(message).__name__] += 1
        self._publish(command, self._frames.find(
            message.frame_id if isinstance(message, Start) else None))
        self._tracked_changed()

    def state_changed(self) -> None:
        """Report a new state; the link calls this."""
        self._report(True)

    def _tracked_changed(self) -> None:
        # One list for a burst of commands, e.g. the replay of all objects after a reconnect.
        if not self._tracked_is_news:
            self._tracked_is_news = True
            self._loop.call_soon(self._tracked_settled)

    def _tracked_settled(self) -> None:
        self._tracked_is_news = False
        self._publish_tracked()

    def _arrive(self) -> None:
        self._crossing = False
        while self._inbox:
            self._inbox.popleft()()
        self.link.wake()

    def _start(self) -> None:
        self._tracked_changed()
        self._tasks = [
            self._loop.create_task(self._run_link()), self._loop.create_task(self._report_often())]

    async def _run_link(self) -> None:
        try:
            await self.link.run()
        except LinkFault as fault:
            self._on_end(fault)
        except Exception as error:
            self._on_end(LinkFault('internal', f'{type(error).__name__}: {error}'))

    async def _report_often(self) -> None:
        while True:
            self.outbox.expire(time.monotonic())
            self._warn_of_drops()
            self._report(False)
            await asyncio.sleep(REPORT_PERIOD)

    def _warn_of_drops(self) -> None:
        dropped = self.outbox.dropped
        if dropped.total() > self._reported_drops:
            self._reported_drops = dropped.total()
            causes = ', '.join(f'{cause} {count}' for cause, count in sorted(dropped.items()))
            self._limited.warning(
                'dropped', f'{self.link.settings.camera_id}: messages dropped so far: {causes}')

    async def _shut_down(self) -> None:
        try:
            await self.link.shut_down()
            self._warn_of_drops()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            if self.spool is not None:
                await self._loop.run_in_executor(None, self.spool.close, SPOOL_CLOSE_TIMEOUT)
