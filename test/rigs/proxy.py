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
A TCP proxy on loopback that injects the faults of a bad link, for process tests.

It runs in the thread of a LoopThread, and its methods may be called from any other thread: each
returns once the fault is in force. Kernel buffers are kept small, so that a fault is felt after
kilobytes, not megabytes. There is no timing or chance in it but what the caller asks for.

    proxy = Proxy(loop_thread, orchestrator.port)
    proxy.throttle(10_000)  # connect to proxy.port
    proxy.stall()
    proxy.pass_through()
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
import random
import socket
import struct
from typing import Any, TypeVar

from camera_ws_bridge.sim.loop_thread import LoopThread

TO_SERVER, TO_CLIENT = 'to_server', 'to_client'
BOTH = (TO_SERVER, TO_CLIENT)
CHUNK = 16 * 1024  # bytes forwarded at once
BUFFER = 32 * 1024  # bytes of each socket's kernel buffers; the kernel doubles it
SLICES = 20  # a throttled direction forwards so many pieces a second
PATIENCE = 30.0  # seconds
RESET = struct.pack('ii', 1, 0)  # SO_LINGER: on, 0 seconds: close() sends RST

T = TypeVar('T')


class Proxy:
    """Forwards connections on `port` to 127.0.0.1:`target`, and does harm on demand."""

    def __init__(self, loop_thread: LoopThread, target: int, port: int = 0) -> None:
        self.target = target  # a port; new connections use it, so it may be changed
        self.port = port
        self.accepted = 0  # connections, over all time
        self.bytes: Counter[str] = Counter()  # forwarded, by direction
        self._loop_thread = loop_thread
        self._loop = loop_thread.loop
        self._flowing = dict.fromkeys(BOTH, True)
        self._rate = dict.fromkeys(BOTH, 0.0)  # bytes a second; 0: no limit
        self._budget: dict[str, int | None] = dict.fromkeys(BOTH)
        self._fragments: random.Random | None = None
        self._fragment_max = CHUNK
        self._changed = asyncio.Event()
        self._connections: list[_Connection] = []
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._call(self._listen)

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._connections)

    def pass_through(self) -> None:
        """End all faults: stalled connections go on, new ones are accepted."""
        def heal() -> None:
            for direction in BOTH:
                self._flowing[direction] = True
                self._rate[direction] = 0.0
                self._budget[direction] = None
            self._fragments = None
            self._notify()
            self._listen()
        self._call(heal)

    def throttle(self, rate: float, *directions: str) -> None:
        """Forward at most `rate` bytes a second in each of the directions (both if none)."""
        self._call(self._set, self._rate, directions, rate)

    def stall(self, *directions: str) -> None:
        """Stop reading in these directions (both if none); connections stay open."""
        self._call(self._set, self._flowing, directions, False)

    def fragment(self, seed: int, most: int = 7) -> None:
        """Forward in pieces of 1 to `most` bytes, of sizes that the seed determines."""
        def begin() -> None:
            self._fragments, self._fragment_max = random.Random(seed), most
            self._notify()
        self._call(begin)

    def cut_after(self, count: int, direction: str = TO_SERVER) -> None:
        """Forward `count` more bytes in one direction, then reset that connection; once."""
        self._call(self._set, self._budget, (direction,), count)

    def stop_accepting(self) -> None:
        """Leave new connections in the kernel's queue: connected, and never served."""
        self._call(self._stop_accepting)

    def refuse(self) -> None:
        """Refuse new connections; those that are open stay."""
        self._call(self._close_listener)

    def reset(self, count: int | None = None) -> int:
        """Send RST to both ends of the oldest `count` connections (all); return how many."""
        return self._call(self._end, count, True)

    def drop(self, count: int | None = None) -> int:
        """Close the oldest `count` connections (all) on both sides; return how many."""
        return self._call(self._end, count, False)

    def close(self) -> None:
        """Refuse new connections and drop what is open."""
        def close() -> None:
            self._close_listener()
            self._end(None, True)
        self._call(close)

    # ---- in the loop's thread

    def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        async def run() -> T:
            return function(*arguments)
        return self._loop_thread.submit(run()).result(PATIENCE)

    def _set(self, setting: dict[str, Any], directions: tuple[str, ...], value: Any) -> None:
        for direction in directions or BOTH:
            assert direction in BOTH, direction
            setting[direction] = value
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _shrink(self._listener)
            self._listener.bind(('127.0.0.1', self.port))
            self._listener.listen(64)
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
        if self._accepting is None:
            self._accepting = self._loop.create_task(self._accept(self._listener))

    def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._loop.remove_reader(self._listener)  # now, not when the task gets its turn
            self._accepting.cancel()
            self._accepting = None

    def _close_listener(self) -> None:
        self._stop_accepting()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _end(self, count: int | None, reset: bool) -> int:
        ended = self._connections[:count]
        for connection in ended:
            connection.end(reset)
        return len(ended)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self.accepted += 1
            connection = _Connection(self, client)
            self._connections.append(connection)
            connection.task = self._loop.create_task(connection.run())

    async def flow(self, direction: str) -> None:
        """Return when bytes may flow in this direction."""
        while not self._flowing[direction]:
            await self._changed.wait()

    def quantum(self, direction: str) -> int:
        """Return how many bytes may be read at once."""
        size = CHUNK
        if self._rate[direction]:
            size = min(size, max(1, int(self._rate[direction] / SLICES)))
        if self._fragments is not None:
            size = min(size, self._fragments.randint(1, self._fragment_max))
        return size

    async def pause(self, direction: str, size: int) -> None:
        """Wait as long as so many bytes take, or until the rate is changed."""
        rate = self._rate[direction]
        if rate:
            try:
                await asyncio.wait_for(self._changed.wait(), size / rate)
            except asyncio.TimeoutError:
                pass

    def spend(self, direction: str, data: bytes) -> tuple[bytes, bool]:
        """Return what of the data may pass, and whether the connection is to be cut then."""
        budget = self._budget[direction]
        if budget is None:
            return data, False
        cut = len(data) >= budget
        self._budget[direction] = None if cut else budget - len(data)
        return data[:budget], cut

    def forget(self, connection: _Connection) -> None:
        """Take a connection that has ended out of the list."""
        if connection in self._connections:
            self._connections.remove(connection)


