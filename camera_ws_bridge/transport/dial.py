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
A TCP connection to whichever address of a host answers first (Happy Eyeballs, RFC 8305).

An address that swallows packets must not lock a camera out: the next one is tried while it is
still silent. Nor must the kernel, which waits twice as long before each packet that it repeats:
when the network is well again, its next one may be seconds away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
import socket

from camera_ws_bridge.transport.names import Address

HEAD_START = 0.25  # seconds of one address before the next (RFC 8305, Connection Attempt Delay)
SILENCE = 2.0  # seconds of all addresses after which each is tried once more


@dataclass
class Outcome:
    """The address that has answered, with a socket that does not block; and who has not."""

    address: Address | None = None
    connection: socket.socket | None = None
    failures: dict[str, OSError] = field(default_factory=dict)  # of earlier ones, by address

    def result(self) -> socket.socket:
        """Return the connected socket, or raise the failure that says most."""
        if self.connection is None:
            failures = [*self.failures.values()] or [TimeoutError()]
            # Something refuses; 'no route' may only mean that this machine has no IPv6.
            raise next((error for error in failures
                        if isinstance(error, ConnectionRefusedError)), failures[-1])
        return self.connection


async def dial(addresses: Sequence[Address], timeout: float) -> Outcome:
    """Connect to the first address that answers within `timeout` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    waiting, again = [*_interleaved(addresses)], [*_interleaved(addresses)]
    attempts: dict[asyncio.Future[socket.socket], Address] = {}
    winner = None
    try:
        while winner is None and (left := deadline - loop.time()) > 0:
            if waiting:
                address = waiting.pop(0)
                attempts[asyncio.ensure_future(_connect(address))] = address
            pending = [attempt for attempt in attempts if not attempt.done()]
            if not pending:
                break
            patience = HEAD_START if waiting else SILENCE if again else left
            done, _ = await asyncio.wait(
                pending, timeout=min(left, patience), return_when=asyncio.FIRST_COMPLETED)
            if not (done or waiting):
                waiting, again = again, []
            winner = next((attempt for attempt in attempts
                           if attempt.done() and attempt.exception() is None), None)
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.add_done_callback(_close_late)
                attempt.cancel()
    return _outcome(attempts, winner)


def _outcome(
        attempts: dict[asyncio.Future[socket.socket], Address],
        winner: asyncio.Future[socket.socket] | None) -> Outcome:
    outcome = Outcome()
    for attempt, address in attempts.items():
        if attempt is winner:
            outcome.address, outcome.connection = address, attempt.result()
            outcome.failures.pop(str(address.place[0]), None)
            break
        error = attempt.exception() if attempt.done() else TimeoutError()
        if not isinstance(error, OSError):
            assert error is not None, 'a winner before the winner'
            raise error
        place = str(address.place[0])
        if place not in outcome.failures or not isinstance(error, TimeoutError):
            outcome.failures[place] = error
    return outcome


async def _connect(address: Address) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address.place)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_late(attempt: asyncio.Future[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def _interleaved(addresses: Sequence[Address]) -> Iterator[Address]:
    """Give one address of each family in turn, that of the first in front."""
    families = dict.fromkeys(address.family for address in addresses)
    columns = ([address for address in addresses if address.family == family]
               for family in families)
    for row in zip_longest(*columns):
        yield from (address for address in row if address is not None)
