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

"""The thin shell around `websockets`, over real sockets: what goes over a connection."""

import asyncio
import struct

from camera_ws_bridge.transport import websocket
import pytest
from rigs.raw_peer import BINARY, CLOSE, frame, PING, PONG, serving, TEXT
from rigs.shared import run, until, WAIT
from rigs.websocket_rig import fault_of, linked, MIB, open_link


def fragments(count):
    """Return the first frames of a message, as many, which hold nothing."""
    return frame(TEXT, fin=False) + (count - 1) * frame(0, fin=False)


@pytest.mark.parametrize('text', ('{}', '{"id": "Kamera Süd ✓ 📷"}', 'x' * 200_000))
def test_text_is_sent_as_a_text_frame(text):
    async def test():
        received = asyncio.get_running_loop().create_future()

        async def behave(peer):
            received.set_result(await peer.read_frame())

        async with linked(behave) as (connection, _):
            await connection.send(text.encode())
            assert await received == (TEXT, text.encode())
    run(test())


def test_text_comes_as_string_and_binary_as_bytes():
    async def test():
        async def behave(peer):
            await peer.send(frame(TEXT, 'Süd'.encode()))
            await peer.send(frame(BINARY, b'\x00\xff'))
            await peer.send(frame(TEXT, b'in ', fin=False) + frame(0, b'pieces'))

        async with linked(behave) as (connection, _):
            assert [await connection.receive() for _ in range(3)] == ['Süd', b'\x00\xff',
                                                                      'in pieces']
    run(test())


def test_message_right_behind_the_handshake_is_not_lost():
    async def test():
        async with serving(lambda peer: peer.upgrade(frame(TEXT, b'early'))) as server:
            connection = await open_link(server.url)
            assert await connection.receive() == 'early'
            connection.abort()
    run(test())


@pytest.mark.parametrize('size', (5 * MIB, websocket.MAX_SIZE))
def test_large_message_is_received(size):
    async def test():
        async def behave(peer):
            await peer.send(frame(TEXT, b'x' * size))

        async with linked(behave) as (connection, _):
            assert await connection.receive() == 'x' * size
    run(test())


def test_pieces_are_counted_for_each_message_alone():
    async def test():
        async def behave(peer):
            pieces = fragments(websocket.MAX_FRAGMENTS - 1) + frame(PING) + frame(0, b'x')
            await peer.send(3 * pieces)
            await peer.read_to_end()

        async with linked(behave) as (connection, _):
            assert [await connection.receive() for _ in range(3)] == ['x', 'x', 'x']
    run(test())


def test_pieces_without_end_are_refused_while_they_come():
    async def test():
        async def behave(peer):
            peer.writer.write(frame(TEXT, fin=False))
            while True:
                await peer.send(100 * frame(0, fin=False))
                await asyncio.sleep(0)

        async with linked(behave) as (connection, _):
            fault = await fault_of(connection.receive())
            assert fault.cause == 'protocol'
    run(test())


def test_too_large_message_ends_the_connection_with_1009():
    async def test():
        closed_with = asyncio.get_running_loop().create_future()

        async def behave(peer):
            peer.writer.write(frame(TEXT, b'x' * (websocket.MAX_SIZE + 1)))
            closed_with.set_result(await peer.read_frame())
            peer.writer.transport.abort()

        async with linked(behave) as (connection, _):
            fault = await fault_of(connection.receive())
            assert not fault.fatal
            opcode, payload = await asyncio.wait_for(closed_with, WAIT)
            assert (opcode, payload[:2]) == (CLOSE, struct.pack('!H', 1009))
    run(test())


@pytest.mark.parametrize('data, code', (
    (frame(TEXT, b'x' * (websocket.MAX_SIZE + 1)), 1009),
    (fragments(websocket.MAX_FRAGMENTS) + frame(0), 1009),
    (frame(TEXT, b'\xff\xfe'), 1007),
    (frame(3, b'reserved'), 1002),
))
@pytest.mark.parametrize('echo', (True, False))
def test_broken_protocol_is_told_from_an_ordinary_close(data, code, echo):
    # A server that answers our close with a close of the same code has not closed by itself.
    async def test():
        async def behave(peer):
            peer.writer.write(data)
            payload, _ = await peer.read_until(CLOSE)
            assert struct.unpack('!H', payload[:2]) == (code,)
            if echo:
                peer.writer.write(frame(CLOSE, payload))
            peer.writer.close()

        async with linked(behave) as (connection, _):
            fault = await fault_of(connection.receive())
            assert (fault.cause, fault.fatal) == ('protocol', False)
    run(test())


def test_pings_are_answered_by_themselves():
    async def test():
        pong = asyncio.get_running_loop().create_future()

        async def behave(peer):
            await peer.send(frame(PING, b'you there?'))
            pong.set_result(await peer.read_frame())

        async with linked(behave) as (connection, _):
            assert await pong == (PONG, b'you there?')
            assert connection.progress() is not None
    run(test())


def test_what_is_delivered_does_not_count_what_is_received():
    async def test():
        async def behave(peer):
            await peer.read_frame()
            await peer.send(frame(TEXT, b'{}'))
            await peer.read_to_end()

        async with linked(behave) as (connection, _):
            before = connection.delivered(), connection.progress()
            await connection.send(b'{}')
            await asyncio.wait_for(connection.receive(), WAIT)
            await until(lambda: connection.delivered() > before[0])
            assert connection.progress() - before[1] > connection.delivered() - before[0]
    run(test())


def test_pong_resolves_the_ping():
    async def test():
        async def behave(peer):
            while True:
                payload, _ = await peer.read_until(PING)
                await peer.send(frame(PONG, payload))

        async with linked(behave) as (connection, _):
            for _ in range(3):
                await asyncio.wait_for(await connection.ping(), WAIT)
    run(test())
