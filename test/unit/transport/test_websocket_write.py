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

"""Writing at once, between coroutines: over real sockets; not there with the oldest websockets."""

import asyncio

from camera_ws_bridge.transport import websocket
from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import CLOSE, PING, serving, TEXT
from rigs.shared import run, until, WAIT

pytestmark = pytest.mark.skipif(
    websocket._LEGACY, reason='the legacy API of websockets has no such')


async def take(peer, found):
    await peer.upgrade()
    while True:
        found.append(await peer.read_frame())


def test_what_is_written_and_what_is_sent_keep_their_order():
    async def test():
        found = []
        async with serving(lambda peer: take(peer, found)) as server:
            connection = await websocket.connect(server.url, Options(), None, WAIT)
            expected = []
            for number in range(200):
                text = b'{"number": %d}' % number
                expected.append((TEXT, text))
                if number % 3:
                    assert connection.can_write()
                    connection.write(text)
                else:
                    await connection.send(text)
            await connection.ping()
            await until(lambda: len(found) == 201)
            assert found[:-1] == expected
            assert found[-1][0] == PING
            connection.abort()
    run(test())


def test_while_something_waits_it_may_not_be_written():
    async def test():
        stalled = asyncio.Event()

        async def behave(peer):
            await peer.upgrade()
            peer.writer.transport.pause_reading()
            stalled.set()
            await asyncio.Event().wait()

        async with serving(behave) as server:
            connection = await websocket.connect(server.url, Options(), None, WAIT)
            await stalled.wait()
            for _ in range(10_000):
                if not connection.can_write():
                    break
                connection.write(b'x' * 10_000)
            assert not connection.can_write()
            connection.abort()
    run(test())


@pytest.mark.parametrize('end', ['abort', 'close'])
def test_not_once_it_ends(end):
    async def test():
        found = []
        async with serving(lambda peer: take(peer, found)) as server:
            connection = await websocket.connect(server.url, Options(), None, WAIT)
            assert connection.can_write()
            if end == 'abort':
                connection.abort()
                assert not connection.can_write()
            else:
                closing = asyncio.ensure_future(connection.close(1001, 1.0))
                await until(lambda: any(opcode == CLOSE for opcode, _ in found))
                assert not connection.can_write()
                await closing
            assert not connection.can_write()
    run(test())


def test_compression_is_for_what_is_written_too():
    async def test():
        from websockets.asyncio.server import serve
        found = []

        async def behave(websocket):
            async for message in websocket:
                found.append(message)

        async with serve(behave, '127.0.0.1', 0) as server:
            url = f'ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/'
            connection = await websocket.connect(url, Options(compression=True), None, WAIT)
            connection.write(b'{"a": "%s"}' % (b'x' * 10_000))
            await until(lambda: found)
            assert found == ['{"a": "%s"}' % ('x' * 10_000)]
            connection.abort()
    run(test())
