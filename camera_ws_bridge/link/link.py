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
from collections.abc import Awaitable, Callable
import enum
from typing import Any

from camera_ws_bridge.buffer.outbox import Outbox
from camera_ws_bridge.errors import as_fault, LinkFault
from camera_ws_bridge.link.active_connection import Connection, Serving, Settings, wait
from camera_ws_bridge.link.backoff import Backoff
from camera_ws_bridge.link.inbound import Inbound
from camera_ws_bridge.log import redact
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.log.throttled_log import LimitedLog, Logger
from camera_ws_bridge.tracking.tracked_objects import Command, Session

__all__ = ['Connection', 'Link', 'Settings', 'State']

LAST_MOMENT = 0.1  # seconds before connect_timeout that are too few for another attempt


class State(enum.IntEnum):
    """The state of the link; the numbers are those of Status.msg."""

    CONNECTING = 0
    AUTHENTICATING = 1
    REGISTERED = 2
    STABLE = 3
    CLOSED = 4


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
        self._backoff = backoff
        self._connect = connect
        self._clock = clock
        self._logger = logger
        self._limited = LimitedLog(logger, clock)
        self._inbound = Inbound(
            session, settings.command_rate, settings.limits, camera_id=settings.camera_id,
            log=self._limited, on_command=lambda command: self._call(on_command, command))
        self._on_state = on_state
        self._token = token
        self._on_token_rejected = on_token_rejected
        self._serving: Serving | None = None
        self._told_to_reconnect = False
        self._round_trip_time = 0.0  # on the connection before
        self._ever_registered = False
        self._stopping = False
        self._began = 0.0  # when run() did
        self._retry_now = asyncio.Event()

    @property
    def rejected(self) -> Counter[str]:
        """Return how many messages from the wire were rejected, by cause."""
        return self._inbound.rejected

    @property
    def round_trip_time(self) -> float:
        """Return how long the newest pong took, in seconds; 0 if there was none."""
        newest = 0.0 if self._serving is None else self._serving.round_trip_time
        return newest or self._round_trip_time

    async def run(self) -> None:
        """
        Keep the camera registered until it is cancelled or shut down; may be run again then.

        Raise LinkFault where trying again is useless: the URL can never work (fatal), or the
        camera could not be registered within connect_timeout. Once registered, it never gives up.
        """
        self._began = self._clock()
        self._stopping = False
        self._retry_now.clear()
        while not self._stopping:
            self._set_state(State.CONNECTING)
            fault, lasted = await self._connect_and_serve()
            if self._stopping:
                return
            fault.reason = redact.without(self._inbound.shown_token, fault.reason)
            self.cause = clean(f'{fault.cause}: {fault.reason}')
            self._set_state(State.CONNECTING)
            self._give_up_if_useless(fault)
            delay = self._backoff.next_delay(reached=fault.reached, lasted=lasted)
            delay = min(max(delay, fault.retry_after), self._time_left())
            self._limited.warning(
                fault.cause, f'{self.settings.camera_id}: not connected to {self.settings.peer}: '
                f'{fault.reason}; {len(self.outbox)} messages buffered, trying again')
            await wait(self._retry_now, delay)
            self._retry_now.clear()

    async def shut_down(self) -> None:
        """Flush for at most shutdown_timeout, close with 1001 (going away), let run() return."""
        self._stopping = True
        self._retry_now.set()
        if self._serving is not None:
            await self._serving.close(self.settings.shutdown_timeout)
        self._set_state(State.CLOSED)

    def wake(self) -> None:
        """Say that the outbox has something new."""
        if self._serving is not None:
            self._serving.wake()

    def configure(
            self, settings: Settings, reconnect_delay_min: float, reconnect_delay_max: float,
            stable_after: float) -> None:
        """Go by other values from now on; camera_id and peer must be the same as before."""
        old, self.settings = self.settings, settings
        self._inbound.limits = settings.limits
        if settings.command_rate != old.command_rate:
            self._inbound.limit_rate(settings.command_rate)
        if self._serving is not None:
            self._serving.configure(settings)
        if self._backoff.configure(reconnect_delay_min, reconnect_delay_max, stable_after):
            if self._serving is None:
                self._retry_now.set()

    def reconnect(self) -> None:
        """Drop the connection, if there is one, and connect again without waiting."""
        self._retry_now.set()
        if self._serving is not None:
            self._told_to_reconnect = True
            self._serving.connection.abort()

    async def _connect_and_serve(self) -> tuple[LinkFault, float]:
        """Return why there is no connection (any more), and the seconds of its registration."""
        try:
            connection = await self._connect(
                max(LAST_MOMENT, min(self.settings.open_timeout, self._time_left())))
        except Exception as error:
            return as_fault(error), 0.0
        if self._stopping:
            connection.abort()
            return LinkFault('closed', 'shut down'), 0.0
        serving = self._serving = Serving(
            connection, self.settings, self.outbox, self._inbound, clock=self._clock,
            token=self._token, too_late=self._too_late, on_registered=self._registered,
            on_tick=self._tick)
        self._set_state(State.AUTHENTICATING)
        try:
            fault = await serving.run()
            if self._told_to_reconnect:
                fault = LinkFault('reconnect', 'told to connect anew')
            self._learn_from(fault)
        except Exception as error:
            fault = as_fault(error)
        finally:
            self._serving = None
            self._told_to_reconnect = False
            self._round_trip_time = serving.round_trip_time or self._round_trip_time
            self.outbox.restore()
        began = serving.registered_at
        return fault, 0.0 if began is None else self._clock() - began

    def _learn_from(self, fault: LinkFault) -> None:
        if fault.cause == 'silent':
            self.outbox.narrow()
        elif fault.cause == 'rejected_token' and self._on_token_rejected is not None:
            self._call(self._on_token_rejected)
        elif fault.cause == 'too_big':
            item = self.outbox.refused_as_too_big()
            if item is not None:
                self._limited.warning(
                    'refused by peer', f'{self.settings.camera_id}: a message of '
                    f'{len(item.payload)} bytes is given up: the orchestrator has closed the '
                    'connection over it twice')

    def _give_up_if_useless(self, fault: LinkFault) -> None:
        if self._ever_registered:
            return
        if fault.fatal:
            raise fault
        if self._too_late():
            limit = self.settings.connect_timeout
            raise LinkFault(fault.cause, f'gave up after {limit:g} s: {fault.reason}')

    def _time_left(self) -> float:
        """Return the seconds until the first registration must have come."""
        limit = self.settings.connect_timeout
        if self._ever_registered or limit <= 0:
            return float('inf')
        return self._began + limit - self._clock()

    def _too_late(self) -> bool:
        return self._time_left() < LAST_MOMENT

    def _registered(self) -> None:
        if self._ever_registered:
            self.reconnects += 1
        self._ever_registered = True
        self._retry_now.clear()
        self._set_state(State.REGISTERED)
        self._logger.info(
            f'{self.settings.camera_id}: registered at {self.settings.peer}; '
            f'{len(self.outbox)} messages buffered')

    def _tick(self) -> None:
        assert self._serving is not None and self._serving.registered_at is not None
        lasted = self._clock() - self._serving.registered_at
        if self.state is State.REGISTERED and lasted >= self._backoff.stable_after:
            self._set_state(State.STABLE)

    def _set_state(self, state: State) -> None:
        if state is not self.state or state is State.CONNECTING:
            self.state = state
            self._call(self._on_state)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call out of the link; what goes wrong there is no reason to lose the connection."""
        try:
            callback(*arguments)
        except Exception as error:
            self._logger.error(
                f'{self.settings.camera_id}: internal error, please report: '
                f'{type(error).__name__}: {error}')