class _Connection:
    """One client, and the connection to the server that is made for it."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.task: asyncio.Task[None] | None = None
        self._proxy = proxy
        self._client = client
        self._server = socket.socket()
        _shrink(self._server)
        for end in (self._client, self._server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run(self) -> None:
        """Forward both ways until both ends have said all, or one is gone."""
        loop = asyncio.get_running_loop()
        pumps: list[asyncio.Future[None]] = []
        reset = True
        try:
            await loop.sock_connect(self._server, ('127.0.0.1', self._proxy.target))
            pumps = [asyncio.ensure_future(self._pump(TO_SERVER, self._client, self._server)),
                     asyncio.ensure_future(self._pump(TO_CLIENT, self._server, self._client))]
            await asyncio.gather(*pumps)
            reset = False
        except OSError:
            pass  # one end is gone: so is the other
        finally:
            for pump in pumps:
                pump.cancel()
            self.end(reset)

    def end(self, reset: bool) -> None:
        """Close both sockets; reset: by RST."""
        loop = asyncio.get_running_loop()
        self._proxy.forget(self)
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()
        for end in (self._client, self._server):
            if end.fileno() >= 0:
                loop.remove_reader(end)
                loop.remove_writer(end)
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.close()

    async def _pump(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        loop, proxy = asyncio.get_running_loop(), self._proxy
        while True:
            await proxy.flow(direction)
            data = await loop.sock_recv(source, proxy.quantum(direction))
            await proxy.flow(direction)  # it may have stalled while nothing came
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            data, cut = proxy.spend(direction, data)
            await loop.sock_sendall(sink, data)
            proxy.bytes[direction] += len(data)
            if cut:
                raise ConnectionResetError
            await proxy.pause(direction, len(data))


def _shrink(end: socket.socket) -> None:
    """Keep the kernel's buffers small; accepted sockets inherit it."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
