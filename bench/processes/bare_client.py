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
Actor: a bare `websockets` client, as the floor of what sending and receiving can cost.

Its API is the newest that the library has, without compression, without pings of its own.
"""

from __future__ import annotations

import array
import asyncio
import socket
import sys
import time
from typing import Any

from rig.actors import serve_in_loop
from websockets.version import version

NEW = int(version.split('.')[0]) >= 14
if NEW:
    from websockets.asyncio.client import connect
else:
    from websockets.legacy.client import connect


class Client:
    """One connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._websocket: Any = None

    async def connect(self) -> None:
        """Connect, or connect anew."""
        await self.disconnect()
        self._websocket = await connect(
            self._url, compression=None, ping_interval=None, max_size=41 * 2**20,
            **({'proxy': None} if int(version.split('.')[0]) >= 15 else {}))

    async def disconnect(self) -> None:
        """Close the connection, if there is one."""
        if self._websocket is not None:
            await self._websocket.close()
            self._websocket = None

    async def run(
            self, count: int, rate: float, text: str, stamps: str = '') -> dict[str, Any]:
        """
        Send `text` `count` times, `rate` a second; 0: as fast as they go.

        stamps: number the frames, and write the times at which each was sent into this file
        (CLOCK_MONOTONIC, nanoseconds).
        """
        send = self._websocket.send
        arguments: dict[str, Any] = {'text': True} if NEW else {}
        whole: Any = text.encode() if NEW else text
        head, _, rest = text.partition('"frameId":')
        tail = rest[rest.index(','):]
        times = array.array('q')
        begin = time.monotonic()
        for number in range(count):
            if rate:
                left = begin + number / rate - time.monotonic()
                if left > 0:
                    await asyncio.sleep(left)
            if stamps:
                whole = f'{head}"frameId":{float(number)}{tail}'
                whole = whole.encode() if NEW else whole
                times.append(time.monotonic_ns())
            await send(whole, **arguments)
        if stamps:
            with open(stamps, 'wb') as file:
                times.tofile(file)
        return {'seconds': time.monotonic() - begin}

    async def receive(
            self, count: int, stamps: str, quick_ack: bool, text: str = '', rate: float = 0,
            timeout: float = 60.0) -> int:
        """
        Receive `count` messages and write down when each was there; return how many came.

        text, rate: send this meanwhile, so many times a second.
        """
        connection = self._websocket.transport.get_extra_info('socket')
        times = array.array('q')

        async def take() -> None:
            while len(times) < count:
                if quick_ack:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                await self._websocket.recv()
                times.append(time.monotonic_ns())

        async def send() -> None:
            while True:
                await self._websocket.send(text)
                await asyncio.sleep(1 / rate)
        sending = asyncio.ensure_future(send()) if rate else None
        try:
            await asyncio.wait_for(take(), timeout)
        except asyncio.TimeoutError:
            pass
        if sending is not None:
            sending.cancel()
        with open(stamps, 'wb') as file:
            times.tofile(file)
        return len(times)


async def _main() -> None:
    client = Client(sys.argv[1])
    await serve_in_loop({name: getattr(client, name) for name in (
        'connect', 'disconnect', 'run', 'receive')})


if __name__ == '__main__':
    asyncio.run(_main())
