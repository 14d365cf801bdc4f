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

"""The pong barrier: what came before a pong is handled when the pong's callback runs."""

import asyncio

import pytest
from rigs.raw_peer import frame, PING, PONG, TEXT
from rigs.shared import run, WAIT
from rigs.websocket_rig import linked


def _in_pieces(size):
    async def send(peer, data):
        for begin in range(0, len(data), size):
            peer.writer.write(data[begin:begin + size])
            await asyncio.sleep(0)
        await peer.writer.drain()
    return send


async def _in_one_write(peer, data):
    await peer.send(data)


@pytest.mark.parametrize('send', (
    pytest.param(_in_one_write, id='one write'),
    *(pytest.param(_in_pieces(size), id=f'{size} bytes a write')
      for size in (60, 61, 1000, 4001, 65536))))
@pytest.mark.parametrize('length', (10, 2000))
def test_all_messages_before_a_pong_are_handled_before_its_callback(send, length):
    async def test():
        count, rounds = 500, 5
        handled = 0
        seen = []

        async def behave(peer):
            while True:
                payload, _ = await peer.read_until(PING)
                texts = b''.join(frame(TEXT, b'x' * length) for _ in range(count))
                await send(peer, texts + frame(PONG, payload))

        async def read(connection):
            nonlocal handled
            while True:
                await connection.receive()
                handled += 1

        async with linked(behave) as (connection, _):
            reader = asyncio.create_task(read(connection))
            for _ in range(rounds):
                pong = await connection.ping()
                pong.add_done_callback(lambda _: seen.append(handled))
                await asyncio.wait_for(pong, WAIT)
            assert seen == [count * (index + 1) for index in range(rounds)]
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
    run(test())


def test_barrier_holds_for_what_came_before_the_reader_began():
    async def test():
        seen = []
        handled = 0
        answered = asyncio.Event()

        async def behave(peer):
            payload, _ = await peer.read_until(PING)
            # 10: as many as every version of the library takes without a reader.
            await peer.send(10 * frame(TEXT, b'x') + frame(PONG, payload))
            answered.set()

        async def read(connection):
            nonlocal handled
            while True:
                await connection.receive()
                handled += 1

        async with linked(behave) as (connection, _):
            reader = asyncio.create_task(read(connection))
            pong = await connection.ping()
            pong.add_done_callback(lambda _: seen.append(handled))
            await asyncio.wait_for(pong, WAIT)
            assert seen == [10]
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
    run(test())


def test_receive_does_not_suspend_while_messages_wait():
    async def test():
        async def behave(peer):
            await peer.send(b''.join(frame(TEXT, str(index).encode()) for index in range(11)))

        async with linked(behave) as (connection, _):
            assert await connection.receive() == '0'
            others_ran = []
            asyncio.get_running_loop().call_soon(others_ran.append, True)
            assert [await connection.receive() for _ in range(10)] == [
                str(index) for index in range(1, 11)]
            assert others_ran == []
    run(test())
