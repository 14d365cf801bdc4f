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

"""What was written on a connection that is given up does not arrive later, behind newer things."""

import asyncio

import pytest
from rigs.namespace import in_namespace, ip
from rigs.raw_peer import serving
from rigs.shared import WAIT
from rigs.websocket_rig import linked, open_link


def test_nothing_arrives_once_the_network_is_back():
    received = []

    async def test():
        async def behave(peer):
            await peer.upgrade()
            ready.set()
            try:
                while True:
                    received.append(await peer.read_frame())
            except (asyncio.IncompleteReadError, ConnectionError):
                ended.set()

        ready, ended = asyncio.Event(), asyncio.Event()
        async with serving(behave) as server:
            connection = await open_link(server.url)
            await ready.wait()
            ip('link set lo down')
            for _ in range(10):
                await connection.send(b'old')
            connection.abort()
            await asyncio.sleep(0.1)
            ip('link set lo up')
            # Long enough for the kernel to send once more what it still has.
            await asyncio.wait([asyncio.ensure_future(ended.wait())], timeout=2.0)

    in_namespace(lambda: asyncio.run(asyncio.wait_for(test(), WAIT)))
    assert received == []


def test_the_peer_hears_of_the_end_at_once():
    async def test():
        async def behave(peer):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await peer.read_frame()
            ended.set()

        ended = asyncio.Event()
        async with linked(behave) as (connection, _):
            connection.abort()
            await ended.wait()

    asyncio.run(asyncio.wait_for(test(), WAIT))
