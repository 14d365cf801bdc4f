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
One camera's bridge at run time, and the one way from the ROS executor into the asyncio loop.

Messages come in through `Bridge.submit_*`, from any thread: at once where the executor shares the
loop's thread, over a queue where it does not (see camera_ws_bridge.process.loops). Everything that
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
from typing import Any

from camera_ws_bridge.buffer.memory import Trimmer
from camera_ws_bridge.buffer.outbox import Outbox, Policy
from camera_ws_bridge.buffer.spool.writer import SpoolWriter
from camera_ws_bridge.errors import LinkFault, MessageError
from camera_ws_bridge.link.link import Link, Settings
from camera_ws_bridge.log.throttled_log import LimitedLog, Logger
from camera_ws_bridge.process.loops import LoopHost, LoopThread
from camera_ws_bridge.protocol.messages import Start, Update
from camera_ws_bridge.tracking.frame_stamps import FrameStamps, Stamp
from camera_ws_bridge.tracking.tracked_objects import Command

__all__ = ['Bridge', 'LoopThread']

REPORT_PERIOD = 1.0  # seconds
MAX_WAITING = 256  # messages that wait for the end of a flush
SPOOL_CLOSE_TIMEOUT = 1.0  # seconds for a slow disk to take the rest


class Bridge:
    """One camera: what its ROS side and its link to the orchestrator have in common."""

    def __init__(
            self, link: Link, frames: FrameStamps, host: LoopHost, logger: Logger, *,
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
        self.lost: Counter[str] = Counter()  # messages that did not come from ROS, by kind
        self._frames = frames
        self._host = host
        self._loop = host.loop
        self._limited = LimitedLog(logger, time.monotonic)
        self._publish = publish
        self._publish_tracked = publish_tracked
        self._report = report
        self._on_end = on_end
        self._inbox: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._tracked_is_news = False  # whether it will be published when the burst is over
        self._crossing = False  # whether the loop has been told that the inbox is not empty
        self._flushing = False
        self._reported_drops = 0
        self._trimmer = Trimmer()
        self._reporting: asyncio.Task[None] | None = None
        self._linking: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    # ---- called from the executor's thread

    def begin(self) -> None:
        """Begin to report, and to expire what is buffered."""
        self._loop.call_soon_threadsafe(self._begin)

    def connect(self) -> None:
        """Begin to connect, for the first time or after a disconnect."""
        self._loop.call_soon_threadsafe(self._connect)

    def begin_to_disconnect(self) -> concurrent.futures.Future[None]:
        """Begin what disconnect() does; the future says when it is done."""
        return asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop)

    def disconnect(self) -> None:
        """
        Flush for at most shutdown_timeout and close the connection; returns when that is done.

        What is buffered, counted and tracked stays.
        """
        self._wait(self._disconnect())

    def submit_boxes(self, frame_id: float, stamp: Stamp, payload: bytes) -> None:
        """Hand over an encoded boxes message; stamp: its header's."""
        self._cross(self._accept_boxes, frame_id, stamp, payload, time.monotonic())

    def submit_update(self, update: Update, payload: bytes) -> None:
        """Hand over a feature map that the re-ID node extracted, and its encoded form."""
        self._cross(self._accept_update, update, payload, time.monotonic())

    def reject(self, topic: str, error: Exception) -> None:
        """Count a message from ROS that cannot be sent, and say why."""
        if isinstance(error, MessageError):
            self.rejected[error.cause] += 1
            self._limited.warning(
                topic, f'{self.link.settings.camera_id}: message on {topic} ignored: {error}')
            return
        # Not raised: the executor would forget the messages that it has taken behind this one.
        self.rejected['internal'] += 1
        self._limited.error(
            f'internal {topic}', f'{self.link.settings.camera_id}: message on {topic} ignored: '
            f'internal error, please report: {type(error).__name__}: {error}')

    def configure(
            self, settings: Settings, delays: tuple[float, float, float], boxes: Policy,
            updates: Policy, reconcile: bool) -> None:
        """
        Go by other values from now on: all of them at once, in the loop's next turn.

        delays: reconnect_delay_min, reconnect_delay_max and stable_after, in seconds.
        """
        def configure() -> None:
            self.link.configure(settings, *delays)
            self.link.session.reconcile = reconcile
            self.outbox.limit(boxes, updates, time.monotonic())
        self._loop.call_soon_threadsafe(configure)

    def reconnect(self) -> None:
        """Drop the connection and connect anew."""
        self._loop.call_soon_threadsafe(self.link.reconnect)

    def clear_buffer(self) -> int:
        """Drop what is queued; return how many messages that were."""
        async def clear() -> int:
            return self.outbox.clear('cleared')
        return self._host.wait(clear(), 5.0)

    def begin_to_shut_down(self) -> None:
        """Begin what shut_down() does, as there may be others to do so meanwhile."""
        self._loop.call_soon_threadsafe(self._end)

    def shut_down(self) -> None:
        """Flush, close and end all tasks for good; returns when that is done."""
        async def shut_down() -> None:
            await asyncio.shield(self._end())
        self._wait(shut_down())

    def _wait(self, job: Coroutine[Any, Any, None]) -> None:
        timeout = self.link.settings.shutdown_timeout + SPOOL_CLOSE_TIMEOUT + 1.0
        try:
            self._host.wait(job, timeout)
        except TimeoutError:
            pass  # a loop that hangs in a daemon thread ends with the process

    @property
    def outbox(self) -> Outbox:
        """Return the buffer."""
        return self.link.outbox

    def _cross(self, accept: Callable[..., None], *arguments: Any) -> None:
        self._inbox.append((accept, arguments))
        if threading.get_ident() == self._host.thread_id:
            self._arrive()
        elif not self._crossing:
            # One wake-up of the loop for as many messages as come before it has run.
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
        # A flush has an end: what comes meanwhile waits, but for what is too much to be kept here.
        waiting = MAX_WAITING if self._flushing else 0
        self._crossing = False
        while len(self._inbox) > waiting:
            accept, arguments = self._inbox.popleft()
            accept(*arguments)
        self.link.wake()

    def _accept_boxes(self, frame_id: float, stamp: Stamp, payload: bytes, now: float) -> None:
        self._frames.add(frame_id, stamp)
        self.outbox.put(self.outbox.boxes, payload, now)

    def _accept_update(self, update: Update, payload: bytes, now: float) -> None:
        self.link.session.extracted(update)
        self._tracked_changed()
        self.outbox.put(self.outbox.updates, payload, now, update.object_id)

    def _begin(self) -> None:
        self._tracked_changed()
        self._reporting = self._loop.create_task(self._report_often())

    def _connect(self) -> None:
        self._linking = self._loop.create_task(self._run_link())

    async def _run_link(self) -> None:
        try:
            await self.link.run()
        except LinkFault as fault:
            self._on_end(fault)
        except Exception as error:
            self._on_end(LinkFault('internal', f'{type(error).__name__}: {error}'))

    async def _report_often(self) -> None:
        while True:
            for job in (self._expire, self._warn_of_drops, lambda: self._report(False)):
                self._guard(job)
            await asyncio.sleep(REPORT_PERIOD)

    def _expire(self) -> None:
        self.outbox.expire(time.monotonic())
        size = self.outbox.boxes.bytes + self.outbox.updates.bytes
        self._trimmer.watch(size, self.outbox.take_peak_bytes())

    def _guard(self, job: Callable[[], None]) -> None:
        """Do what must not end because it went wrong once, for instance on a full disk."""
        try:
            job()
        except Exception as error:
            self._limited.error(
                'internal', f'{self.link.settings.camera_id}: internal error, please report: '
                f'{type(error).__name__}: {error}')

    def _warn_of_drops(self) -> None:
        dropped = self.outbox.dropped
        if dropped.total() > self._reported_drops:
            self._reported_drops = dropped.total()
            causes = ', '.join(f'{cause} {count}' for cause, count in sorted(dropped.items()))
            self._limited.warning(
                'dropped', f'{self.link.settings.camera_id}: messages dropped so far: {causes}')

    async def _disconnect(self) -> None:
        self._arrive()  # what has come before this call belongs to what is flushed
        self._flushing = True
        try:
            await self.link.shut_down()
            await _cancel(self._linking)
        finally:
            self._flushing = False
            self._arrive()

    def _end(self) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = self._loop.create_task(self._shut_down())
        return self._ending

    async def _shut_down(self) -> None:
        try:
            await self._disconnect()
            if self.spool is None:
                # What is in flight may have arrived, but nobody will know.
                self.outbox.restore()
                self.outbox.clear('shut_down')
            self._warn_of_drops()
            await _cancel(self._reporting)
            self._guard(lambda: self._report(True))
        finally:
            if self.spool is not None:
                await self._loop.run_in_executor(None, self.spool.close, SPOOL_CLOSE_TIMEOUT)


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
