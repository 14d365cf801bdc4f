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
The life of the link: connect, register, write, read, notice a silent peer, come back.

The network is behind `connect`, time behind `clock`, what is said behind outbox and session: this
file only decides who waits for what. Everything runs in one asyncio loop, and three tasks serve a
connection: one reads, one writes, one watches the clock. Acknowledged is what was written before a
ping whose pong is back: the orchestrator handles the frames of a connection in order.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import enum
from typing import Any, Protocol

from camera_ws_bridge import redact, wire
from camera_ws_bridge.backoff import Backoff
from camera_ws_bridge.errors import DecodeError, LinkFault
from camera_ws_bridge.limited_log import clean, LimitedLog, Logger
from camera_ws_bridge.messages import Authenticate, Identifier
from camera_ws_bridge.outbox import Outbox
from camera_ws_bridge.session import Command, Session
from camera_ws_bridge.token_bucket import TokenBucket

TICK = 0.25  # seconds between two looks at the clock
PONG_PATIENCE = 6.0  # heartbeat_timeouts for a pong, which may queue behind a large replay
LAST_MOMENT = 0.1  # seconds before connect_timeout that are too few for another attempt
COMMAND_BURST_SECONDS = 20.0  # of command_rate at once: a replay of many objects is one burst
TOKEN_TIMEOUT = 30.0  # seconds; token sources have tighter limits of their own
TOKEN_DOUBT = 1.0  # seconds after a registration in which a close is blamed on the token
REIDENTIFY_SOON = 2.0  # seconds after a registration until the first repeat


class State(enum.IntEnum):
    """The state of the link; the numbers are those of Status.msg."""

    CONNECTING = 0
    AUTHENTICATING = 1
    REGISTERED = 2
    STABLE = 3
    CLOSED = 4


class Connection(Protocol):
    """What the link needs of camera_ws_bridge.client.Connection."""

    async def send(self, text: bytes) -> None:
        """Write a text message."""

    def can_write(self) -> bool:
        """Tell whether nothing waits to be written, so that write() may be called."""

    def write(self, text: bytes) -> None:
        """Write a text message at once; for as much as the window holds."""

    async def ping(self) -> asyncio.Future[Any]:
        """Write a ping; return the future of its pong."""

    async def receive(self) -> str | bytes:
        """Return the next message."""

    def progress(self) -> int:
        """Return a number that grows while bytes get through."""

    def delivered(self) -> int:
        """Return a number that grows while bytes before the newest ping get to the peer."""

    async def close(self, code: int, timeout: float) -> None:
        """Close in order, or else the hard way."""

    def abort(self) -> None:
        """End the connection at once."""


@dataclass(frozen=True)
class Settings:
    """How the link behaves; all times in seconds. config/bridge.yaml explains each."""

    camera_id: str
    peer: str = 'the orchestrator'  # its URL, as it may be logged
    connect_timeout: float = 60.0
    open_timeout: float = 10.0
    heartbeat_interval: float = 5.0
    heartbeat_timeout: float = 10.0
    identify_interval: float = 30.0
    shutdown_timeout: float = 2.0
    command_rate: float = 100.0  # messages a second from the orchestrator
    limits: wire.Limits = wire.DEFAULT_LIMITS


