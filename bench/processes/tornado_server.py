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

"""Actor: the simulated orchestrator of this package, which is tornado like the real one."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from rig.actors import serve_in_loop


class Server:
    """The simulator, and when boxes came to it."""

    def __init__(self) -> None:
        self._sim: OrchestratorSim | None = None
        self._port = 0
        self.count = 0
        self.first_at = self.last_at = 0

    def _hear(self, connection: str, direction: str, text: str) -> None:
        if direction == 'to_orchestrator' and '"boundingBoxes"' in text[:40]:
            self.count += 1
            self.last_at = time.monotonic_ns()
            self.first_at = self.first_at or self.last_at

    async def listen(self) -> dict[str, Any]:
        """Listen, on the same port again if there was one."""
        self._sim = OrchestratorSim(port=self._port, listener=self._hear)
        await self._sim.start()
        self._port = self._sim.port
        return {'port': self._port, 'at': time.monotonic_ns()}

    async def go(self) -> None:
        """Stop listening and reset all connections."""
        assert self._sim is not None
        await self._sim.stop()

    async def wait(self, count: int, timeout: float = 60.0) -> dict[str, Any]:
        """Wait until so many boxes have come in all."""
        end = time.monotonic() + timeout
        while self.count < count and time.monotonic() < end:
            await asyncio.sleep(0.01)
        return {'count': self.count, 'first_at': self.first_at, 'last_at': self.last_at}


async def _main() -> None:
    server = Server()
    await serve_in_loop({name: getattr(server, name) for name in ('listen', 'go', 'wait')})


if __name__ == '__main__':
    asyncio.run(_main())
