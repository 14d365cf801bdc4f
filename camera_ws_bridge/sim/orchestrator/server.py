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

"""The simulated orchestrator as a server in an asyncio loop; what it decides is in its state."""

from __future__ import annotations

from collections.abc import Callable
import os
import socket
import ssl
import time
from typing import Any

from camera_ws_bridge.sim.orchestrator.control import Control, ObjectIds, Sightings, Stats
from camera_ws_bridge.sim.orchestrator.faults import Faults, Handshake
from camera_ws_bridge.sim.orchestrator.journal import Journal
from camera_ws_bridge.sim.orchestrator.peers import (
    Connections, deliver, OperatorPeer, ProcessorPeer)
from camera_ws_bridge.sim.orchestrator.state import State
from camera_ws_bridge.sim.orchestrator.timelines import Timelines
from camera_ws_bridge.sim.page.guard import Guard
from camera_ws_bridge.sim.page.handlers import Page
from camera_ws_bridge.sim.page.watch import Watch
from tornado import httpserver, ioloop, netutil, web


class OrchestratorSim:
    """The server; all methods belong to the thread of the asyncio loop that it was started in."""

    def __init__(
            self, *, host: str = '127.0.0.1', port: int = 0, token: str | None = None,
            record: str | os.PathLike[str] | None = None, tls: ssl.SSLContext | None = None,
            listener: Callable[[str, str, str], None] | None = None) -> None:
        """
        Set up; `start` begins to listen.

        port 0: the kernel picks; record: a file to append all traffic to; listener: called for
        every frame with connection, direction and text, as they are recorded. What else it knows
        or demands can be set in its state before it starts.
        """
        self.state = State(token=token, clock=time.monotonic)
        self.timelines = Timelines()
        self.faults = Faults()
        self.watch = Watch()
        self.all = Connections(self.state, self.faults, self._record, self.watch)
        self.page = Page(self._shown, Guard([host, socket.gethostname()]))
        self.host = host
        self.port = port
        self._journal_path = record
        self._tls = tls
        self._listener = listener
        self._journal: Journal | None = None
        self._server: httpserver.HTTPServer | None = None
        self._time_out = ioloop.PeriodicCallback(
            lambda: deliver(self.state.time_out()), 1000.0)

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
    def page_url(self) -> str:
        """Return the URL of the operator's page."""
        return f'http{self.url.removeprefix("ws").removesuffix("processor")}'

    @property
    def connections(self) -> list[ProcessorPeer]:
        """Return the open processor connections, oldest first."""
        return self.all.processors

    @property
    def opened(self) -> int:
        """Return how many processor connections there were, without those that were refused."""
        return self.all.opened

    @property
    def refused(self) -> int:
        """Return how many processors were refused in the handshake."""
        return self.all.refused

    async def start(self) -> None:
        """Listen."""
        # First, for it may fail; and the address can be taken again at once (SO_REUSEADDR).
        sockets = netutil.bind_sockets(self.port, self.host)
        if self._journal_path is not None:
            self._journal = Journal(self._journal_path)
        self.port = sockets[0].getsockname()[1]
        self.state.saw = self._saw
        self._time_out.start()
        self.page.start()
        peers = {'connections': self.all}
        self._server = httpserver.HTTPServer(web.Application([
            ('/processor', ProcessorPeer, peers),
            ('/client', OperatorPeer, peers),
            ('/objectIds', ObjectIds, {'state': self.state}),
            ('/timelines', Sightings, {'timelines': self.timelines}),
            ('/stats', Stats, {'stats': self.stats}),
            ('/control', Control, {
                'stats': self.stats, 'obey': self.control, 'guard': self.page.guard}),
            *self.page.routes(),
        ], log_function=lambda handler: None), ssl_options=self._tls)
        self._server.add_sockets(sockets)

    async def stop(self) -> None:
        """Stop listening and break all connections, for good."""
        server, self._server = self._server, None
        if server is None:
            return
        server.stop()
        self._time_out.stop()
        self.page.stop()
        # tornado's close_all_connections knows no WebSockets.
        for peer in list(self.all.peers):
            peer.abort()
        self.faults.end()
        await server.close_all_connections()
        await self.all.emptied()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _record(self, connection: str, direction: str, text: str) -> None:
        """Tell listener and journal of a frame."""
        if self._listener is not None:
            self._listener(connection, direction, text)
        if self._journal is not None:
            self._journal.write(connection, direction, text)

    def _saw(self, object_id: int, camera_id: Any) -> None:
        self.timelines.add(object_id, camera_id)
        self.watch.seen(object_id, camera_id, time.time())

    def _shown(self, now: float) -> dict[str, Any]:
        """Return what the operator's page is told."""
        return {**self.watch.shown(self.state.objects, now), 'faults': {
            'stalled': self.faults.stalled, 'handshake': self.faults.handshake.described(),
            'token': self.state.token is not None,
            'operatorToken': self.state.operator_token is not None}}

    # ---- orders

    def drop(self) -> None:
        """Break all processor connections (RST)."""
        for connection in self.connections:
            connection.abort()

    def refuse(self, status: int = 503, retry_after: int | None = None) -> None:
        """Answer every WebSocket handshake of a processor with this HTTP status."""
        self.faults.handshake = Handshake.refused(status, retry_after)

    def redirect(self, location: str) -> None:
        """Answer every WebSocket handshake of a processor with a redirect."""
        self.faults.handshake = Handshake.redirected(location)

    def accept_then_close(self, code: int | None = None) -> None:
        """Accept every processor connection and close it at once."""
        self.faults.handshake = Handshake.closed(code)

    def accept(self) -> None:
        """Take back refuse, redirect and accept_then_close."""
        self.faults.handshake = Handshake()

    def demand_token(self, token: str | None, operators: bool = False) -> None:
        """Demand this token of every processor, or operator, that has shown none; None: none."""
        if token is not None and not isinstance(token, str):
            raise ValueError('token is not a string')
        if operators:
            self.state.operator_token = token
        else:
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
            'drop': self.drop, 'stall': self.faults.stall, 'resume': self.faults.resume,
            'refuse': self.refuse,
            'accept': self.accept, 'accept_then_close': self.accept_then_close,
            'redirect': self.redirect, 'demand_token': self.demand_token, 'send': self.send,
            'picture': self.page.pictures.show}
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
            'registered': sorted(map(str, self.state.processors)),
            'operators': len(self.state.operators),
            'objects': list(self.state.objects), 'received': dict(self.state.received)}
