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

"""The orchestrator stand-in's end of one connection."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Any, Protocol as Interface

from camera_ws_bridge.errors import MessageError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.sim.orchestrator.state import Delivery, Ignored, State
from tornado import web, websocket

LOGGER = logging.getLogger('orchestrator_sim')


class Server(Interface):
    """What a connection needs of the server that it belongs to."""

    state: State
    peers: list[Peer]
    opened: int  # connections to /processor
    stalled: bool
    listening: bool
    refuse_status: int | None
    retry_after: int | None
    location: str | None
    refused: int
    close_at_once: bool
    close_code: int | None

    async def running(self) -> None:
        """Return when it is not stalled."""

    def record(self, connection: str, direction: str, text: str) -> None:
        """Put a frame into the journal."""

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Send what the state has answered."""

    def closed(self, peer: Peer) -> None:
        """Hear of the end of a connection."""


class Protocol(websocket.WebSocketProtocol13):
    """What tornado makes of frames, except while stalled, and with pings in the journal."""

    handler: Peer

    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        # Here and not in on_message, for a stalled server answers no pings either. tornado reads
        # the next frame when the future that this returns is done: all in order.
        if self.handler.sim.stalled:
            return asyncio.ensure_future(self._handle_later(opcode, data))
        return self._handle_now(opcode, data)

    async def _handle_later(self, opcode: int, data: bytes) -> None:
        await self.handler.sim.running()
        if self.handler.sim.listening and (handled := self._handle_now(opcode, data)) is not None:
            await handled

    def _handle_now(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        if self.server_terminated and opcode != 0x8:
            return None  # it has said that it closes: nothing but the other's farewell counts
        if opcode == 0x9:
            text = data.decode(errors='replace')
            self.handler.record('ping', text)
            self.handler.record('pong', text)
        return super()._handle_message(opcode, data)


class Peer(websocket.WebSocketHandler):
    """A connection of either kind."""

    sim: Server
    name = ''
    gone = False  # possibly before it was opened

    def initialize(self, sim: Server) -> None:
        self.sim = sim

    def check_origin(self, origin: str) -> bool:
        return True

    def get_websocket_protocol(self) -> websocket.WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, websocket.WebSocketProtocol13):
            return protocol
        return Protocol(self, False, protocol.params)

    async def prepare(self) -> None:
        await self.sim.running()
        if self.gone or not self.sim.listening:
            raise web.Finish

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        self.sim.peers.append(self)
        self.record('open', self.request.path)

    def on_message(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode(errors='replace')
        try:
            fields = codec.loads(text)
            codec.dumps(fields)  # what could not be passed on must not get into the state
        except MessageError as error:
            self.record('to_orchestrator', text)
            LOGGER.info('%s: ignored: %s', self.name, error)
            return
        self._name_after(fields)
        self.record('to_orchestrator', text)
        try:
            self._handle(fields)
        except Ignored as error:
            LOGGER.info('%s: ignored: %s', self.name, error)
        except TypeError as error:  # e.g. a list where an id should be
            LOGGER.warning('%s: cannot be handled: %r', self.name, error)

    def on_close(self) -> None:
        self.gone = True
        if self in self.sim.peers:
            self.record('closed', str(self.close_code or ''))
            self._forget()
            self.sim.closed(self)

    def record(self, direction: str, text: str) -> None:
        """Put a frame of this connection into the journal."""
        self.sim.record(self.name, direction, text)

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

    def _handle(self, fields: dict[str, Any]) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError


class ProcessorPeer(Peer):
    """A connection to /processor."""

    async def prepare(self) -> None:
        await super().prepare()
        sim = self.sim
        if sim.refuse_status is not None:
            sim.refused += 1
            self.set_status(sim.refuse_status)
            if sim.retry_after is not None:
                self.set_header('Retry-After', str(sim.retry_after))
            if sim.location is not None:
                self.set_header('Location', sim.location)
            self.finish()

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        self.sim.opened += 1
        self.name = f'processor {self.sim.opened}'
        super().open()
        if self.sim.close_at_once:
            self.close(self.sim.close_code)

    def _name_after(self, fields: dict[str, Any]) -> None:
        if fields.get('type') == 'identifier' and isinstance(fields.get('id'), str):
            self.name = fields['id']

    def _handle(self, fields: dict[str, Any]) -> None:
        deliveries = self.sim.state.from_processor(self, fields)
        if deliveries is None:
            self.close()  # without a code, as observed
            return
        self.sim.deliver(deliveries)

    def _forget(self) -> None:
        self.sim.state.processor_closed(self)


class OperatorPeer(Peer):
    """A connection to /client."""

    name = 'operator'

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        super().open()
        self.sim.state.operator_opened(self)

    def _handle(self, fields: dict[str, Any]) -> None:
        self.sim.deliver(self.sim.state.from_operator(self, fields))

    def _forget(self) -> None:
        self.sim.state.operator_closed(self)
