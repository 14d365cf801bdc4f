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

"""Serves pictures of a simulated camera to browsers: PNGs in a stream, as MJPEG is of JPEGs."""

from __future__ import annotations

import asyncio
import socket

from camera_ws_bridge.sim.loop_thread import LoopThread
from tornado import httpserver, iostream, netutil, web

BOUNDARY = 'frame'
HOST = '127.0.0.1'


class Stream:
    """An HTTP server in a thread of its own, on the loopback interface."""

    def __init__(self, port: int = 0) -> None:
        """Listen; port 0: the kernel picks; OSError: it cannot be."""
        sockets = netutil.bind_sockets(port, HOST)
        self.url = f'http://{HOST}:{sockets[0].getsockname()[1]}/'
        self.viewers: set[Viewer] = set()
        self._closed = False
        self._thread = LoopThread()
        self._thread.wait(self._serve(sockets), 10.0)

    @property
    def watched(self) -> bool:
        """Return whether anybody looks: else nobody needs to encode."""
        return bool(self.viewers)

    def show(self, png: bytes) -> None:
        """Show a picture to all viewers; to be called from any one thread."""
        part = (f'Content-Type: image/png\r\nContent-Length: {len(png)}\r\n\r\n'.encode() + png
                # A browser shows a part when it sees that it is over: the boundary comes with it.
                + f'\r\n--{BOUNDARY}\r\n'.encode())
        self._thread.loop.call_soon_threadsafe(self._show, part)

    def close(self) -> None:
        """Stop serving, if that has not been done."""
        if not self._closed:
            self._closed = True
            self._thread.wait(self._stop(), 10.0)
            self._thread.stop()

    async def _serve(self, sockets: list[socket.socket]) -> None:
        application = web.Application(
            [('/', Viewer, {'stream': self})], log_function=lambda handler: None)
        self._server = httpserver.HTTPServer(application)
        self._server.add_sockets(sockets)

    async def _stop(self) -> None:
        self._server.stop()
        for viewer in list(self.viewers):
            viewer.ended.set()
        await self._server.close_all_connections()

    def _show(self, part: bytes) -> None:
        for viewer in list(self.viewers):
            viewer.show(part)


class Viewer(web.RequestHandler):
    """Somebody who looks."""

    def initialize(self, stream: Stream) -> None:
        self.stream = stream
        self.ended = asyncio.Event()

    async def get(self) -> None:
        self.set_header('Content-Type', f'multipart/x-mixed-replace;boundary={BOUNDARY}')
        self.set_header('Cache-Control', 'no-store')
        # The page has another origin, and cuts out what was clicked on. There is nothing secret.
        self.set_header('Access-Control-Allow-Origin', '*')
        self.set_header('Cross-Origin-Resource-Policy', 'cross-origin')
        self.write(f'--{BOUNDARY}\r\n')
        await self.flush()
        self.stream.viewers.add(self)
        await self.ended.wait()

    def on_connection_close(self) -> None:
        self.stream.viewers.discard(self)
        self.ended.set()

    def on_finish(self) -> None:
        self.stream.viewers.discard(self)

    def show(self, part: bytes) -> None:
        """Send a picture, unless the one before is still on its way."""
        stream = self.request.connection.stream  # type: ignore[union-attr]
        if stream.closed() or stream.writing():
            return
        self.write(part)
        self.flush().add_done_callback(_forgive)


def _forgive(sent: asyncio.Future[None]) -> None:
    if not sent.cancelled() and isinstance(sent.exception(), iostream.StreamClosedError):
        return  # a viewer that is gone
