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
A WebSocket server by hand, for tests that need one to misbehave byte by byte.

It shares no code with the `websockets` library, so that it is the same for every version of it.
"""

import asyncio
import base64
from contextlib import asynccontextmanager
import hashlib
import re
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload=b'', fin=True):
    """Return a frame as servers send them: not masked."""
    size = len(payload)
    if size < 126:
        head = struct.pack('!BB', fin << 7 | opcode, size)
    elif size < 2**16:
        head = struct.pack('!BBH', fin << 7 | opcode, 126, size)
    else:
        head = struct.pack('!BBQ', fin << 7 | opcode, 127, size)
    return head + payload


def close_frame(code=None, reason=''):
    return frame(CLOSE, b'' if code is None else struct.pack('!H', code) + reason.encode())


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.request = ''

    async def read_request(self):
        self.request = (await self.reader.readuntil(b'\r\n\r\n')).decode()

    async def upgrade(self, behind=b'', headers=b''):
        """Answer the handshake; `behind` goes out in one write with the answer."""
        await self.read_request()
        key = re.search('sec-websocket-key: *(.*)\r\n', self.request, re.IGNORECASE)[1]
        accept = hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()
        await self.send(
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            b'Sec-WebSocket-Accept: ' + base64.b64encode(accept) + b'\r\n' + headers
            + b'\r\n' + behind)

    async def answer(self, status, *headers, body=b''):
        """Answer the handshake with plain HTTP, and close."""
        await self.read_request()
        lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body)}', *headers]
        await self.send('\r\n'.join(lines).encode() + b'\r\n\r\n' + body)
        self.writer.close()

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def read_frame(self):
        """Return opcode and payload."""
        first, second = await self.reader.readexactly(2)
        size = second & 127
        if size > 125:
            extended = await self.reader.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(extended, 'big')
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(size)
        repeated = (mask * (size // 4 + 1))[:size]
        number = int.from_bytes(masked, 'big') ^ int.from_bytes(repeated, 'big')
        return first & 15, number.to_bytes(size, 'big')

    async def read_until(self, opcode):
        """Return the payload of the next frame of the kind, and the text frames before it."""
        texts = []
        while True:
            kind, payload = await self.read_frame()
            if kind == opcode:
                return payload, texts
            if kind == TEXT:  # a ping's bytes are random
                texts.append(payload.decode())

    async def read_to_end(self):
        """Return what still comes until the client has gone."""
        data = b''
        try:
            while chunk := await self.reader.read(2**16):
                data += chunk
        except OSError:
            pass
        return data

    def abort(self):
        try:
            self.writer.transport.abort()
        except AttributeError:  # asyncio's, where it had still to write when it was closed
            pass

    def reset(self):
        """End the connection with a RST."""
        connection = self.writer.get_extra_info('socket')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.writer.transport.abort()


class Server:
    """Where a server listens, and who has come."""

    def __init__(self, scheme, port):
        self.port = port
        self.url = f'{scheme}://127.0.0.1:{port}/processor'
        self.named_url = f'{scheme}://localhost:{port}/processor'
        self.peers = []


@asynccontextmanager
async def serving(behave, tls=None):
    """
    Serve each connection with the coroutine function `behave`, on a port of 127.0.0.1.

    A connection stays open when it returns. What it raises fails the test, unless the client has
    gone away.
    """
    tasks = []
    faults = []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        peer = Peer(reader, writer)
        server.peers.append(peer)
        try:
            await behave(peer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:
            faults.append(error)

    # Small buffers on this side, so that a peer that stops reading is felt soon.
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    listener.bind(('127.0.0.1', 0))
    server = Server('ws' if tls is None else 'wss', listener.getsockname()[1])
    acceptor = await asyncio.start_server(serve, sock=listener, ssl=tls)
    try:
        yield server
    finally:
        acceptor.close()
        for task in tasks:
            task.cancel()
        for peer in server.peers:
            peer.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
    if faults:
        raise faults[0]
