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

"""What the link needs of a connection; transport.websocket.Connection is one."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from camera_ws_bridge.link.suspicion import Silence


class Connection(Protocol):
    """An open WebSocket; what waits raises LinkFault when it is gone."""

    async def send(self, text: bytes) -> None:
        """Write a text message."""

    def can_write(self) -> bool:
        """Tell whether nothing waits to be written, so that write() may be called."""

    def write(self, text: bytes) -> None:
        """Write a text message at once; for as much as the window holds."""

    async def ping(self) -> asyncio.Future[Any]:
        """Write a ping; return the future of its pong."""

    async def receive(self) -> str | bytes:
        """Return the next message."""

    def progress(self) -> int:
        """Return a number that grows while bytes get through."""

    def delivered(self) -> int:
        """Return a number that grows while bytes before the newest ping get to the peer."""

    def has_route(self) -> bool:
        """Tell whether its local address and its route are as they were when it was opened."""

    def be_patient(self, seconds: float) -> None:
        """Have the kernel try for so long to get through, from now on."""

    def silence(self) -> Silence | None:
        """Return how long nothing has come from the peer's kernel; None: not known."""

    async def answers_anew(self) -> float | None:
        """
        Try whether the server answers new connections, each at once; None: it does not.

        Return by how many seconds the answers to those that are made together differ.
        """

    async def close(self, code: int, timeout: float) -> None:
        """Close in order, or else the hard way."""

    def abort(self) -> None:
        """End the connection at once."""
