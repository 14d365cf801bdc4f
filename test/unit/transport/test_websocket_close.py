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

"""How a connection ends: by the peer, in order, at once, or broken."""

import asyncio
import struct
import time

from camera_ws_bridge.transport import websocket
import pytest
from rigs.raw_peer import CLOSE, close_frame, frame, PING, TEXT
from rigs.shared import run, WAIT
from rigs.websocket_rig import fault_of, linked, send_for_ever, stall, stands_still


@pytest.mark.parametrize('data, cause, words', (
    (close_frame(4001, 'try another'), 'closed', ('4001', 'try another')),
    (close_frame(1001), 'closed', ('1001',)),
    (close_frame(), 'closed', ()),
    (close_frame(1009), 'too_big', ('too big',)),
))
def test_close_by_the_server(data, cause, words):
    async def test():
        async def behave(peer):
            await peer.send(data)
            await peer.read_until(CLOSE)
            peer.writer.close()

        async with linked(behave) as (connection, _):
            fault = await fault_of(connection.receive())
            assert (fault.cause, fault.fatal, fault.reached) == (cause, False, True)
            assert all(word in fault.reason for word in words)
            assert (await fault_of(connection.send(b'{}'))).cause == cause
            assert (await fault_of(connection.ping())).cause == cause
            assert (await fault_of(connection.receive())).cause == cause
    run(test())


@pytest.mark.parametrize('data, cause, words', (
    (close_frame(4001, 'try another'), 'closed', ('4001', 'try another')),
    (close_frame(1009), 'too_big', ('too big',)),
))
@pytest.mark.parametrize('chatty', (False, True))
def test_the_close_code_counts_though_the_peer_never_ends_tcp(data, cause, words, chatty):
    async def test():
        async def behave(peer):
            await peer.read_until(TEXT)
            await peer.send(frame(TEXT, b'last words') + data)
            while chatty:
                await peer.send(frame(TEXT, b'more'))
                await asyncio.sleep(0.05)
            await asyncio.Event().wait()

        async with linked(behave) as (connection, _):
            await connection.send(b'{}')
            assert await connection.receive() == 'last words'
            began = time.monotonic()
            fault = await fault_of(connection.receive())
            # Both of the legacy API's time-outs; the heartbeat's is many times as long.
            assert time.monotonic() - began < 2 * websocket.CLOSE_PATIENCE + 1
            assert (fault.cause, fault.fatal, fault.reached) == (cause, False, True)
            assert all(word in fault.reason for word in words)
    run(test())


@pytest.mark.parametrize('end', (
    pytest.param(lambda peer: peer.reset(), id='RST'),
    pytest.param(lambda peer: peer.writer.close(), id='FIN'),
))
def test_connection_breaks(end):
    async def test():
        async def behave(peer):
            await peer.read_until(PING)
            end(peer)

        async with linked(behave) as (connection, _):
            pong = await connection.ping()
            fault = await fault_of(connection.receive())
            assert (fault.cause, fault.fatal, fault.reached) == ('lost', False, True)
            await asyncio.wait([pong], timeout=WAIT)
            assert pong.cancelled() or pong.exception()
            assert (await fault_of(connection.send(b'{}'))).cause == 'lost'
    run(test())


def test_messages_before_the_close_are_received():
    async def test():
        async def behave(peer):
            await peer.send(3 * frame(TEXT, b'last words') + close_frame(1001))
            peer.writer.close()

        async with linked(behave) as (connection, _):
            assert [await connection.receive() for _ in range(3)] == 3 * ['last words']
            assert (await fault_of(connection.receive())).cause == 'closed'
    run(test())


# ---- by us

def test_close_in_order():
    async def test():
        closed = asyncio.get_running_loop().create_future()

        async def behave(peer):
            payload, texts = await peer.read_until(CLOSE)
            closed.set_result((payload, texts))
            await peer.send(frame(CLOSE, payload))
            peer.writer.close()

        async with linked(behave) as (connection, _):
            await connection.send(b'last')
            await connection.close(1001, WAIT)
            payload, texts = await closed
            assert (payload[:2], texts) == (struct.pack('!H', 1001), ['last'])
            await fault_of(connection.send(b'{}'))
            await connection.close(1001, WAIT)
    run(test())


@pytest.mark.parametrize('blocked', (False, True))
def test_close_ends_in_time_though_the_peer_never_answers(blocked):
    async def test():
        async with linked(stall) as (connection, server):
            sending = asyncio.create_task(send_for_ever(connection))
            if blocked:
                await stands_still(connection)
            else:
                sending.cancel()
            began = time.monotonic()
            await connection.close(1001, 0.3)
            # The library's own patience is 10 s and more.
            assert time.monotonic() - began < 5
            server.peers[0].writer.transport.resume_reading()
            await asyncio.wait_for(server.peers[0].read_to_end(), WAIT)
            await asyncio.wait_for(asyncio.gather(sending, return_exceptions=True), WAIT)
    run(test())


def test_abort_ends_everything_at_once():
    async def test():
        async with linked(stall) as (connection, server):
            receiving = asyncio.create_task(connection.receive())
            sending = asyncio.create_task(send_for_ever(connection))
            pong = await connection.ping()
            await stands_still(connection)
            assert not (receiving.done() or sending.done() or pong.done())
            began = time.monotonic()
            connection.abort()
            assert (await fault_of(receiving)).cause == 'lost'
            assert (await fault_of(sending)).cause == 'lost'
            await asyncio.wait([pong], timeout=WAIT)
            assert pong.cancelled() or pong.exception()
            assert time.monotonic() - began < 5
            connection.abort()
            connection.progress()
    run(test())


def test_abort_after_a_half_close_with_data_still_to_write():
    # asyncio closes the transport at the peer's FIN once all is written; its abort() then raises.
    async def test():
        stop_stalling = asyncio.Event()

        async def behave(peer):
            peer.writer.transport.pause_reading()
            await stop_stalling.wait()
            peer.writer.write_eof()
            await asyncio.sleep(0.2)
            peer.writer.transport.resume_reading()
            await peer.read_to_end()

        async with linked(behave) as (connection, _):
            sending = asyncio.create_task(send_for_ever(connection))
            await stands_still(connection)
            stop_stalling.set()
            assert (await fault_of(connection.receive())).cause == 'lost'
            await fault_of(sending)
            connection.abort()
            connection.progress()
            await connection.close(1001, 1.0)
    run(test())
