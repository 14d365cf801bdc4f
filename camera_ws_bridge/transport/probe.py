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

"""Whether a peer that is silent on a connection answers new ones."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

# Where six of ten packets get lost, both on their way there and back, so many in a row are
# answered once in millions of times; one way only, once in 1500.
TIMES = 8
PATIENCE = 0.3  # seconds for each; packets that get lost are sent again after a second
GAP = 0.03  # seconds between two


async def answers(family: int, place: Any) -> bool:
    """Tell whether it answers TIMES handshakes of TCP, one after the other, each at once."""
    loop = asyncio.get_running_loop()
    for _ in range(TIMES):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as new:
                new.setblocking(False)
                await asyncio.wait_for(loop.sock_connect(new, place), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            return False
        await asyncio.sleep(GAP)
    return True
