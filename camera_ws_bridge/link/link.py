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
The life of the link: connect, have the connection served, pause, come back.

The network is behind `connect`, time behind `clock`, what is said on a connection in
active_connection: this file decides when there is one. Everything runs in one asyncio loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
import enum
from typing import Protocol

from camera_ws_bridge.errors import as_fault, LinkFault
from camera_ws_bridge.link.active_connection import (
    ActiveConnection, Camera, Tokens, wait)
from camera_ws_bridge.link.backoff import Backoff
from camera_ws_bridge.link.connection import Connection
from camera_ws_bridge.link.hurry import Hurry
from camera_ws_bridge.link.second_chance import CAUSES, SecondChance
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.log import redact
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.log.throttled_log import ThrottledLog

LAST_MOMENT = 0.1  # seconds before connect_timeout that are too few for another attempt


class State(enum.IntEnum):
    """The state of the link; the numbers are those of Status.msg."""

    CONNECTING = 0
    AUTHENTICATING = 1
    REGISTERED = 2
    STABLE = 3
    CLOSED = 4


class Peer(Protocol):
    """The way to the orchestrator."""

    @property
    def tokens(self) -> Tokens | None:
        """Return where tokens come from, if the orchestrator demands any."""

    async def connect(self, settings: Settings, timeout: float) -> Connection:
        """Make one attempt, of at most so many seconds; raise LinkFault."""

    def watch_network(
            self, loop: asyncio.AbstractEventLoop, listener: Callable[[], None],
            ) -> Callable[[], None]:
        """Call the listener when this machine's network changes, until what this returns is."""


