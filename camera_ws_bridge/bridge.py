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
One camera at work: what is tracked, what is buffered, and the link, together.

Everything here runs in one thread: that of the asyncio loop, which the ROS executor shares
(process.loops). Methods are called there, within the loop's turns or between them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
import random
import time
from typing import Any, Protocol, TypeVar

from camera_ws_bridge.buffer.memory import Trimmer
from camera_ws_bridge.buffer.outbox import Outbox
from camera_ws_bridge.buffer.spool.keeper import Keeper
from camera_ws_bridge.errors import EncodeError, LinkFault, MessageError
from camera_ws_bridge.link.backoff import Backoff
from camera_ws_bridge.link.inbound import Inbound
from camera_ws_bridge.link.link import Link, Peer
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.log.throttled_log import Logger, ThrottledLog
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking.frame_stamps import FrameStamps, Stamp
from camera_ws_bridge.tracking.life import Life
from camera_ws_bridge.tracking.tracked_objects import Command, Session

REPORT_PERIOD = 1.0  # seconds
MAX_WAITING = 256  # messages that wait for the end of a flush
SPOOL_CLOSE_TIMEOUT = 1.0  # seconds for a slow disk to take the rest
CURRENT = 0  # stands for the number of the session as it is

T = TypeVar('T')


class LoopHost(Protocol):
    """Where the asyncio loop runs."""

    loop: asyncio.AbstractEventLoop

    def wait(self, job: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine in the loop to its end, from outside of it; or raise TimeoutError."""


class Outlet(Protocol):
    """Where to what the bridge has to tell goes: the node."""

    def now(self) -> int:
        """Return the ROS time in nanoseconds."""

    def publish(self, command: Command, frame_stamp: Stamp) -> None:
        """Publish a command; frame_stamp: of the frame that it speaks of."""

    def publish_tracked(self, session: Session) -> None:
        """Publish what is tracked now."""

    def report(self, state_changed: bool) -> None:
        """Report: the state has changed (True), or a second has gone by (False)."""

    def link_ended(self, fault: LinkFault) -> None:
        """Hear that the link has given up."""


class Bridge:
    """One camera, from its topics to the orchestrator and back."""

    def __init__(
            self, settings: Settings, peer: Peer, outlet: Outlet, host: LoopHost,
            logger: Logger) -> None:
        """Put the parts together; nothing begins yet."""
        self.settings = settings
        self.published: Counter[str] = Counter()  # commands, by name of their class
        self.rejected: Counter[str] = Counter()  # messages from ROS, by cause
        self.lost: Counter[str] = Counter()  # messages that did not come from ROS, by kind
        self._outlet = outlet
        self._host = host
        self._loop = host.loop
        self._log = log = ThrottledLog(logger, settings.camera_id, time.monotonic)
        self.outbox = Outbox(settings.boxes, settings.updates)
        # Numbers of two bridges, one after the other, must not be the same for a re-ID node.
        self.session = Session(settings.reconcile, outlet.now, random.randrange(1, 2**31))
        self.outbox.begin_session(self.session.number)
        take_in = self.session.receive
        self.inbound = Inbound(
            self.session, {Start: take_in, Stop: take_in, Update: take_in},
            settings.command_rate, settings.limits, log, self)
        self.link = Link(self, peer, Backoff(
            settings.reconnect_delay_min, settings.reconnect_delay_max, settings.stable_after,
            random.random), log, time.monotonic)
        self.spool = Keeper(self.outbox, self._spool_came_late, log)
        self._frames = FrameStamps(settings.frame_history)
        self._waiting: deque[Callable[[], None]] = deque()  # for the end of a flush
        self._tracked_is_news = False  # whether it will be published when the burst is over
        self._flushing = False
        self._reported_drops = 0
        self._trimmer = Trimmer()
        self._reporting: asyncio.Task[None] | None = None
        self._linking: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    # ---- what the node asks for

    def open_spool(self, path: str, max_bytes: int) -> None:
        """Take back what an earlier life left; before all else. Raise ConfigurationError."""
        self.spool.open(path, max_bytes)
        life = Life.unpack(self.spool.found_note)
        if life is not None:
            self.session.resume(life)
        self.outbox.begin_session(self.session.number)

    def begin(self) -> None:
        """Begin to report, and to expire what is buffered."""
        self._tracked_changed()
        self._reporting = self._loop.create_task(self._report_often())

    def connect(self) -> None:
        """Begin to connect, for the first time or after a disconnect."""
        self._linking = self._loop.create_task(self._run_link())

    def begin_to_disconnect(self) -> asyncio.Task[None]:
        """Begin what disconnect() does; return the task that does it."""
        return self._loop.create_task(self._disconnect())

    def disconnect(self) -> None:
        """
        Flush for at most shutdown_timeout and close the connection; returns when that is done.

        What is buffered, counted and tracked stays.
        """
        self._wait(self._disconnect())

    def submit_boxes(
            self, frame_id: float, stamp: Stamp, payload: bytes, session: int = CURRENT) -> None:
        """Take an encoded boxes message; stamp: its header's, session: of its object ids."""
        if self._flushing:
            self._wait_for_flush(lambda: self.submit_boxes(frame_id, stamp, payload, session))
            return
        if session != CURRENT and session != self.session.number:
            payload = self.outbox.without_object_ids(payload)
        self._frames.add(frame_id, stamp)
        self.outbox.put(self.outbox.boxes, payload, time.monotonic())
        self.link.wake()

    def submit_update(self, update: Update, payload: bytes, session: int = CURRENT) -> None:
        """Take a feature map that the re-ID node extracted, its encoded form, and its session."""
        if self._flushing:
            self._wait_for_flush(lambda: self.submit_update(update, payload, session))
            return
        if session != CURRENT and session != self.session.number:
            self.reject('feature_map', EncodeError(
                'session', f'{session} is over, it is {self.session.number} now: object '
                f'{update.object_id} may be another one', 'former_session'))
            return
        self.session.extracted(update)
        self._tracked_changed()
        self.outbox.put(self.outbox.updates, payload, time.monotonic(), update.object_id)
        self.link.wake()

    def reject(self, topic: str, error: Exception) -> None:
        """Count a message from ROS that cannot be sent, and say why."""
        if isinstance(error, MessageError):
            self.rejected[error.cause] += 1
            self._log.warning(topic, f'message on {topic} ignored: {error}')
            return
        # Not raised: the executor would forget the messages that it has taken behind this one.
        self.rejected['internal'] += 1
        self._log.bug(error, f'message on {topic} ignored: ')

    def configure(self, settings: Settings) -> None:
        """Go by other settings from now on, all of them at once."""
        old, self.settings = self.settings, settings
        self.session.reconcile = settings.reconcile
        self.inbound.limits = settings.limits
        if settings.command_rate != old.command_rate:
            self.inbound.limit_rate(settings.command_rate)
        self.outbox.limit(settings.boxes, settings.updates, time.monotonic())
        self.link.configure(old)

    def reconnect(self) -> None:
        """Drop the connection and connect anew."""
        self.link.reconnect()

    def clear_buffer(self) -> int:
        """Drop what is queued; return how many messages that were."""
        return self.outbox.clear('cleared')

    def begin_to_shut_down(self) -> asyncio.Task[None]:
        """Begin what shut_down() does, as there may be others to do so meanwhile."""
        if self._ending is None:
            self._ending = self._loop.create_task(self._shut_down())
        return self._ending

    def shut_down(self) -> None:
        """Flush, close and end all tasks for good; returns when that is done."""
        async def shut_down() -> None:
            await asyncio.shield(self.begin_to_shut_down())
        self._wait(shut_down())

    def _wait(self, job: Coroutine[Any, Any, None]) -> None:
        timeout = self.settings.shutdown_timeout + SPOOL_CLOSE_TIMEOUT + 1.0
        try:
            self._host.wait(job, timeout)
        except TimeoutError:
            pass  # what hangs in a daemon thread ends with the process

    # ---- what the link tells

    def state_changed(self) -> None:
        """Report a new state."""
        self._guard(lambda: self._outlet.report(True))

    def told(self, command: Command) -> None:
        """Publish a command."""
        message = command.message
        self.published[type(message).__name__] += 1
        self._guard(lambda: self._outlet.publish(command, self._frames.find(
            message.frame_id if isinstance(message, Start) else None)))
        self._tracked_changed()

    def session_changed(self) -> None:
        """Let what is buffered not reach the objects of another life."""
        self._log.info(
            f'session {self.session.number}: the orchestrator has restarted, or nothing proves '
            'that it has not')
        self.outbox.begin_session(self.session.number)
        self._tracked_changed()

    def _spool_came_late(self) -> None:
        self._loop.call_soon_threadsafe(self._restore_late)

    def _restore_late(self) -> None:
        self.spool.restore_late()
        self.link.wake()

    # ---- inside

    def _tracked_changed(self) -> None:
        # One list for a burst of commands, e.g. the replay of all objects after a reconnect.
        if not self._tracked_is_news:
            self._tracked_is_news = True
            self._loop.call_soon(self._tracked_settled)

    def _tracked_settled(self) -> None:
        self._tracked_is_news = False
        if self.spool.is_open:
            self.spool.note(self.session.life().pack())
        self._outlet.publish_tracked(self.session)

    def _wait_for_flush(self, submit: Callable[[], None]) -> None:
        """Keep a message back: a flush has an end."""
        self._waiting.append(submit)
        if len(self._waiting) > MAX_WAITING:
            self._flushing = False
            self._waiting.popleft()()
            self._flushing = True

    async def _run_link(self) -> None:
        try:
            await self.link.run()
        except LinkFault as fault:
            self._outlet.link_ended(fault)
        except Exception as error:
            self._outlet.link_ended(LinkFault('internal', f'{type(error).__name__}: {error}'))

    async def _report_often(self) -> None:
        while True:
            for job in (self._expire, self._warn_of_drops, lambda: self._outlet.report(False)):
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
            self._log.bug(error)

    def _warn_of_drops(self) -> None:
        dropped = self.outbox.dropped
        if dropped.total() > self._reported_drops:
            self._reported_drops = dropped.total()
            causes = ', '.join(f'{cause} {count}' for cause, count in sorted(dropped.items()))
            self._log.warning('dropped', f'messages dropped so far: {causes}')

    async def _disconnect(self) -> None:
        self._flushing = True
        try:
            await self.link.shut_down()
            await _cancel(self._linking)
        finally:
            self._flushing = False
            while self._waiting:
                self._waiting.popleft()()

    async def _shut_down(self) -> None:
        try:
            await self._disconnect()
            if not self.spool.is_open:
                # What is in flight may have arrived, but nobody will know.
                self.outbox.restore()
                self.outbox.clear('shut_down')
            self._warn_of_drops()
            await _cancel(self._reporting)
            self._guard(lambda: self._outlet.report(True))
        finally:
            if self.spool.is_open:
                await self._close_spool()

    async def _close_spool(self) -> None:
        try:
            await self._loop.run_in_executor(None, self.spool.close, SPOOL_CLOSE_TIMEOUT)
        except (MemoryError, RuntimeError):  # there is no thread to be had for it
            self.spool.close(SPOOL_CLOSE_TIMEOUT)


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
