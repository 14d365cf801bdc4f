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
Actor: an orchestrator that does next to nothing, so that it is never what one waits for.

A WebSocket server straight on asyncio's transport: it counts frames of boxes, answers pings in
order, and writes down when each frame arrived, if it is told to.
"""

from __future__ import annotations

import array
import asyncio
import base64
import hashlib
import re
import socket
import struct
import sys
import time
from typing import Any

from rig.actors import serve_in_loop
from rig.counter import open_counter

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'  # of RFC 6455
FRAME_ID = re.compile(rb'"frameId":\s*([-+0-9.eE]+)')
PREFIX = 96  # bytes of a message that are looked at; all of the greater ones are boxes


def unmask(data: bytes, mask: bytes) -> bytes:
    """Return what a client masked."""
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(key, 'big')).to_bytes(size, 'big')


class Peer(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._open = False
        self._identified = False
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._server.peers.append(self)
        if self._server.nagle:  # asyncio turns it off
            transport.get_extra_info('socket').setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._server.peers:
            self._server.peers.remove(self)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        buffer = self._buffer
        buffer += data
        if not self._open:
            self._upgrade()
            if not self._open:
                return
        at, end = 0, len(buffer)
        while end - at >= 6:
            size = buffer[at + 1] & 127
            head = 2
            if size == 126:
                if end - at < 8:
                    break
                size, head = struct.unpack_from('!H', buffer, at + 2)[0], 4
            elif size == 127:
                if end - at < 14:
                    break
                size, head = struct.unpack_from('!Q', buffer, at + 2)[0], 10
            begin = at + head + 4
            if begin + size > end:
                break
            self._on_frame(buffer[at], at + head, begin, size, now)
            at = begin + size
        del buffer[:at]
        self._server.show_count()

    def _on_frame(self, first: int, mask_at: int, begin: int, size: int, now: int) -> None:
        server, buffer = self._server, self._buffer
        if first & 15 == TEXT and size > PREFIX and not server.looking:
            server.count += 1
            server.last_at = now
            server.first_at = server.first_at or now
            return
        mask = bytes(buffer[mask_at:begin])
        if first & 15 == TEXT:
            if server.keep_last:
                server.last = unmask(bytes(buffer[begin:begin + size]), mask)
            text = unmask(bytes(buffer[begin:begin + min(size, PREFIX)]), mask)
            if b'"identifier"' in text:
                self._identified = True
            elif b'"boundingBoxes"' in text:
                server.on_boxes(text, now)
        elif first & 15 == PING:
            payload = unmask(bytes(buffer[begin:begin + size]), mask)
            self.transport.write(bytes([0x80 | PONG, len(payload)]) + payload)
            if self._identified:
                self._identified = False
                server.registered_at.append(time.monotonic_ns())
        elif first & 15 == CLOSE:
            self.transport.write(b'\x88\x02\x03\xe8')
            self.transport.close()

    def _upgrade(self) -> None:
        head, found, rest = bytes(self._buffer).partition(b'\r\n\r\n')
        if not found:
            return
        key = re.search(rb'(?i)sec-websocket-key: *(\S+)', head)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
        self.transport.write(
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
            b'Connection: Upgrade\r\nSec-WebSocket-Accept: ' + accept + b'\r\n\r\n')
        self._buffer[:] = rest
        self._open = True

    def send(self, text: bytes) -> None:
        """Send a text message, in a write of its own."""
        size = len(text)
        head = struct.pack('!BB', 0x81, size) if size < 126 else struct.pack(
            '!BBH', 0x81, 126, size)
        self.transport.write(head + text)


class Server:
    """All connections, and what has come from them."""

    def __init__(self, counter_path: str, nagle: bool) -> None:
        """`counter_path`: a file of 8 bytes, for the count of boxes; nagle: as tornado has it."""
        self.nagle = nagle
        self.peers: list[Peer] = []
        self.count = 0
        self.first_at = self.last_at = 0  # when boxes came, since the last `reset`
        self.last = b''
        self.keep_last = False
        self.stamping = False
        self.registered_at: list[int] = []
        self._stamps: list[tuple[float, int]] = []
        self._shown = open_counter(counter_path)
        self._port = 0
        self._listener: asyncio.AbstractServer | None = None

    @property
    def looking(self) -> bool:
        """Whether every message has to be looked into."""
        return self.stamping or self.keep_last

    def show_count(self) -> None:
        """Let the publisher see how many have come."""
        self._shown[0] = self.count

    def on_boxes(self, text: bytes, now: int) -> None:
        """Count boxes, and note their frame id if that is wanted."""
        self.count += 1
        self.last_at = now
        self.first_at = self.first_at or now
        if self.stamping:
            found = FRAME_ID.search(text)
            assert found is not None, text
            self._stamps.append((float(found[1]), now))

    # ---- orders

    async def listen(self) -> dict[str, Any]:
        """Listen, on the same port again if there was one; return it, and since when."""
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Peer(self), '127.0.0.1', self._port, reuse_address=True, backlog=256)
        self._port = self._listener.sockets[0].getsockname()[1]
        return {'port': self._port, 'at': time.monotonic_ns()}

    async def go(self) -> None:
        """Stop listening and reset all connections."""
        assert self._listener is not None
        self._listener.close()
        for peer in list(self.peers):
            peer.transport.get_extra_info('socket').setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            peer.transport.abort()

    async def seen(self) -> dict[str, Any]:
        """Return what has come so far."""
        return {'count': self.count, 'first_at': self.first_at, 'last_at': self.last_at,
                'connections': len(self.peers), 'registered_at': self.registered_at}

    async def wait(self, count: int, timeout: float = 60.0) -> dict[str, Any]:
        """Wait until so many boxes have come in all."""
        end = time.monotonic() + timeout
        while self.count < count and time.monotonic() < end:
            await asyncio.sleep(0.002)
        return await self.seen()

    async def reset(self) -> int:
        """Forget when the first and the last boxes came; return the count."""
        self.first_at = self.last_at = 0
        return self.count

    async def keep(self, on: bool) -> str:
        """Keep the last message, or not; return what was kept."""
        self.keep_last = on
        return self.last.decode()

    async def stamp(self, on: bool, stamps: str = '') -> int:
        """Note when each frame comes, or write what was noted into a file, by frame id."""
        self.stamping = on
        noted, self._stamps = self._stamps, []
        if stamps:
            with open(stamps, 'wb') as file:
                array.array('q', [at for _, at in sorted(noted)]).tofile(file)
        return len(noted)

    async def commands(
            self, count: int, rate: float, stamps: str, burst: int = 1) -> None:
        """Send `count` bursts of stop messages to every connection, `rate` bursts a second."""
        times = array.array('q')
        begin = time.monotonic()
        for number in range(count):
            left = begin + number / rate - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            for _ in range(burst):
                for peer in self.peers:
                    times.append(time.monotonic_ns())
                    peer.send(b'{"type":"stop","objectId":1}')
        with open(stamps, 'wb') as file:
            times.tofile(file)


async def _main() -> None:
    server = Server(sys.argv[1], 'nagle' in sys.argv[2:])
    await serve_in_loop({name: getattr(server, name) for name in (
        'listen', 'go', 'seen', 'wait', 'reset', 'keep', 'stamp', 'commands')})


if __name__ == '__main__':
    asyncio.run(_main())
