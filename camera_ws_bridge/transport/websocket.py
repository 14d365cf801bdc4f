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
The WebSocket connection: a thin shell around the `websockets` library.

All that differs between its versions (10.4 with the legacy API to the newest) stands here; what
can go wrong is sorted in causes. When to connect, and what to say, is link's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import logging
import ssl
import sys
from typing import Any

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.transport import names, probe, url as urls
from camera_ws_bridge.transport.causes import classify, in_handshake, redirected
from camera_ws_bridge.transport.dial import dial
from camera_ws_bridge.transport.tcp import Silence, Tcp
from websockets.version import version as websockets_version

# Bytes of one incoming message. The orchestrator takes 10 MiB, and may write that out as four
# times as much (1e15 becomes 1000000000000000.0); what is refused here would come again with each
# replay.
MAX_SIZE = 41 * 2**20

# Frames of one incoming message. Empty ones add nothing to its size, and cost memory all the same;
# the library has a limit, the same, since 17 only.
MAX_FRAGMENTS = 4096

# Seconds that a peer has to end TCP after a Close frame: only then does the library tell of it.
# Twice this is within TOKEN_DOUBT of camera_ws_bridge.link.active_connection.
CLOSE_PATIENCE = 0.4

LAST_MOMENT = 0.1  # seconds that a handshake has at least

READ_SIZE = 16 * 2**10  # bytes that are taken from the socket at once

# The asyncio API came with 13 and sends text from bytes since 14; Ubuntu 24.04's apt has 10.4.
if int(websockets_version.split('.')[0]) >= 14:
    from websockets.asyncio.client import ClientConnection, connect as _library_connect
    from websockets.frames import CloseCode, DATA_OPCODES, Frame
    from websockets.protocol import State
    _LEGACY = False
else:
    from websockets.exceptions import PayloadTooBig
    from websockets.legacy.client import (  # type: ignore[assignment]
        connect as _library_connect, WebSocketClientProtocol)
    from websockets.legacy.protocol import State  # type: ignore[attr-defined] # for all before 14
    _LEGACY = True

_OPEN = State.OPEN
_TOO_MANY = 'too many fragments'

# The library logs frames and headers at DEBUG, tokens among them: it gets a logger that nobody
# can turn on by name.
_SILENT = logging.Logger('camera_ws_bridge.websockets')
_SILENT.disabled = True


@dataclass(frozen=True)
class Options:
    """How to connect; files as paths."""

    compression: bool = False
    user_timeout: float = 0.0  # seconds; the kernel's limit for unacknowledged data; 0: its own
    tls_ca_file: str = ''
    tls_cert_file: str = ''
    tls_key_file: str = ''


class _Connect(_library_connect):
    """The library's connect, without following redirects: they could lead a token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc

    def handle_redirect(self, uri: str) -> None:  # the same in the legacy API
        raise redirected(302, uri)


if _LEGACY:
    class _BoundedConnection(WebSocketClientProtocol):
        """The library's connection; it refuses a message of too many fragments."""

        _fragments = 0  # so far, of a message that is not complete

        async def read_data_frame(self, max_size: int | None) -> Any:
            frame = await super().read_data_frame(max_size)
            if frame is not None:
                self._fragments = 0 if frame.fin else self._fragments + 1
                if self._fragments == MAX_FRAGMENTS:
                    raise PayloadTooBig(_TOO_MANY)
            return frame
