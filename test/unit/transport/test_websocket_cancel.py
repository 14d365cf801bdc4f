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

"""An attempt that is cut short leaves nothing behind: the peer hears of its end at once."""

import asyncio
import socket

from camera_ws_bridge.transport import tls, websocket
import pytest
from rigs.raw_peer import serving
from rigs.websocket_rig import idle


@pytest.mark.parametrize('scheme', ('ws', 'wss'))
def test_an_attempt_that_is_cut_short_leaves_no_connection_behind(scheme):
    async def test():
        with socket.create_server(('127.0.0.1', 0)) as server:
            server.setblocking(False)
            loop = asyncio.get_running_loop()
            context = tls.context() if scheme == 'wss' else None
            url = f'{scheme}://127.0.0.1:{server.getsockname()[1]}/'
            attempt = loop.create_task(
                websocket.connect(url, websocket.Options(), context, 60.0))
            peer, _ = await loop.sock_accept(server)
            with peer:
                assert await loop.sock_recv(peer, 4096)  # it waits for the answer by now
                attempt.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await attempt
                try:
                    assert not await loop.sock_recv(peer, 4096)
                except ConnectionResetError:
                    pass  # an end as well

    asyncio.run(asyncio.wait_for(test(), 20.0))


def test_an_attempt_can_be_cut_short_at_any_moment():
    async def upgraded(peer):
        nonlocal served
        served += 1
        try:
            await peer.upgrade()
            await idle(peer)
        finally:
            served -= 1

    async def test():
        async with serving(upgraded) as server:
            turns, connection = 0, None
            while connection is None:
                attempt = asyncio.ensure_future(
                    websocket.connect(server.url, websocket.Options(), None, 60.0))
                for _ in range(turns):
                    await asyncio.sleep(0)
                attempt.cancel()
                try:
                    connection = await attempt
                except asyncio.CancelledError:
                    turns += 1
            connection.abort()
            while served:  # for ever, if one was left behind
                await asyncio.sleep(0.01)
            assert turns > 5

    served = 0
    asyncio.run(asyncio.wait_for(test(), 60.0))
