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
One connection, served from its first frame to its end.

Three tasks: one reads, one writes, one watches the clock. Acknowledged is what was written before
a ping whose pong is back: the orchestrator handles the frames of a connection in order. What
happens between two connections is link's business.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from camera_ws_bridge.buffer.outbox import Outbox
from camera_ws_bridge.errors import as_fault, LinkFault
from camera_ws_bridge.link.connection import Connection
from camera_ws_bridge.link.inbound import Inbound
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.link.suspicion import Silence, Suspicion
from camera_ws_bridge.protocol import codec, rejection
from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.identifier import Identifier

TICK = 0.25  # seconds between two looks at the clock
REST = 2  # ticks, while nothing is awaited
PONG_PATIENCE = 6.0  # heartbeat_timeouts for a pong, which may queue behind a large replay
TOKEN_TIMEOUT = 30.0  # seconds; token sources have tighter limits of their own
TOKEN_DOUBT = 1.0  # seconds after a registration in which a close is blamed on the token
REIDENTIFY_SOON = 2.0  # seconds after a registration until the first repeat


class Camera(Protocol):
    """The camera that is linked; camera_ws_bridge.bridge.Bridge is one. It raises nothing."""

    settings: Settings  # as they are now
    outbox: Outbox
    inbound: Inbound

    def state_changed(self) -> None:
        """Hear that the link has another state, or has failed once more."""


class Tokens(Protocol):
    """Where JSON Web Tokens come from; auth.sources has them."""

    async def token(self) -> str:
        """Return the token for a new connection; raise LinkFault."""

    def rejected(self) -> None:
        """Hear that the orchestrator did not accept it."""


class Owner(Protocol):
    """Who has the connection: the link."""

    def too_late(self) -> bool:
        """Tell whether the first registration does not come in time."""

    def registered(self) -> None:
        """Hear that the camera is registered."""

    def tick(self, suspect: bool) -> None:
        """Be called every TICK while it is; suspect: whether the peer is too silent."""

    def begin_anew(self, why: LinkFault) -> None:
        """Leave the connection and connect again without waiting."""

    def keeps(self, connection: Connection, fault: LinkFault) -> bool:
        """Tell whether a connection that is left stays open; then it is not ours any more."""


