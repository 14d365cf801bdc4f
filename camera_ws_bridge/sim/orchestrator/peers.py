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

"""The simulated orchestrator's end of one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import json
import logging
import socket
import struct
import time
from typing import Any

from camera_ws_bridge.sim.orchestrator.faults import Faults
from camera_ws_bridge.sim.orchestrator.state import Delivery, Ignored, State
from camera_ws_bridge.sim.page.watch import Watch
from tornado import web, websocket

LOGGER = logging.getLogger('orchestrator_sim')


@dataclass
class Connections:
    """All connections of one server, and what they share."""

    state: State
    faults: Faults
    record: Callable[[str, str, str], None]  # of connection, direction and text of a frame
    watch: Watch  # for the operator's page
    peers: list[Peer] = field(default_factory=list)  # of both kinds, oldest first
    opened: int = 0  # to /processor, refused ones not counted
    refused: int = 0
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def processors(self) -> list[ProcessorPeer]:
        """Return the open processor connections, oldest first."""
        return [peer for peer in self.peers if isinstance(peer, ProcessorPeer)]

    def remove(self, peer: Peer) -> None:
        """Forget a connection that is closed."""
        self.peers.remove(peer)
        self._closed.set()

    async def emptied(self) -> None:
        """Wait until all are closed."""
        while self.peers:
            self._closed.clear()
            await self._closed.wait()


class Protocol(websocket.WebSocketProtocol13):
    """What tornado makes of frames, except while stalled, and with pings in the journal."""

    handler: Peer

    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        # Here and not in on_message, for a stalled server answers no pings either. tornado reads
        # the next frame when the future that this returns is done: all in order.
        if self.handler.connections.faults.stalled:
            return asyncio.ensure_future(self._handle_later(opcode, data))
        return self._handle_now(opcode, data)

    async def _handle_later(self, opcode: int, data: bytes) -> None:
        if (await self.handler.connections.faults.running()
                and (handled := self._handle_now(opcode, data)) is not None):
            await handled

    def _handle_now(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        if self.handler.deaf and opcode != 0x8:
            return None  # it has said that it closes: nothing but the other's farewell counts
        if opcode == 0x9:
            text = data.decode(errors='replace')
            self.handler.record('ping', text)
            self.handler.record('pong', text)
        return super()._handle_message(opcode, data)


class Peer(websocket.WebSocketHandler):
    """A connection of either kind."""

    connections: Connections
    name = ''
    gone = False  # possibly before it was opened
    deaf = False  # hears nothing but a farewell

    def initialize(self, connections: Connections) -> None:
        self.connections = connections

    def check_origin(self, origin: str) -> bool:
        return True

    def get_websocket_protocol(self) -> websocket.WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, websocket.WebSocketProtocol13):
            return protocol
        return Protocol(self, False, protocol.params)

    async def prepare(self) -> None:
        if not await self.connections.faults.running() or self.gone:
            raise web.Finish

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        self.connections.peers.append(self)
        self.record('open', self.request.path)

    def on_message(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode(errors='replace')
        try:
            fields = json.loads(message)  # as lenient as the real one: it takes NaN, too
            if not isinstance(fields, dict):
                raise ValueError(f'{type(fields).__name__} instead of an object')
        except (ValueError, RecursionError) as error:
            self.record('to_orchestrator', text)
            LOGGER.info('%s: ignored: %s', self.name, error)
            return
        self._name_after(fields)
        self.record('to_orchestrator', text)
        try:
            deliveries = self._handle(fields)
        except Ignored as error:
            LOGGER.info('%s: ignored: %s', self.name, error)
            return
        if deliveries is None:
            self.close()  # without a code, as observed
        else:
            deliver(deliveries)

    def on_close(self) -> None:
        self.gone = True
        if self in self.connections.peers:
            self.record('closed', str(self.close_code or ''))
            self._forget()
            self.connections.remove(self)

    def record(self, direction: str, text: str) -> None:
        """Put a frame of this connection into the journal."""
        self.connections.record(self.name, direction, text)

    def deliver_text(self, text: str) -> None:
        """Send a message, unless the connection is gone."""
        if self.ws_connection is None or self.ws_connection.is_closing():
            return
        self.record('from_orchestrator', text)
        # That the connection breaks meanwhile is seen elsewhere; asyncio shall not complain of it.
        self.write_message(text).add_done_callback(
            lambda written: written.cancelled() or written.exception())

    def abort(self) -> None:
        """End the TCP connection with a reset instead of a farewell."""
        stream = self.ws_connection.stream if self.ws_connection else None
        if stream is not None and stream.socket is not None:
            stream.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            stream.close()

    def _name_after(self, fields: dict[str, Any]) -> None:
        pass

    def _handle(self, fields: dict[str, Any]) -> list[Delivery] | None:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError


class ProcessorPeer(Peer):
    """A connection to /processor."""

    async def prepare(self) -> None:
        await super().prepare()
        answer = self.connections.faults.handshake
        if answer.status is not None:
            self.connections.refused += 1
            self.set_status(answer.status)
            for name, value in answer.headers.items():
                self.set_header(name, value)
            self.finish()

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        self.connections.opened += 1
        self.name = f'processor {self.connections.opened}'
        super().open()
        if self.connections.faults.handshake.close:
            self.deaf = True
            self.close(self.connections.faults.handshake.close_code)

    def _name_after(self, fields: dict[str, Any]) -> None:
        if fields.get('type') == 'identifier' and isinstance(fields.get('id'), str):
            self.name = fields['id']

    def _handle(self, fields: dict[str, Any]) -> list[Delivery] | None:
        state, watch = self.connections.state, self.connections.watch
        deliveries = state.from_processor(self, fields)
        kind = fields['type']
        if deliveries is None or kind not in ('identifier', 'boundingBoxes', 'featureMap'):
            return deliveries
        if kind == 'identifier':
            watch.presence(state.processors, time.time())
        elif kind == 'boundingBoxes':
            watch.frame(state.cameras.get(self), fields['frameId'], time.time())
        else:
            watch.extracted(int(fields['objectId']), state.cameras.get(self))
        for peer, message in deliveries:
            if message.get('type') == 'featureMap' and message['featureMap']:
                watch.told(int(message['objectId']), state.cameras.get(peer))
        return deliveries

    def _forget(self) -> None:
        self.connections.state.processor_closed(self)
        self.connections.watch.presence(self.connections.state.processors, time.time())


class OperatorPeer(Peer):
    """A connection to /client."""

    name = 'operator'

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        super().open()
        self.connections.state.operator_opened(self)

    def _handle(self, fields: dict[str, Any]) -> list[Delivery] | None:
        return self.connections.state.from_operator(self, fields)

    def _forget(self) -> None:
        self.connections.state.operator_closed(self)


def deliver(deliveries: Iterable[Delivery]) -> None:
    """Send messages to their receivers."""
    for peer, message in deliveries:
        assert isinstance(peer, Peer)
        peer.deliver_text(json.dumps(message))
