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
from collections.abc import Sequence

from camera_ws_bridge.transport import names
from camera_ws_bridge.transport.dial import dial, HEAD_START
from camera_ws_bridge.transport.names import Address

# Where six of ten packets get lost, one way only, so many handshakes go well once in 100,000
# times; once in ten billion, if as many get lost on the way back.
ROUNDS = 3  # one after the other
AT_ONCE = 4  # in each
PATIENCE = 0.3  # seconds for each; packets that get lost are sent again after a second
GAP = 0.05  # seconds between two rounds


async def answers(host: str, port: int, known: Address) -> bool:
    """
    Tell whether all of many handshakes of TCP are answered, each at once.

    known: where the server was, if its name cannot be looked up now.
    """
    try:
        addresses = await names.look_up(host, port, PATIENCE)
    except OSError:
        addresses = [known]
    place = await _dial(addresses, PATIENCE + HEAD_START * (len(addresses) - 1))
    for _ in range(ROUNDS):
        if place is None:
            return False
        await asyncio.sleep(GAP)
        places = await asyncio.gather(*(_dial([place], PATIENCE) for _ in range(AT_ONCE)))
        place = place if all(places) else None
    return place is not None


async def _dial(addresses: Sequence[Address], patience: float) -> Address | None:
    """Make one handshake; return where."""
    outcome = await dial(addresses, patience)
    if outcome.connection is not None:
        outcome.connection.close()
    return outcome.address