class ActiveConnection:
    """The life of one connection, and what is known of it."""

    def __init__(
            self, connection: Connection, camera: Camera, owner: Owner, tokens: Tokens | None,
            clock: Callable[[], float], goes_on: bool = False) -> None:
        """
        Put the parts together; run() begins.

        clock: monotonic seconds; goes_on: this connection was served before.
        """
        self.connection = connection
        self.registered_at: float | None = None
        self.round_trip_time = 0.0  # seconds; of the newest pong
        self._camera = camera
        self._outbox = camera.outbox
        self._inbound = camera.inbound
        self._owner = owner
        self._tokens = tokens
        self._clock = clock
        self._goes_on = goes_on
        self._token_awaited = tokens is not None and not goes_on
        self._token_sent = False
        self._over = False
        self._flushing = False
        self._heard_at = self._last_ping_at = clock()  # when something last got through
        self._progress = connection.progress()
        self._delivered = connection.delivered()
        self._delivered_at = 0.0  # when that number has grown
        self._suspicion = Suspicion(self._heard_at)
        self._silence: Silence | None = None  # at the last look
        self._suspected = asyncio.Event()  # its silence is
        self._left: asyncio.Future[LinkFault] = asyncio.get_running_loop().create_future()
        self._identify_at = 0.0
        self._registering = False  # the pong behind `identifier` is not back
        self._awaited_pongs: deque[float] = deque()  # when their pings were sent
        self._ping_wanted = False
        self._wake_writer = asyncio.Event()
        self._writer_waits = False  # has written all that it could
        self._registered = asyncio.Event()
        self._drained = asyncio.Event()

    # ---- what the link asks of it

    async def run(self) -> LinkFault:
        """Serve the connection until it ends; return why. What is in flight stays so."""
        tasks = [asyncio.create_task(job()) for job in (
            self._read, self._write, self._watch, self._doubt)]
        ends: list[asyncio.Future[Any]] = [self._left, *tasks]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            # Reader and writer may fail together; the reader knows the reason.
            task = next((task for task in tasks if task in done), None)
            if task is not None:
                self.leave(self._explained(as_fault(
                    asyncio.CancelledError() if task.cancelled() else task.exception())))
            return self._left.result()
        finally:
            self._over = True
            self._writer_waits = False
            self._drained.set()  # nothing more will be, on this connection
            try:
                if not self._left.done():
                    self.connection.abort()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._inbound.end_connection()

    def wake(self) -> None:
        """Say that the outbox has something new."""
        if not self._writer_waits or not self.connection.can_write():
            self._wake_writer.set()
            return
        # Nobody else is writing: this saves a turn of the writer's task.
        try:
            for item in self._outbox.take(self._clock()):
                self.connection.write(item.payload)
        except LinkFault:
            self.connection.abort()  # what was taken is in flight: it goes back at the end
        if self._ping_is_due():
            self._wake_writer.set()

    def leave(self, why: LinkFault) -> None:
        """End, for this reason."""
        if self._left.done():
            return
        self._left.set_result(why)
        known = self._goes_on or self.registered_at is not None
        if not (known and self._owner.keeps(self.connection, why)):
            self.connection.abort()

    def identify_interval_changed(self) -> None:
        """Go by the new one from now on."""
        # While a registration is under way, its pong says when the next one is due.
        if not self._registering:
            self._identify_again_in(self._camera.settings.identify_interval)

    async def close(self, timeout: float) -> None:
        """Flush and close with 1001 (going away), for about `timeout` seconds at most."""
        deadline = self._clock() + timeout
        self._flushing = True
        self._wake_writer.set()
        if not self._over:
            self._drained.clear()
        if len(self._outbox):  # may be about to be sent: a registration may be under way
            await wait(self._drained, deadline - self._clock())
        # A stalled peer must not cost more than the rest of the time.
        await self.connection.close(1001, max(0.1, deadline - self._clock()))

    # ---- its tasks

    async def _read(self) -> None:
        # Nothing in this loop may suspend but receive(): see transport.websocket.
        while True:
            frame = await self.connection.receive()
            self._heard_at = self._clock()
            self._inbound.handle(frame, self._heard_at)

    async def _write(self) -> None:
        await self._authenticate()
        await self._identify()
        await self._registered.wait()
        while True:
            self._wake_writer.clear()
            for item in self._outbox.take(self._clock()):
                await self.connection.send(item.payload)
            if self._clock() >= self._identify_at:
                await self._identify()
            if self._ping_is_due():
                await self._ping()
            self._writer_waits = True
            await self._wake_writer.wait()
            self._writer_waits = False

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_to_tick(self._clock(), TICK * (REST if self._rests() else 1)))
            now = self._clock()
            if self._awaited_pongs or self._outbox.in_flight:
                self._look_for_progress(now)
            else:
                self._heard_at = now  # silence counts only while something is waited for
            self._leave_if_silent(now)
            self._outbox.expire(now)
            if self.registered_at is not None:
                self._want_what_is_due(now)
                self._owner.tick(self._suspect(now))

    async def _doubt(self) -> None:
        """Leave a suspect that answers new connections: this one is dead."""
        while True:
            if not self._suspected.is_set():
                self._suspicion.proofs = 0
                await self._suspected.wait()
            differ = await self.connection.answers_anew()
            if self._suspicion.weigh(differ, self.connection.silence()):
                self._owner.begin_anew(LinkFault(
                    'silent', 'it answers new connections, but this one no more'))
            if not self._suspicion.proofs:
                await asyncio.sleep(TICK)

    # ---- what they are made of

    async def _authenticate(self) -> None:
        if self._tokens is None or self._goes_on:
            return
        try:
            jwt = await asyncio.wait_for(self._tokens.token(), TOKEN_TIMEOUT)
        except asyncio.TimeoutError:
            raise _no_token() from None
        self._token_awaited = False
        self._token_sent = True
        self._inbound.shown_token = jwt
        await self.connection.send(codec.encode_utf8(Authenticate(jwt)))

    def _explained(self, fault: LinkFault) -> LinkFault:
        """Return the fault, or that the token is to blame for it."""
        doubt = TOKEN_DOUBT if self._token_sent else 0.0
        registered = self.registered_at is not None and (
            self._clock() - self.registered_at >= doubt)
        return fault if self._flushing else rejection.explained(
            fault, registered=registered, token_shown=self._token_sent,
            token_configured=self._tokens is not None)

    async def _identify(self) -> None:
        """Register; again and again, since an older connection's end undoes a registration."""
        self._identify_at = float('inf')  # until the pong: one registration at a time
        self._registering = True
        self._inbound.begin_registration(
            anew=self.registered_at is None and not self._goes_on)
        await self.connection.send(codec.encode_utf8(Identifier(self._camera.settings.camera_id)))
        await self._ping(registration=True)

    def _identify_again_in(self, interval: float) -> None:
        self._identify_at = self._clock() + interval if interval > 0 else float('inf')

    async def _ping(self, registration: bool = False) -> None:
        sent_at = self._last_ping_at = self._clock()
        serial = self._outbox.sent
        self._ping_wanted = False
        self._awaited_pongs.append(sent_at)
        pong = await self.connection.ping()
        pong.add_done_callback(lambda done: self._on_pong(done, sent_at, serial, registration))

    def _ping_is_due(self) -> bool:
        if self._awaited_pongs:
            return False
        return self._ping_wanted or self._outbox.wants_acknowledgement or (
            self._flushing and self._outbox.in_flight > 0)

    def _on_pong(
            self, pong: asyncio.Future[Any], sent_at: float, serial: int,
            registration: bool) -> None:
        if pong.cancelled() or pong.exception() or self._over:
            return
        self._awaited_pongs.popleft()
        self._heard_at = self._clock()
        self.round_trip_time = self._heard_at - sent_at
        acknowledged = self._outbox.acknowledged
        self._outbox.acknowledge(serial)
        if self._outbox.acknowledged > acknowledged:  # else it says nothing of the window
            self._fit_window(self.round_trip_time)
        if registration:
            self._on_registration()
        if not len(self._outbox):
            self._drained.set()
        self._wake_writer.set()

    def _fit_window(self, round_trip_time: float) -> None:
        """Keep the window so that its acknowledgement comes well before the peer is given up."""
        if round_trip_time > self._camera.settings.heartbeat_timeout / 2:
            self._outbox.narrow()
        elif round_trip_time < self._camera.settings.heartbeat_timeout / 8:
            self._outbox.widen()

    def _on_registration(self) -> None:
        self._registering = False
        self._inbound.end_registration()
        interval = self._camera.settings.identify_interval
        if self.registered_at is not None:
            self._identify_again_in(interval)
            return
        self.registered_at = self._clock()
        self._suspicion = Suspicion(self.registered_at)
        self._identify_again_in(min(REIDENTIFY_SOON, interval))
        self._owner.registered()
        self._registered.set()

    def _look_for_progress(self, now: float) -> None:
        progress = self.connection.progress()
        if progress > self._progress:
            self._heard_at = now
        self._progress = progress
        delivered = self.connection.delivered()
        if delivered > self._delivered:
            self._delivered_at = now  # a large message on a slow link takes its time
        self._delivered = delivered

    def _leave_if_silent(self, now: float) -> None:
        timeout = self._camera.settings.heartbeat_timeout
        if now - self._heard_at > timeout:
            raise LinkFault('silent', f'it has not answered for {timeout:g} s')
        patience = PONG_PATIENCE * timeout
        if self._awaited_pongs and (
                now - max(self._awaited_pongs[0], self._delivered_at) > patience):
            raise LinkFault('silent', f'it sends, but has not answered a ping for {patience:g} s')
        if self._owner.too_late():
            raise _no_token() if self._token_awaited else LinkFault(
                'silent', 'it has not confirmed the registration')

    def _rests(self) -> bool:
        """Tell whether nothing is to be sent and nothing awaited, nor by the kernel."""
        return not (self.registered_at is None or len(self._outbox) or self._awaited_pongs
                    or self._silence is None or self._silence.unanswered)

    def _suspect(self, now: float) -> bool:
        self._silence = self.connection.silence()
        suspect = self._suspicion.look(self._silence, now)
        if suspect:
            self._suspected.set()
        else:
            self._suspected.clear()
        return suspect

    def _want_what_is_due(self, now: float) -> None:
        idle = now - self._last_ping_at >= self._camera.settings.heartbeat_interval
        if self._outbox.in_flight or idle:
            self._ping_wanted = True
        if self._ping_is_due() or now >= self._identify_at:
            self._wake_writer.set()


def _to_tick(now: float, tick: float) -> float:
    """Return the seconds until all links of the process have a tick: it wakes up once for all."""
    left = tick - now % tick
    return left if left > TICK / 2 else left + tick


async def wait(event: asyncio.Event, timeout: float) -> None:
    """Wait until the event is set, for `timeout` seconds at most."""
    try:
        await asyncio.wait_for(event.wait(), max(0.0, timeout))
    except asyncio.TimeoutError:
        pass


def _no_token() -> LinkFault:
    return LinkFault('token_server', 'there is no token to be had in time')
