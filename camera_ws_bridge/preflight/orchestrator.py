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
Does the orchestrator do its part: upgrade, token, registration, pings.

The probe registers under an id of its own. Under the camera's it would take over the camera's
registration, and take it along when it leaves (docs/protocol.md, quirk 2).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import ssl
import statistics
import time
from typing import Any

from camera_ws_bridge.auth.sources import TokenSource
from camera_ws_bridge.errors import DecodeError, LinkFault
from camera_ws_bridge.log import redact
from camera_ws_bridge.preflight import advice
from camera_ws_bridge.preflight.jwt import seconds_left
from camera_ws_bridge.preflight.report import failed, Finding, ok, skipped, warning
from camera_ws_bridge.protocol import codec, rejection
from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.identifier import Identifier
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.transport import websocket

PINGS = 10


@dataclass(frozen=True)
class Target:
    """What is checked, with the parameters' values as the bridge would use them; seconds."""

    url: str
    options: websocket.Options
    tls: ssl.SSLContext | None
    tokens: TokenSource | None
    probe_id: str
    open_timeout: float
    heartbeat_timeout: float
    limits: codec.Limits = codec.DEFAULT_LIMITS


class Probe:
    """One connection to the orchestrator; the methods are steps, to be taken in this order."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: websocket.Connection | None = None
        self._reader: asyncio.Future[LinkFault] | None = None
        self._jwt = ''
        self._registration: asyncio.Future[Any] | None = None  # the pong behind `identifier`
        self._silence: LinkFault | None = None
        self._tracked: set[int] = set()
        self._not_understood = 0

    async def close(self) -> None:
        """Leave in order; the orchestrator forgets the probe id then."""
        if self._reader is not None:
            self._reader.cancel()
        if self._connection is not None:
            await self._connection.close(1000, 1.0)

    async def upgrade(self) -> Finding:
        """Open the WebSocket."""
        target = self._target
        self._connection = await websocket.connect(
            target.url, target.options, target.tls, target.open_timeout)
        self._reader = asyncio.ensure_future(self._read())
        return ok('a WebSocket server answers')

    async def token(self) -> Finding:
        """Get a token."""
        if self._target.tokens is None:
            return skipped('not needed: neither AUTH_SERVER_URL nor token_file is set')
        self._jwt = await self._target.tokens.token()
        left = seconds_left(self._jwt, time.time())
        if left is None:
            return ok('there is one; it does not say how long it is valid')
        if left <= 0:
            return warning(f'there is one, but it expired {-left:.0f} s ago',
                           'replace the token, and check both clocks', seconds_left=round(left))
        return ok(f'there is one, valid for another {left:.0f} s', seconds_left=round(left))

    async def authenticate(self) -> Finding:
        """Show the token; whether it is accepted shows with the next message only."""
        if not self._jwt:
            return skipped('not needed: there is no token to show')
        try:
            await self._send(codec.encode_utf8(Authenticate(self._jwt)))
            await self._register()
        except LinkFault as fault:
            if fault.cause not in ('closed', 'lost'):
                return warning('whether the token is accepted is not known: it does not answer',
                               advice.of_fault(fault), cause=fault.cause)
            return failed(rejection.TOKEN_REFUSED, advice.TOKEN_REFUSED, cause='rejected_token')
        return ok('the token is accepted')

    async def register(self) -> Finding:
        """Register under the probe id; behind it comes one message per tracked object."""
        try:
            await self._register()
        except LinkFault as fault:
            raise rejection.explained(
                fault, registered=False, token_shown=bool(self._jwt),
                token_configured=self._target.tokens is not None) from fault
        count = len(self._tracked)
        data = {'probe_id': self._target.probe_id, 'tracked_objects': count,
                'not_understood': self._not_understood}
        detail = f'registered as {self._target.probe_id}; {count} objects are tracked now'
        if self._not_understood:
            return warning(
                f'{detail}; {self._not_understood} messages were not understood', 'is this the '
                "orchestrator? The bridge's log names field and reason of each", **data)
        return ok(detail, **data)

    async def round_trip(self) -> Finding:
        """Measure pings, one after the other."""
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(PINGS):
            began = loop.time()
            await self._pong(await self._connected().ping())
            times.append(loop.time() - began)
        low, middle, high = min(times), statistics.median(times), max(times)
        detail = (f'{1000 * low:.1f} / {1000 * middle:.1f} / {1000 * high:.1f} ms '
                  f'(min / median / max of {PINGS} pings)')
        data = {'pings': PINGS, 'min': round(low, 6), 'median': round(middle, 6),
                'max': round(high, 6)}
        if high > self._target.heartbeat_timeout / 2:
            return warning(detail, 'that is near to heartbeat_timeout: raise it, or mend the '
                           'network', **data)
        return ok(detail, **data)

    def without_token(self, text: str) -> str:
        """Return text that the orchestrator had a hand in: it may send back what it saw."""
        return redact.without(self._jwt, text)

    # ---- the connection

    def _connected(self) -> websocket.Connection:
        assert self._connection is not None, 'upgrade comes first'
        return self._connection

    async def _send(self, text: bytes) -> None:
        await self._connected().send(text)

    async def _register(self) -> None:
        """Register, unless that has been done; return when all that comes in answer is here."""
        if self._registration is None:
            await self._send(codec.encode_utf8(Identifier(self._target.probe_id)))
            self._registration = await self._connected().ping()
        await self._pong(self._registration)

    async def _pong(self, pong: asyncio.Future[Any]) -> None:
        if self._silence is not None:
            raise self._silence
        assert self._reader is not None
        limit = self._target.heartbeat_timeout
        await asyncio.wait(
            {pong, self._reader}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if pong.done() and not pong.cancelled() and pong.exception() is None:
            return
        if not pong.done() and not self._reader.done():
            self._silence = LinkFault('silent', f'it has not answered a ping for {limit:g} s')
            raise self._silence
        raise await self._reader

    async def _read(self) -> LinkFault:
        """Take in what comes; return why nothing comes any more."""
        while True:
            try:
                text = await self._connected().receive()
                message = codec.decode(text, self._target.limits)
            except LinkFault as fault:
                return fault
            except DecodeError:
                self._not_understood += 1
                continue
            if isinstance(message, Update):
                self._tracked.add(message.object_id)
