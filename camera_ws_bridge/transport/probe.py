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

"""Whether a server that is silent on a connection answers new ones, there or where it is now."""

from __future__ import annotations

import asyncio

from camera_ws_bridge.transport import names
from camera_ws_bridge.transport.dial import dial
from camera_ws_bridge.transport.names import Address

# Where six of ten packets get lost, so many handshakes in a row go well once in 1500 times; once
# in two millions, if as many get lost on the way back.
TIMES = 8
PATIENCE = 0.3  # seconds for each; packets that get lost are sent again after a second
GAP = 0.03  # seconds between two


async def answers(host: str, port: int, known: Address) -> bool:
    """
    Tell whether TIMES handshakes of TCP are answered, one after the other and each at once.

    known: where the server was, if its name cannot be looked up now.
    """
    try:
        addresses = await names.look_up(host, port, PATIENCE)
    except OSError:
        addresses = [known]
    for _ in range(TIMES):
        outcome = await dial(addresses, PATIENCE)
        if outcome.connection is None or outcome.address is None:
            return False
        outcome.connection.close()
        addresses = [outcome.address]
        await asyncio.sleep(GAP)
    return True
