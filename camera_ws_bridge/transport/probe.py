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
from camera_ws_bridge.transport.tcp import Tcp

# Where six of ten packets get lost, one way only, so many handshakes go well once in ten billion
# times. They are 7 kB: more than what a slow link takes in one go, before it is seen to be slow.
ROUNDS = 3  # one after the other
AT_ONCE = 8  # in each
PATIENCE = 0.3  # seconds for each; packets that get lost are sent again after a second
GAP = 0.05  # seconds between two rounds


async def answers(host: str, port: int, known: Address) -> float | None:
    """
    Make many handshakes of TCP, which have to be answered at once; None: not all were.

    Return by how many seconds those that are made together differ: on a slow link they queue.
    known: where the server was, if its name cannot be looked up now.
    """
    try:
        addresses = await names.look_up(host, port, PATIENCE)
    except OSError:
        addresses = [known]
    place, _ = await _dial(addresses, PATIENCE + HEAD_START * (len(addresses) - 1))
    differ = 0.0
    for _ in range(ROUNDS):
        if place is None:
            return None
        await asyncio.sleep(GAP)
        places, times = zip(*await asyncio.gather(
            *(_dial([place], PATIENCE) for _ in range(AT_ONCE))))
        place = place if all(places) else None
        differ = max(differ, max(times) - min(times))
    return None if place is None else differ


async def _dial(addresses: Sequence[Address], patience: float) -> tuple[Address | None, float]:
    """Make one handshake; return where, and how long it took by the kernel's own clock."""
    outcome = await dial(addresses, patience)
    if outcome.connection is None:
        return None, 0.0
    with outcome.connection:
        known = Tcp(outcome.connection).silence()
    return outcome.address, 0.0 if known is None else known.round_trip_time
