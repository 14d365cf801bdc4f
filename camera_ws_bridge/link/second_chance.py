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
A connection that was left for its silence may live on: then no life of the orchestrator has ended.

TCP survives a network that is gone for a while. Whoever makes a new connection all the same must
ask whether the orchestrator has restarted meanwhile, and where no tracked object has a feature map
to show, no replay can tell: a click would be lost. So the old one is kept, and asked again when a
new one can be opened. If it answers it goes on, and the question does not arise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from camera_ws_bridge.link.connection import Connection
from camera_ws_bridge.link.inbound import Inbound

KEPT_FOR = 60.0  # seconds; the kernel's tries get rare
CAUSES = ('network', 'silent')  # of an end that the peer may know nothing of


class SecondChance:
    """One such connection."""

    def __init__(
            self, connection: Connection, inbound: Inbound, clock: Callable[[], float]) -> None:
        """Keep it; what comes on it goes to inbound. clock: monotonic seconds."""
        self.connection = connection
        self._inbound = inbound
        self._clock = clock
        self._left_at = clock()
        connection.be_patient(2 * KEPT_FOR)

    async def is_alive(self, patience: float) -> bool:
        """
        Tell whether the peer answers, on a network that works again.

        The kernel tries again at the latest after as much time as it has tried in vain by now.
        """
        gone = self._clock() - self._left_at
        if gone > KEPT_FOR or not self.connection.has_route():
            return False
        asked, read = asyncio.ensure_future(self._ask()), asyncio.ensure_future(self._read())
        try:
            # A reader ends with the connection only.
            done, _ = await asyncio.wait(
                [asked, read], timeout=min(gone + 1.0, patience),
                return_when=asyncio.FIRST_COMPLETED)
            return asked in done and asked.exception() is None and asked.result()
        finally:
            for task in (asked, read):
                task.cancel()
            await asyncio.gather(asked, read, return_exceptions=True)

    async def _ask(self) -> bool:
        pong = await self.connection.ping()
        await asyncio.wait([pong])
        return not pong.cancelled() and pong.exception() is None

    async def _read(self) -> None:
        # The pong comes behind all this. It is of the life that this connection belongs to.
        while True:
            self._inbound.handle(await self.connection.receive(), self._clock())
