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

"""A server that misbehaves byte by byte, in place of the orchestrator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import ssl

from camera_ws_bridge.sim.loop_thread import LoopThread
from rigs.raw_peer import frame, Peer, PING, PONG, TEXT

PATIENCE = 30.0  # seconds

Behaviour = Callable[[Peer], Awaitable[None]]


class HostileServer:
    """Serves every connection with `behave`, in the loop's thread."""

    def __init__(
            self, loop_thread: LoopThread, behave: Behaviour | None, received: list[str],
            tls: ssl.SSLContext | None = None) -> None:
        """`received`: where texts are noted that `serve` takes."""
        self.behave = behave
        self.received = received
        self.visits = 0
        self.faults: list[BaseException] = []
        self._loop_thread = loop_thread
        self._tasks: list[asyncio.Task[None] | None] = []
        self._server = loop_thread.submit(
            asyncio.start_server(self._on_connection, '127.0.0.1', 0, ssl=tls)).result(PATIENCE)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def serve(self, peer: Peer) -> None:
        """Be a good orchestrator: note texts, answer pings in order."""
        while True:
            opcode, payload = await peer.read_frame()
            if opcode == TEXT:
                self.received.append(payload.decode())
            elif opcode == PING:
                await peer.send(frame(PONG, payload))

    def close(self) -> None:
        """Stop listening, and break what is open; raise what a behaviour has raised."""
        async def close() -> None:
            self._server.close()
            for task in self._tasks:
                if task is not None:
                    task.cancel()
            await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)
        self._loop_thread.submit(close()).result(PATIENCE)
        if self.faults:
            raise self.faults[0]

    async def _on_connection(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.current_task())
        self.visits += 1
        peer = Peer(reader, writer)
        try:
            if self.behave is not None:
                await self.behave(peer)
            await peer.read_to_end()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:
            self.faults.append(error)
        finally:
            with contextlib.suppress(AttributeError):  # asyncio's own, while it is closing
                writer.transport.abort()