else:
    class _BoundedConnection(ClientConnection):  # type: ignore[no-redef]
        """
        The library's connection; it refuses a message of too many fragments.

        After a Close frame recv() does not wait for TCP to end.
        """

        _fragments = 0  # so far, of a message that is not complete
        _leaving: asyncio.TimerHandle | None = None

        def process_event(self, event: Any) -> None:
            if self._fragments == MAX_FRAGMENTS:
                return  # came with what was refused
            super().process_event(event)
            if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                self._fragments = 0 if event.fin else self._fragments + 1
                if self._fragments == MAX_FRAGMENTS:
                    self.protocol.fail(CloseCode.MESSAGE_TOO_BIG, _TOO_MANY)
                    self.send_data()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            protocol = self.protocol
            if self._leaving is None and protocol.state is State.CLOSING and (
                    protocol.close_rcvd or protocol.parser_exc
                    or self._fragments == MAX_FRAGMENTS):
                self._leaving = self.loop.call_later(CLOSE_PATIENCE, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._leaving is not None:
                self._leaving.cancel()
            super().connection_lost(exc)


async def connect(
        url: str, options: Options, tls: ssl.SSLContext | None, timeout: float) -> Connection:
    """
    Open a connection within `timeout` seconds; raise LinkFault.

    `tls` is needed for wss:// URLs, and only there.
    """
    try:
        urls.check(url)
    except ValueError as error:
        raise LinkFault('url', f'orchestrator_url {error}', fatal=True, reached=False) from None
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    host, port = urls.address(url)
    try:
        addresses = await names.look_up(host, port, timeout)
        tcp = (await dial(addresses, deadline - loop.time())).result()
    except Exception as error:
        raise classify(error) from error
    arguments: dict[str, Any] = {
        # A connection that fails is aborted anyway. The legacy API lets it pass twice.
        'close_timeout': CLOSE_PATIENCE if _LEGACY else 1.0,
        'compression': 'deflate' if options.compression else None,
        'logger': _SILENT,
        'max_size': MAX_SIZE,
        # The legacy API would not even begin, and leave the socket behind, without any time.
        'open_timeout': max(deadline - loop.time(), LAST_MOMENT),
        'ping_interval': None,  # link pings by itself: the library's ping waits behind data
        'sock': tcp,
        'write_limit': 2**17,
    }
    if urls.is_encrypted(url):
        arguments['ssl'] = tls
        arguments['server_hostname'] = host.partition('%')[0]
    arguments['create_protocol' if _LEGACY else 'create_connection'] = _BoundedConnection
    if int(websockets_version.split('.')[0]) >= 15:
        arguments['proxy'] = None
    try:
        return Connection(
            await _Connect(urls.without_zone(url), **arguments), options.user_timeout,
            (host, port))
    except Exception as error:
        raise in_handshake(error, tls is not None) from error


class Connection:
    """An open WebSocket; every method that waits raises LinkFault when it is gone."""

    def __init__(
            self, websocket: Any, user_timeout: float, server: tuple[str, int]) -> None:
        self._websocket = websocket
        self._server = server  # host and port
        self._tcp = Tcp(websocket.transport.get_extra_info('socket'), user_timeout)
        # asyncio's own; its 256 KiB can be forty thousand pings, and nothing else runs meanwhile.
        websocket.transport.max_size = READ_SIZE
        # Under a TLS transport lies TCP's, with a buffer of its own, for which there is no name.
        self._under_tls = getattr(getattr(
            websocket.transport, '_ssl_protocol', None), '_transport', None)
        self._progress = 0
        self._pongs_due = 0
        self._pinged_at = 0  # where the newest ping ends in the stream of bytes
        # The orchestrator has Nagle on: a delayed ACK would hold back its next message by 40 ms.
        self._tcp.quick_ack()

    async def send(self, text: bytes) -> None:
        """Write a text message (UTF-8). Returning means: in a buffer of this machine, no more."""
        try:
            if _LEGACY:
                await self._websocket.send(text.decode())
            else:
                await self._websocket.send(text, text=True)
        except Exception as error:
            raise classify(error) from error

    def can_write(self) -> bool:
        """Tell whether write() may be called: the connection is open, and nothing waits in it."""
        if _LEGACY:
            return False
        transport = self._websocket.transport
        return (self._websocket.protocol.state is _OPEN and not transport.is_closing()
                and not transport.get_write_buffer_size())

    def write(self, text: bytes) -> None:
        """
        Write a text message (UTF-8) without a coroutine's detours, where can_write allows it.

        There is no back-pressure: what the socket does not take waits in memory.
        """
        protocol = self._websocket.protocol
        try:
            protocol.send_text(text)
            for data in protocol.data_to_send():
                self._websocket.transport.write(data)
        except Exception as error:
            raise classify(error) from error

    async def ping(self) -> asyncio.Future[Any]:
        """Write a ping; return the future of its pong (cancelled or failed when the link is)."""
        try:
            pong: asyncio.Future[Any] = asyncio.ensure_future(await self._websocket.ping())
        except Exception as error:
            raise classify(error) from error
        self._pongs_due += 1
        self._pinged_at = self._written()
        pong.add_done_callback(self._on_pong)
        return pong

    def _on_pong(self, pong: asyncio.Future[Any]) -> None:
        self._pongs_due -= 1
        if not pong.cancelled():
            pong.exception()  # retrieved, so that a lost link does not log 'never retrieved'

    async def receive(self) -> str | bytes:
        """
        Return the next message; bytes for a binary one.

        Does not suspend while messages wait, so that a task that does nothing else between two
        calls has handled all that came before a pong when the pong's waiter runs.
        """
        try:
            message: str | bytes = await self._websocket.recv()
        except Exception as error:
            raise classify(error) from error
        self._tcp.quick_ack()
        return message

    def progress(self) -> int:
        """
        Return a number that grows while bytes get through, in either direction.

        While a pong is due, what was written behind its ping does not count: the kernel of a peer
        that hangs goes on acknowledging such bytes until its buffers are full. Once the connection
        is closing nothing counts: a peer that just goes on sending would never be left.
        """
        if self._websocket.state is _OPEN:
            self._progress = sum(self._count_progress())
        return self._progress

    def delivered(self) -> int:
        """Return the part of progress() that is of what was written, not of what was received."""
        return self._count_progress()[0]

    def has_route(self) -> bool:
        """Tell whether its local address and its route are as they were when it was opened."""
        return self._tcp.has_route()

    def be_patient(self, seconds: float) -> None:
        """Have the kernel try for so long to get through, from now on."""
        self._tcp.limit(seconds)

    def silence(self) -> Silence | None:
        """Return how long nothing has come from the peer's kernel; None: not known."""
        return self._tcp.silence()

    async def answers_anew(self) -> float | None:
        """Try whether the server answers new connections; see probe."""
        if self._tcp.peer is None:
            return None
        return await probe.answers(*self._server, self._tcp.peer)

    def _count_progress(self) -> tuple[int, int]:
        counters = self._tcp.counters()
        if counters is None:
            return -int(self._websocket.transport.get_write_buffer_size()), 0
        acknowledged, received = counters
        return min(acknowledged, self._pinged_at) if self._pongs_due else acknowledged, received

    def _written(self) -> int:
        """Return how many bytes have been written, wherever they are by now."""
        in_kernel = self._tcp.written()
        if in_kernel is None:
            return sys.maxsize
        try:
            return int(in_kernel + self._websocket.transport.get_write_buffer_size() + (
                self._under_tls.get_write_buffer_size() if self._under_tls is not None else 0))
        except AttributeError:  # asyncio's own, if the connection was lost in this very moment
            return sys.maxsize

    async def close(self, code: int, timeout: float) -> None:
        """Close in order, for at most `timeout` seconds; then the hard way."""
        closing = asyncio.ensure_future(self._websocket.close(code))
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Not wait_for: the legacy API's close takes its time even when it is cancelled.
        await asyncio.wait([closing], timeout=timeout)
        self._end()  # what is in the kernel may still arrive

    def abort(self) -> None:
        """End the connection at once; what has not arrived by now never will."""
        self._tcp.discard()
        self._end()

    def _end(self) -> None:
        try:
            self._websocket.transport.abort()
        except AttributeError:  # asyncio's own, if the connection was lost in this very moment
            pass
        # Where a message was refused, the library's error holds it by its traceback, in a circle
        # that may not be collected for hours.
        error = getattr(getattr(self._websocket, 'protocol', None), 'parser_exc', None)
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__