class Link:
    """One camera's link to the orchestrator."""

    def __init__(
            self, camera: Camera, peer: Peer, backoff: Backoff, log: ThrottledLog,
            clock: Callable[[], float]) -> None:
        """Put the parts together; run() begins to connect. clock: monotonic seconds."""
        self.state = State.CONNECTING
        self.cause = ''  # why there is no connection, or why the last one ended
        self.reconnect_causes: Counter[str] = Counter()  # what had ended the registration before
        self._lost_by = ''  # what has ended the newest one, until there is another
        self._camera = camera
        self._peer = peer
        self._backoff = backoff
        self._log = log
        self._clock = clock
        self._attempt: asyncio.Future[tuple[Connection, bool]] | None = None
        self._active: ActiveConnection | None = None
        self._ended_by: LinkFault | None = None  # why we have ended either of them ourselves
        self._left: SecondChance | None = None  # the connection before, which may live on
        self._round_trip_time = 0.0  # on the connection before
        self._ever_registered = False
        self._stopping = False
        self._began = 0.0  # when run() did
        self._retry_now = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # while run() runs
        self._leave_network: Callable[[], None] | None = None
        self._hurry = Hurry()
        self._hurrying: asyncio.TimerHandle | None = None

    @property
    def reconnects(self) -> int:
        """Return how often the camera was registered anew."""
        return self.reconnect_causes.total()

    @property
    def round_trip_time(self) -> float:
        """Return how long the newest pong took, in seconds; 0 if there was none."""
        newest = 0.0 if self._active is None else self._active.round_trip_time
        return newest or self._round_trip_time

    async def run(self) -> None:
        """
        Keep the camera registered until it is cancelled or shut down; may be run again then.

        Raise LinkFault where trying again is useless: the URL can never work (fatal), or the
        camera could not be registered within connect_timeout. Once registered, it never gives up.
        """
        self._began = self._clock()
        self._stopping = False
        self._lost_by = 'activation' if self._ever_registered else ''
        self._retry_now.clear()
        self._loop = asyncio.get_running_loop()
        self._follow_network()
        try:
            await self._stay_connected()
        finally:
            self._drop_left()
            self._loop = None
            self._follow_network()

    async def _stay_connected(self) -> None:
        while not self._stopping:
            self._set_state(State.CONNECTING)
            fault, lasted = await self._connect_and_serve()
            if self._stopping:
                return
            self._lost_by = self._lost_by or fault.cause
            fault.reason = redact.without(self._camera.inbound.shown_token, fault.reason)
            self.cause = clean(f'{fault.cause}: {fault.reason}')
            self._set_state(State.CONNECTING)
            self._give_up_if_useless(fault)
            delay = self._backoff.next_delay(reached=fault.reached, lasted=lasted)
            delay = min(max(delay, fault.retry_after), self._time_left())
            self._log.warning(
                fault.cause, f'not connected to {self._camera.settings.peer}: {fault.reason}; '
                f'{len(self._camera.outbox)} messages buffered, trying again')
            await wait(self._retry_now, delay)
            self._retry_now.clear()

    async def shut_down(self) -> None:
        """Flush for at most shutdown_timeout, close with 1001 (going away), let run() return."""
        self._stopping = True
        self._retry_now.set()
        if self._active is not None:
            await self._active.close(self._camera.settings.shutdown_timeout)
        self._set_state(State.CLOSED)

    def wake(self) -> None:
        """Say that the outbox has something new."""
        if self._active is not None:
            self._active.wake()

    def configure(self, old: Settings) -> None:
        """Go by the camera's new settings from now on; old: what they were."""
        settings = self._camera.settings
        if self._active is not None and settings.identify_interval != old.identify_interval:
            self._active.identify_interval_changed()
        if settings.watch_network != old.watch_network:
            self._follow_network()
        if self._backoff.configure(
                settings.reconnect_delay_min, settings.reconnect_delay_max,
                settings.stable_after) and self._active is None:
            self._retry_now.set()

    def reconnect(self) -> None:
        """Drop the connection or end the attempt, and connect again without waiting."""
        self._drop_left()
        self.begin_anew(LinkFault('reconnect', 'told to connect anew', reached=False))

    def begin_anew(self, why: LinkFault) -> None:
        """Do so, for this reason."""
        self._retry_now.set()
        if self._active is not None:
            self._active.leave(why)
        elif self._attempt is not None and self._attempt.cancel():
            self._ended_by = why

    def keeps(self, connection: Connection, fault: LinkFault) -> bool:
        """Keep a connection whose session nothing else could prove to go on."""
        if self._stopping or fault.cause not in CAUSES or not self._camera.inbound.lacks_proof():
            return False
        self._left = SecondChance(connection, self._camera.inbound, self._clock)
        return True

    def _drop_left(self) -> None:
        """Keep the former connection no longer; what it may still have to send is not sent."""
        if self._left is not None:
            self._left.connection.abort()
            self._left = None

    async def _open(self) -> tuple[Connection, bool]:
        """Return a connection, and whether it is the former one that goes on."""
        settings = self._camera.settings
        connection = await self._peer.connect(
            settings, max(LAST_MOMENT, min(settings.open_timeout, self._time_left())))
        left, alive = self._left, False
        if left is None:
            return connection, False
        try:
            alive = await left.is_alive(settings.heartbeat_timeout)
        except asyncio.CancelledError:
            connection.abort()
            raise
        if not alive:
            self._drop_left()
            return connection, False
        self._left = None
        connection.abort()
        self._log.info('the former connection answers again: it goes on')
        return left.connection, True

    async def _connect(self) -> tuple[Connection, bool]:
        """Make one attempt, which begin_anew() ends; return what _open() does."""
        self._attempt = attempt = asyncio.ensure_future(self._open())
        try:
            await asyncio.wait([attempt])
        except asyncio.CancelledError:
            attempt.add_done_callback(_abort_late)  # it may have ended well in this very moment
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
            raise
        finally:
            self._attempt = None
        if self._ended_by is not None:
            _abort_late(attempt)
            raise self._ended_by
        return attempt.result()

    async def _connect_and_serve(self) -> tuple[LinkFault, float]:
        """Return why there is no connection (any more), and the seconds of its registration."""
        camera, peer = self._camera, self._peer
        self._ended_by = None
        try:
            connection, goes_on = await self._connect()
        except Exception as error:
            return as_fault(error), 0.0
        if self._stopping:
            connection.abort()
            return LinkFault('closed', 'shut down'), 0.0
        active = self._active = ActiveConnection(
            connection, camera, self, peer.tokens, self._clock, goes_on)
        self._set_state(State.AUTHENTICATING)
        try:
            fault = await active.run()
            self._learn_from(fault)
        except Exception as error:
            fault = as_fault(error)
        finally:
            self._active = None
            self._round_trip_time = active.round_trip_time or self._round_trip_time
            camera.outbox.restore()
        began = active.registered_at
        return fault, 0.0 if began is None else self._clock() - began

    # ---- this machine's network

    def _follow_network(self) -> None:
        """Watch it, or cease to: as the settings say, and while there is something to do."""
        if self._leave_network is not None:
            self._leave_network()
            self._leave_network = None
        if self._hurrying is not None:
            self._hurrying.cancel()
            self._hurrying = None
        if self._loop is not None and self._camera.settings.watch_network:
            try:
                self._leave_network = self._peer.watch_network(self._loop, self._network_changed)
            except OSError as error:
                self._log.info(f'watch_network: this system does not tell of changes ({error})')

    def _network_changed(self) -> None:
        if self._active is None:
            if self._hurrying is None and self._loop is not None:
                delay = self._hurry.delay(self._clock())
                self._hurrying = self._loop.call_later(delay, self._try_at_once)
        elif not self._active.connection.has_route():
            self.begin_anew(_network_changed())

    def _try_at_once(self) -> None:
        self._hurrying = None
        if self._active is None:
            self.begin_anew(_network_changed())

    # ---- what a connection leaves, and what it tells

    def _learn_from(self, fault: LinkFault) -> None:
        outbox, tokens = self._camera.outbox, self._peer.tokens
        if fault.cause == 'silent':
            outbox.narrow()
        elif fault.cause == 'rejected_token' and tokens is not None:
            tokens.rejected()
        elif fault.cause == 'too_big':
            item = outbox.refused_as_too_big()
            if item is not None:
                self._log.warning(
                    'refused by peer', f'a message of {len(item.payload)} bytes is given up: the '
                    'orchestrator has closed the connection over it twice')

    def _give_up_if_useless(self, fault: LinkFault) -> None:
        if self._ever_registered:
            return
        if fault.fatal:
            raise fault
        if self.too_late():
            limit = self._camera.settings.connect_timeout
            raise LinkFault(fault.cause, f'gave up after {limit:g} s: {fault.reason}')

    def _time_left(self) -> float:
        """Return the seconds until the first registration must have come."""
        limit = self._camera.settings.connect_timeout
        if self._ever_registered or limit <= 0:
            return float('inf')
        return self._began + limit - self._clock()

    def _set_state(self, state: State) -> None:
        if state is not self.state or state is State.CONNECTING:
            self.state = state
            self._camera.state_changed()

    def too_late(self) -> bool:
        """Tell whether the first registration does not come in time."""
        return self._time_left() < LAST_MOMENT

    def registered(self) -> None:
        """Hear that the camera is registered."""
        if self._ever_registered:
            self.reconnect_causes[self._lost_by] += 1
        self._ever_registered = True
        self._lost_by = ''
        self._retry_now.clear()
        self._set_state(State.REGISTERED)
        self._log.info(f'registered at {self._camera.settings.peer}; '
                       f'{len(self._camera.outbox)} messages buffered')

    def tick(self, suspect: bool) -> None:
        """Look whether the connection has lasted, and the peer answers."""
        assert self._active is not None and self._active.registered_at is not None
        lasted = self._clock() - self._active.registered_at
        stable = lasted >= self._camera.settings.stable_after and not suspect
        self._set_state(State.STABLE if stable else State.REGISTERED)


def _abort_late(attempt: asyncio.Future[tuple[Connection, bool]]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        connection, _ = attempt.result()
        connection.abort()


def _network_changed() -> LinkFault:
    return LinkFault(
        'network', "this machine's address, or its route there, has changed", reached=False)
