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

from collections.abc import Awaitable, Callable
import ssl

from camera_ws_bridge.sim.loop_thread import LoopThread
from rigs.raw_peer import frame, Peer, PING, PONG, serving, TEXT

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
        self._loop_thread = loop_thread
        self._serving = serving(self._visit, tls)
        self.port: int = loop_thread.wait(self._serving.__aenter__(), PATIENCE).port

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
        self._loop_thread.wait(self._serving.__aexit__(None, None, None), PATIENCE)

    async def _visit(self, peer: Peer) -> None:
        self.visits += 1
        try:
            if self.behave is not None:
                await self.behave(peer)
            await peer.read_to_end()
        except OSError:
            pass  # the bridge has gone
        finally:
            peer.abort()
