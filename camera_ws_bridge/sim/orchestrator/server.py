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

"""The orchestrator stand-in as a server in an asyncio loop; what it decides is in its state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import os
import ssl
from typing import Any

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.sim.orchestrator.journal import Journal
from camera_ws_bridge.sim.orchestrator.peers import OperatorPeer, Peer, ProcessorPeer
from camera_ws_bridge.sim.orchestrator.state import Delivery, State
from tornado import httpserver, netutil, web


class OrchestratorSim:
    """The server; all methods belong to the thread of the asyncio loop that it was started in."""

    def __init__(
            self, *, host: str = '127.0.0.1', port: int = 0, token: str | None = None,
            record: str | os.PathLike[str] | None = None, tls: ssl.SSLContext | None = None,
            listener: Callable[[str, str, str], None] | None = None) -> None:
        """
        Set up; `start` begins to listen.

        port 0: the kernel picks; record: a file to append all traffic to; listener: called for
        every frame with connection, direction and text, as they are recorded.
        """
        self.state = State(token=token)
        self.host = host
        self.port = port
        self.peers: list[Peer] = []  # open connections of both kinds, oldest first
        self.opened = 0  # processor connections, refused ones not counted
        self.refused = 0
        self.refuse_status: int | None = None
        self.retry_after: int | None = None
        self.location: str | None = None
        self.close_at_once = False
        self.close_code: int | None = None
        self._record = record
        self._tls = tls
        self._listener = listener
        self._journal: Journal | None = None
        self._server: httpserver.HTTPServer | None = None
        self._running = asyncio.Event()  # cleared: stalled
        self._all_closed = asyncio.Event()

    @property
    def url(self) -> str:
        """Return the URL for processors."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'{"wss" if self._tls else "ws"}://{host}:{self.port}/processor'

    @property
    def client_url(self) -> str:
        """Return the URL for operators."""
        return self.url.removesuffix('processor') + 'client'

    @property
    def connections(self) -> list[ProcessorPeer]:
        """Return the open processor connections, oldest first."""
        return [peer for peer in self.peers if isinstance(peer, ProcessorPeer)]

    @property
    def listening(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._server is not None

    async def start(self) -> None:
        """Listen."""
        # First, for it may fail; and the address can be taken again at once (SO_REUSEADDR).
        sockets = netutil.bind_sockets(self.port, self.host)
        if self._record is not None:
            self._journal = Journal(self._record)
        self.port = sockets[0].getsockname()[1]
        self._running.set()
        self._server = httpserver.HTTPServer(web.Application([
            ('/processor', ProcessorPeer, {'sim': self}),
            ('/client', OperatorPeer, {'sim': self}),
            ('/stats', _Stats, {'sim': self}),
            ('/control', _Control, {'sim': self}),
        ], log_function=lambda handler: None), ssl_options=self._tls)
        self._server.add_sockets(sockets)

    async def stop(self) -> None:
        """Stop listening and break all connections."""
        server, self._server = self._server, None
        if server is None:
            return
        server.stop()
        # tornado's close_all_connections knows no WebSockets.
        for peer in list(self.peers):
            peer.abort()
        self._running.set()  # whoever is stalled sees that it is over
        await server.close_all_connections()
        while self.peers:
            self._all_closed.clear()
            await self._all_closed.wait()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    # ---- faults

    def drop(self) -> None:
        """Break all processor connections (RST)."""
        for connection in self.connections:
            connection.abort()

    def stall(self) -> None:
        """Neither read nor answer any more; connections stay open."""
        self._running.clear()

    def resume(self) -> None:
        """Go on where `stall` stopped."""
        self._running.set()

    def refuse(self, status: int = 503, retry_after: int | None = None) -> None:
        """Answer every WebSocket handshake of a processor with this HTTP status."""
        if type(status) is not int or not 300 <= status <= 599:
            raise ValueError(f'status {status!r} is not one from 300 to 599')
        if retry_after is not None and type(retry_after) is not int:
            raise ValueError(f'retry_after {retry_after!r} is not a number of seconds')
        self.accept()
        self.refuse_status, self.retry_after = status, retry_after

    def accept(self) -> None:
        """Take back refuse, redirect and accept_then_close."""
        self.refuse_status = self.retry_after = self.location = self.close_code = None
        self.close_at_once = False

    def accept_then_close(self, code: int | None = None) -> None:
        """Accept every processor connection and close it at once."""
        if code is not None and (type(code) is not int or not 1000 <= code <= 4999):
            raise ValueError(f'code {code!r} is not one from 1000 to 4999')
        self.accept()
        self.close_at_once, self.close_code = True, code

    def redirect(self, location: str) -> None:
        """Answer every WebSocket handshake of a processor with a redirect."""
        if not isinstance(location, str):
            raise ValueError(f'location {location!r} is not a URL')
        self.refuse(302)
        self.location = location

    def demand_token(self, token: str | None) -> None:
        """Demand this token of every processor that has shown none so far; None: of nobody."""
        if token is not None and not isinstance(token, str):
            raise ValueError('token is not a string')
        self.state.token = token

    def send(self, camera: str, text: str) -> None:
        """Send any text to a registered camera."""
        peer = self.state.processors.get(camera)
        if not isinstance(peer, ProcessorPeer):
            raise ValueError(f'camera {camera!r} is not registered')
        if not isinstance(text, str):
            raise ValueError('text is not a string')
        peer.deliver_text(text)

    def control(self, order: dict[str, Any]) -> None:
        """Obey an order of /control; raise ValueError or TypeError for a bad one."""
        orders: dict[str, Callable[..., None]] = {
            'drop': self.drop, 'stall': self.stall, 'resume': self.resume, 'refuse': self.refuse,
            'accept': self.accept, 'accept_then_close': self.accept_then_close,
            'redirect': self.redirect, 'demand_token': self.demand_token, 'send': self.send}
        arguments = dict(order)
        name = arguments.pop('do', None)
        if name not in orders:
            raise ValueError(f'"do" is {name!r} instead of one of: {", ".join(orders)}')
        orders[name](**arguments)

    def stats(self) -> dict[str, Any]:
        """Return what /stats shows."""
        return {
            'opened': self.opened, 'refused': self.refused, 'open': len(self.connections),
            'cameras': self.state.connections_by_camera(),
            'registered': sorted(self.state.processors), 'operators': len(self.state.operators),
            'objects': list(self.state.objects), 'received': dict(self.state.received)}

    # ---- used by the connections

    def record(self, connection: str, direction: str, text: str) -> None:
        """Tell listener and journal of a frame."""
        if self._listener is not None:
            self._listener(connection, direction, text)
        if self._journal is not None:
            self._journal.write(connection, direction, text)

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Send messages to their receivers."""
        for peer, message in deliveries:
            assert isinstance(peer, Peer)
            peer.deliver_text(codec.dumps(message))

    def closed(self, peer: Peer) -> None:
        """Forget a connection."""
        self.peers.remove(peer)
        self._all_closed.set()

    @property
    def stalled(self) -> bool:
        """Whether frames have to wait."""
        return not self._running.is_set()

    async def running(self) -> None:
        """Wait while stalled."""
        await self._running.wait()


class _Stats(web.RequestHandler):
    """What the stand-in counts, as JSON."""

    def initialize(self, sim: OrchestratorSim) -> None:
        self.sim = sim

    def get(self) -> None:
        self.set_header('Content-Type', 'application/json')
        self.write(codec.dumps(self.sim.stats()))


class _Control(_Stats):
    """Takes orders, as JSON objects."""

    def post(self) -> None:
        try:
            self.sim.control(codec.loads(self.request.body))
        except (DecodeError, ValueError, TypeError) as error:
            self.set_status(400)
            self.write(codec.dumps({'error': str(error)}))
            return
        self.get()