class Link:
    """One camera's link to the orchestrator."""

    def __init__(
            self, settings: Settings, outbox: Outbox, session: Session, backoff: Backoff, *,
            connect: Callable[[float], Awaitable[Connection]],
            clock: Callable[[], float],
            logger: Logger,
            on_command: Callable[[Command], None],
            on_state: Callable[[], None] = lambda: None,
            token: Callable[[], Awaitable[str | None]] | None = None,
            on_token_rejected: Callable[[], None] | None = None) -> None:
        """
        Put the parts together; run() begins to connect.

        connect takes a time-out and raises LinkFault; token returns a JSON Web Token, and
        on_token_rejected hears that the orchestrator did not accept it.
        """
        self.settings = settings
        self.outbox = outbox
        self.session = session
        self.state = State.CONNECTING
        self.cause = ''  # why there is no connection, or why the last one ended
        self.reconnects = 0
        self.round_trip_time = 0.0
        self.rejected: Counter[str] = Counter()  # messages from the wire, by cause
        self._backoff = backoff
        self._connect = connect
        self._clock = clock
        self._logger = logger
        self._limited = LimitedLog(logger, clock)
        self._inbound = TokenBucket(
            settings.command_rate, COMMAND_BURST_SECONDS * settings.command_rate)
        self._on_command = on_command
        self._on_state = on_state
        self._token = token
        self._on_token_rejected = on_token_rejected
        self._token_sent = False
        self._shown_token = ''  # the last one; a peer may send it back, and it must not be logged
        self._connection: Connection | None = None
        self._ever_registered = False
        self._stopping = False
        self._began = 0.0  # when run() did
        self._registered_at: float | None = None
        self._heard_at = 0.0  # when something last got through
        self._progress = 0
        self._delivered = 0
        self._delivered_at = 0.0  # when that number has grown
        self._last_ping_at = 0.0
        self._identify_at = 0.0
        self._registering = False  # the pong behind `identifier` is not back
        self._awaited_pongs: deque[float] = deque()  # when their pings were sent
        self._ping_wanted = False
        self._wake_writer = asyncio.Event()
        self._writer_waits = False  # has written all that it could
        self._registered = asyncio.Event()
        self._retry_now = asyncio.Event()
        self._drained = asyncio.Event()

    # ---- what others ask of the link

    async def run(self) -> None:
        """
        Keep the camera registered until it is cancelled or shut down; may be run again then.

        Raise LinkFault where trying again is useless: the URL can never work (fatal), or the
        camera could not be registered within connect_timeout. Once registered, it never gives up.
        """
        self._began = self._clock()
        self._stopping = False
        self._registered_at = None
        self._retry_now.clear()
        while not self._stopping:
            self._set_state(State.CONNECTING)
            fault = await self._connect_and_serve()
            if self._stopping:
                return
            fault.reason = redact.without(self._shown_token, fault.reason)
            self.cause = clean(f'{fault.cause}: {fault.reason}')
            lasted = 0.0
            if self._registered_at is not None:
                lasted = self._clock() - self._registered_at
                self._registered_at = None
            self._set_state(State.CONNECTING)
            self._give_up_if_useless(fault)
            delay = self._backoff.next_delay(reached=fault.reached, lasted=lasted)
            delay = min(max(delay, fault.retry_after), self._time_left())
            self._limited.warning(
                fault.cause, f'{self.settings.camera_id}: not connected to {self.settings.peer}: '
                f'{fault.reason}; {len(self.outbox)} messages buffered, trying again')
            await _wait(self._retry_now, delay)
            self._retry_now.clear()

    async def shut_down(self) -> None:
        """Flush for at most shutdown_timeout, close with 1001 (going away), let run() return."""
        self._stopping = True
        self._retry_now.set()
        deadline = self._clock() + self.settings.shutdown_timeout
        connection = self._connection
        if connection is not None:
            self._wake_writer.set()
            self._drained.clear()
            if len(self.outbox):  # which may be about to be sent: a registration may be under way
                await _wait(self._drained, deadline - self._clock())
            # A stalled peer must not cost more than the rest of the time.
            await connection.close(1001, max(0.1, deadline - self._clock()))
        self._set_state(State.CLOSED)

    def wake(self) -> None:
        """Say that the outbox has something new."""
        connection = self._connection
        if connection is None or not self._writer_waits or not connection.can_write():
            self._wake_writer.set()
            return
        # Nobody else is writing: this saves a turn of the writer's task.
        try:
            for item in self.outbox.take(self._clock()):
                connection.write(item.payload)
        except LinkFault:
            connection.abort()  # what was taken is in flight: it goes back when the reader ends
        if self._ping_is_due():
            self._wake_writer.set()

    def configure(
            self, settings: Settings, reconnect_delay_min: float, reconnect_delay_max: float,
            stable_after: float) -> None:
        """Go by other values from now on; camera_id and peer must be the same as before."""
        old, self.settings = self.settings, settings
        if settings.command_rate != old.command_rate:
            self._inbound.limit(
                settings.command_rate, COMMAND_BURST_SECONDS * settings.command_rate)
        if settings.identify_interval != old.identify_interval and self._registered.is_set():
            # While a registration is under way, its pong says when the next one is due.
            if not self._registering:
                self._identify_again_in(settings.identify_interval)
        if self._backoff.configure(reconnect_delay_min, reconnect_delay_max, stable_after):
            if self._connection is None:
                self._retry_now.set()

    def reconnect(self) -> None:
        """Drop the connection, if there is one, and connect again without waiting."""
        self._retry_now.set()
        if self._connection is not None:
            self._connection.abort()

    # ---- one connection

    async def _connect_and_serve(self) -> LinkFault:
        try:
            connection = await self._connect(
                max(LAST_MOMENT, min(self.settings.open_timeout, self._time_left())))
        except Exception as error:
            return _as_fault(error)
        if self._stopping:
            connection.abort()
            return LinkFault('closed', 'shut down')
        self._connection = connection
        self._heard_at = self._last_ping_at = self._clock()
        self._progress = connection.progress()
        self._delivered = connection.delivered()
        self._awaited_pongs.clear()
        self._token_sent = False
        self._registered.clear()
        self._drained.clear()
        self._set_state(State.AUTHENTICATING)
        tasks = [
            asyncio.create_task(job(connection)) for job in (self._read, self._write, self._watch)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # Reader and writer may fail together; the reader knows the reason.
            task = next(task for task in tasks if task in done)
            fault = _as_fault(
                asyncio.CancelledError() if task.cancelled() else task.exception())
            if fault.cause == 'too_big':
                self._give_up_on_the_greatest()
            elif fault.cause == 'silent':
                self.outbox.narrow()
            return self._rejection(fault) or fault
        finally:
            self._connection = None
            self._writer_waits = False
            self._registered.clear()
            self._drained.set()  # nothing more will be, on this connection
            self.outbox.restore()
            self._call(connection.abort)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _rejection(self, fault: LinkFault) -> LinkFault | None:
        """Recognise a bad token: the orchestrator says so only by closing on the next message."""
        accepted = self._registered_at is not None and (
            self._clock() - self._registered_at > TOKEN_DOUBT)
        if not self._token_sent or accepted or fault.cause != 'closed' or self._stopping:
            return None
        if self._on_token_rejected is not None:
            self._call(self._on_token_rejected)
        return LinkFault(
            'rejected_token', 'it closed the connection right after it was shown the token: the '
            'token is not accepted')

    def _give_up_on_the_greatest(self) -> None:
        item = self.outbox.refused_as_too_big()
        if item is not None:
            self._limited.warning(
                'refused by peer', f'{self.settings.camera_id}: a message of {len(item.payload)} '
                'bytes is given up: the orchestrator has closed the connection over it twice')

    def _give_up_if_useless(self, fault: LinkFault) -> None:
        if self._ever_registered:
            return
        if fault.fatal:
            raise fault
        if self._time_left() < LAST_MOMENT:
            limit = self.settings.connect_timeout
            raise LinkFault(fault.cause, f'gave up after {limit:g} s: {fault.reason}')

    def _time_left(self) -> float:
        """Return the seconds until the first registration must have come."""
        limit = self.settings.connect_timeout
        if self._ever_registered or limit <= 0:
            return float('inf')
        return self._began + limit - self._clock()

    async def _read(self, connection: Connection) -> None:
        # Nothing in this loop may suspend but receive(): see Connection.receive.
        while True:
            text = await connection.receive()
            self._heard_at = self._clock()
            self._handle(text)

    def _handle(self, text: str | bytes) -> None:
        try:
            if not self._inbound.take(self._heard_at):
                raise DecodeError('', 'too many messages a second (command_rate)', 'rate')
            if isinstance(text, bytes):
                raise DecodeError('', 'a binary message; the protocol is text', 'binary')
            message = wire.decode(text, self.settings.limits)
        except DecodeError as error:
            self.rejected[error.cause] += 1
            # It may have been the one that names an object.
            self.session.doubt_registration()
            reason = redact.without(self._shown_token, str(error))
            self._limited.warning(
                'rejected ' + error.cause,
                f'{self.settings.camera_id}: message from the orchestrator ignored: {reason}')
            return
        self._pass_on(self.session.receive(message))

    async def _write(self, connection: Connection) -> None:
        if self._token is not None:
            await self._authenticate(connection, self._token)
        await self._identify(connection)
        await self._registered.wait()
        while True:
            self._wake_writer.clear()
            for item in self.outbox.take(self._clock()):
                await connection.send(item.payload)
            if self._clock() >= self._identify_at:
                await self._identify(connection)
            if self._ping_is_due():
                await self._ping(connection)
            self._writer_waits = True
            await self._wake_writer.wait()
            self._writer_waits = False

    async def _authenticate(
            self, connection: Connection, token: Callable[[], Awaitable[str | None]]) -> None:
        try:
            jwt = await asyncio.wait_for(token(), TOKEN_TIMEOUT)
        except asyncio.TimeoutError:
            raise LinkFault('token_server', 'there is no token to be had in time') from None
        if jwt is not None:
            self._token_sent = True
            self._shown_token = jwt
            await connection.send(wire.encode_utf8(Authenticate(jwt)))

    async def _identify(self, connection: Connection) -> None:
        """Register; again and again, since an older connection's end undoes a registration."""
        self._identify_at = float('inf')  # until the pong: one registration at a time
        self._registering = True
        self.session.begin_registration()
        await connection.send(wire.encode_utf8(Identifier(self.settings.camera_id)))
        await self._ping(connection, registration=True)

    async def _ping(self, connection: Connection, registration: bool = False) -> None:
        sent_at = self._last_ping_at = self._clock()
        serial = self.outbox.sent
        self._ping_wanted = False
        self._awaited_pongs.append(sent_at)
        pong = await connection.ping()
        pong.add_done_callback(
            lambda done: self._on_pong(done, connection, sent_at, serial, registration))

    def _on_pong(
            self, pong: asyncio.Future[Any], connection: Connection, sent_at: float, serial: int,
            registration: bool) -> None:
        if pong.cancelled() or pong.exception() or connection is not self._connection:
            return
        self._awaited_pongs.popleft()
        self._heard_at = self._clock()
        self.round_trip_time = self._heard_at - sent_at
        acknowledged = self.outbox.acknowledged
        self.outbox.acknowledge(serial)
        if self.outbox.acknowledged > acknowledged:  # else it says nothing of the window
            self._fit_window(self.round_trip_time)
        if registration:
            self._registering = False
            self._pass_on(self.session.registered())
            self._identify_again_in(self.settings.identify_interval)
            if not self._registered.is_set():
                self._now_registered()
        if not len(self.outbox):
            self._drained.set()
        self._wake_writer.set()

    def _fit_window(self, round_trip_time: float) -> None:
        """Keep the window so that its acknowledgement comes well before the peer is given up."""
        if round_trip_time > self.settings.heartbeat_timeout / 2:
            self.outbox.narrow()
        elif round_trip_time < self.settings.heartbeat_timeout / 8:
            self.outbox.widen()

    def _now_registered(self) -> None:
        if self._ever_registered:
            self.reconnects += 1
        self._ever_registered = True
        self._retry_now.clear()
        self._registered_at = self._clock()
        self._identify_again_in(min(REIDENTIFY_SOON, self.settings.identify_interval))
        self._set_state(State.REGISTERED)
        self._registered.set()
        self._logger.info(
            f'{self.settings.camera_id}: registered at {self.settings.peer}; '
            f'{len(self.outbox)} messages buffered')

    def _identify_again_in(self, interval: float) -> None:
        self._identify_at = self._clock() + interval if interval > 0 else float('inf')

    def _ping_is_due(self) -> bool:
        if self._awaited_pongs:
            return False
        return self._ping_wanted or self.outbox.wants_acknowledgement or (
            self._stopping and self.outbox.in_flight > 0)

    async def _watch(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = self._clock()
            progress = connection.progress()
            # Silence counts while something is waited for and nothing gets through.
            if progress > self._progress or not (self._awaited_pongs or self.outbox.in_flight):
                self._heard_at = now
            self._progress = progress
            delivered = connection.delivered()
            if delivered > self._delivered:
                self._delivered_at = now  # a large message on a slow link takes its time
            self._delivered = delivered
            self._leave_if_silent(now)
            self.outbox.expire(now)
            if self._registered_at is not None:
                self._on_tick(now, self._registered_at)

    def _leave_if_silent(self, now: float) -> None:
        timeout = self.settings.heartbeat_timeout
        if now - self._heard_at > timeout:
            raise LinkFault('silent', f'it has not answered for {timeout:g} s')
        patience = PONG_PATIENCE * timeout
        if self._awaited_pongs and (
                now - max(self._awaited_pongs[0], self._delivered_at) > patience):
            raise LinkFault('silent', f'it sends, but has not answered a ping for {patience:g} s')
        if self._time_left() < LAST_MOMENT:
            raise LinkFault('silent', 'it has not confirmed the registration')

    def _on_tick(self, now: float, registered_at: float) -> None:
        if self.state is State.REGISTERED and now - registered_at >= self._backoff.stable_after:
            self._set_state(State.STABLE)
        idle = now - self._last_ping_at >= self.settings.heartbeat_interval
        if self.outbox.in_flight or idle:
            self._ping_wanted = True
        if self._ping_is_due() or now >= self._identify_at:
            self._wake_writer.set()

    def _set_state(self, state: State) -> None:
        if state is not self.state or state is State.CONNECTING:
            self.state = state
            self._call(self._on_state)

    def _pass_on(self, commands: list[Command]) -> None:
        for command in commands:
            self._call(self._on_command, command)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call out of the link; what goes wrong there is no reason to lose the connection."""
        try:
            callback(*arguments)
        except Exception as error:
            self._logger.error(
                f'{self.settings.camera_id}: internal error, please report: '
                f'{type(error).__name__}: {error}')


async def _wait(event: asyncio.Event, timeout: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), max(0.0, timeout))
    except asyncio.TimeoutError:
        pass


def _as_fault(error: BaseException | None) -> LinkFault:
    if isinstance(error, LinkFault):
        return error
    # A bug of ours must not end a bridge that nobody looks after: it costs a reconnect.
    return LinkFault('internal', f'{type(error).__name__}: {error}')
