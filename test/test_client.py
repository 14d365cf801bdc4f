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

"""The thin shell around `websockets`, over real sockets against real servers."""

import asyncio
from contextlib import asynccontextmanager
import datetime
import json
import logging
import os
import socket
import ssl
import struct
import time

from camera_ws_bridge import client
from camera_ws_bridge.client import Options
from camera_ws_bridge.errors import ConfigurationError, LinkFault
import pytest
from raw_peer import BINARY, CLOSE, close_frame, frame, PING, PONG, serving, TEXT, until
from shared import run, server_tls, WAIT
from tornado import httpserver, web
from tornado.netutil import bind_sockets

MIB = 2**20
SECRET = 'eyJhbGciOiJub25lIn0.canary.'

linux_only = pytest.mark.skipif(not hasattr(socket, 'TCP_INFO'), reason='needs TCP_INFO of Linux')


async def open_link(url, options=Options(), tls=None, timeout=WAIT):
    return await client.connect(url, options, tls, timeout)


@asynccontextmanager
async def linked(behave, options=Options()):
    """Serve with `behave` after the handshake; give connection and server."""
    async def upgraded(peer):
        await peer.upgrade()
        await behave(peer)

    async with serving(upgraded) as server:
        connection = await open_link(server.url, options)
        try:
            yield connection, server
        finally:
            connection.abort()


async def fault_of(job):
    with pytest.raises(LinkFault) as caught:
        await asyncio.wait_for(job, WAIT)
    return caught.value


async def idle(peer):
    await peer.read_to_end()


async def stall(peer):
    """Never read, never answer."""
    peer.writer.transport.pause_reading()
    await asyncio.Event().wait()


# ---- messages

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


@pytest.mark.parametrize('size', (5 * MIB, client.MAX_SIZE))
def test_large_message_is_received(size):
    async def test():
        async def behave(peer):
            await peer.send(frame(TEXT, b'x' * size))

        async with linked(behave) as (connection, _):
            assert await connection.receive() == 'x' * size
    run(test())


def test_too_large_message_ends_the_connection_with_1009():
    async def test():
        closed_with = asyncio.get_running_loop().create_future()

        async def behave(peer):
            peer.writer.write(frame(TEXT, b'x' * (client.MAX_SIZE + 1)))
            closed_with.set_result(await peer.read_frame())
            peer.writer.transport.abort()

        async with linked(behave) as (connection, _):
            fault = await fault_of(connection.receive())
            assert not fault.fatal
            opcode, payload = await asyncio.wait_for(closed_with, WAIT)
            assert (opcode, payload[:2]) == (CLOSE, struct.pack('!H', 1009))
    run(test())


@pytest.mark.parametrize('data, code', (
    (frame(TEXT, b'x' * (client.MAX_SIZE + 1)), 1009),
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


# ---- the pong barrier: what came before a pong is handled when the pong's callback runs

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


# ---- what can go wrong before there is a connection

def _closed_port(family, address, port=0):
    """Return a socket whose port refuses everybody and is given to nobody else."""
    holder = socket.socket(family)
    holder.bind((address, port))
    return holder


def test_refused():
    async def test():
        with _closed_port(socket.AF_INET, '127.0.0.1') as holder:
            fault = await fault_of(open_link(f'ws://127.0.0.1:{holder.getsockname()[1]}/'))
        assert (fault.cause, fault.fatal, fault.reached) == ('refused', False, False)
    run(test())


def test_refused_on_all_addresses_of_localhost(monkeypatch):
    with _closed_port(socket.AF_INET, '127.0.0.1') as holder:
        port = holder.getsockname()[1]
        try:
            other = _closed_port(socket.AF_INET6, '::1', port)
        except OSError:
            pytest.skip('no IPv6 here, or its port is taken')
        with other:
            monkeypatch.setattr(socket, 'getaddrinfo', lambda *_, **__: [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, '', ('::1', port, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, '', ('127.0.0.1', port))])

            async def test():
                fault = await fault_of(open_link(f'ws://localhost:{port}/'))
                assert (fault.cause, fault.fatal, fault.reached) == ('refused', False, False)
            run(test())


def test_localhost_as_this_machine_resolves_it_is_refused():
    async def test():
        with _closed_port(socket.AF_INET, '127.0.0.1') as holder:
            fault = await fault_of(open_link(f'ws://localhost:{holder.getsockname()[1]}/'))
        assert (fault.cause, fault.reached) == ('refused', False)
    run(test())


@pytest.mark.parametrize('text', (
    'Multiple exceptions: [Errno 111] Connect call failed, [Errno 99] Cannot assign address',
    'Multiple exceptions: [Errno 101] Network is unreachable, [Errno 111] Connect call failed',
))
def test_refused_where_localhost_has_an_address_family_that_is_off(text):
    # Containers without IPv6 whose /etc/hosts names ::1 all the same.
    assert client.classify(OSError(text)).cause == 'refused'


def test_no_way_to_the_host():
    async def test():
        # A broadcast address is refused by the kernel itself: no packet leaves the machine.
        fault = await fault_of(open_link('ws://255.255.255.255:9/'))
        assert (fault.cause, fault.fatal, fault.reached) == ('unreachable', False, False)
    run(test())


def test_name_does_not_resolve(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', fail)

    async def test():
        fault = await fault_of(open_link('ws://orchestrator.invalid:8080/'))
        assert (fault.cause, fault.fatal, fault.reached) == ('dns', False, False)
        assert 'Name or service not known' in fault.reason
    run(test())


def test_resolver_that_stalls_is_timed_out(monkeypatch):
    async def stalled(*_, **__):
        await asyncio.Event().wait()

    async def test():
        monkeypatch.setattr(asyncio.get_running_loop(), 'getaddrinfo', stalled)
        fault = await fault_of(open_link('ws://orchestrator.invalid:8080/', timeout=0.2))
        assert (fault.cause, fault.fatal, fault.reached) == ('timeout', False, False)
    run(test())


def test_server_that_accepts_and_says_nothing():
    async def test():
        async with serving(stall) as server:
            began = time.monotonic()
            fault = await fault_of(open_link(server.url, timeout=0.2))
            assert time.monotonic() - began < WAIT / 2
        assert (fault.cause, fault.fatal) == ('timeout', False)
    run(test())


@pytest.mark.parametrize('reply', (
    b'SSH-2.0-OpenSSH_9.6\r\n',
    b'\x00\x01\x02\x03' * 100 + b'\r\n\r\n',
    b'220 mail ready\r\n\r\n',
    b'HTTP/1.1 OK fine\r\n\r\n',
    b'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    b'Sec-WebSocket-Accept: bm9uc2Vuc2U=\r\n\r\n',
    b'',
))
def test_something_else_than_a_websocket_server(reply):
    async def test():
        async def behave(peer):
            await peer.read_request()
            await peer.send(reply)
            peer.writer.close()

        async with serving(behave) as server:
            fault = await fault_of(open_link(server.url))
        assert (fault.cause, fault.fatal, fault.reached) == ('not_websocket', False, True)
    run(test())


def test_reset_in_the_handshake():
    async def test():
        async def behave(peer):
            await peer.read_request()
            peer.reset()

        async with serving(behave) as server:
            fault = await fault_of(open_link(server.url))
        assert fault.cause in ('lost', 'not_websocket')
        assert (fault.fatal, fault.reached) == (False, True)
    run(test())


@pytest.mark.parametrize('status, cause, fatal', (
    ('200 OK', 'http_200', False),
    ('400 Bad Request', 'http_400', True),
    ('401 Unauthorized', 'rejected_token', False),
    ('403 Forbidden', 'rejected_token', False),
    ('404 Not Found', 'http_404', True),
    ('426 Upgrade Required', 'http_426', False),
    ('500 Internal Server Error', 'http_500', False),
    ('502 Bad Gateway', 'http_502', False),
    ('503 Service Unavailable', 'http_503', False),
))
def test_http_status(status, cause, fatal):
    async def test():
        async def behave(peer):
            await peer.answer(
                status, 'Content-Type: text/html', 'Retry-After: 120', body=b'<p>no</p>')

        async with serving(behave) as server:
            fault = await fault_of(open_link(server.url))
            assert len(server.peers) == 1
        assert (fault.cause, fault.fatal, fault.reached) == (cause, fatal, True)
        assert status.split()[0] in fault.reason
        assert fault.retry_after == (120.0 if status[0] in '25' or status[:3] == '426' else 0.0)
    run(test())


@pytest.mark.parametrize('text, seconds', (
    ('0', 0.0), ('7', 7.0), ('86400', client.RETRY_AFTER_MAX), ('-1', 0.0), ('1e3', 0.0),
    ('nan', 0.0), ('9' * 400, 0.0), ('Fri, 31 Dec 1999 23:59:59 GMT', 0.0)))
def test_retry_after_is_taken_with_care(text, seconds):
    async def test():
        async def behave(peer):
            await peer.answer('503 Service Unavailable', f'Retry-After: {text}')

        async with serving(behave) as server:
            assert (await fault_of(open_link(server.url))).retry_after == seconds
    run(test())


@pytest.mark.parametrize('status', (301, 302, 303, 307, 308))
def test_redirect_is_not_followed(status):
    async def test():
        async with serving(idle) as elsewhere:
            async def behave(peer):
                await peer.answer(
                    f'{status} Moved', f'Location: {elsewhere.url}/new?token={SECRET}')

            async with serving(behave) as server:
                fault = await fault_of(open_link(server.url))
                assert len(server.peers) == 1
            assert elsewhere.peers == []
        assert (fault.cause, fault.fatal, fault.reached) == ('redirect', False, True)
        assert f'{elsewhere.url}/new' in fault.reason
        assert SECRET not in fault.reason
    run(test())


@pytest.mark.parametrize('headers', (
    ('Location: /elsewhere',),
    ('Location: //127.0.0.1:1/elsewhere',),
    ('Location: http://127.0.0.1:1/',),
    ('Location: http://[::1/',),
    ('Location: ws://host:99999999/',),
    ('Location: nonsense nonsense',),
    ('Location:',),
    ('Location: ws://one/', 'Location: ws://two/'),
    (),
))
def test_redirect_to_wherever_is_a_fault_like_others(headers):
    async def test():
        async with serving(lambda peer: peer.answer('302 Found', *headers)) as server:
            fault = await fault_of(open_link(server.url))
            assert len(server.peers) == 1
        assert not fault.fatal
    run(test())


@pytest.mark.parametrize('url', ('http://localhost/', 'ws:///processor', 'ws://'))
def test_url_that_can_never_work_is_fatal(url):
    async def test():
        fault = await fault_of(open_link(url))
        assert (fault.cause, fault.fatal, fault.reached) == ('url', True, False)
    run(test())


# ---- how a connection ends

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
            assert time.monotonic() - began < 2 * client.CLOSE_PATIENCE + 1
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


def test_unknown_error_is_an_internal_fault():
    fault = client.classify(KeyError('oops'))
    assert (fault.cause, fault.reason, fault.fatal) == ('internal', "KeyError: 'oops'", False)


def test_fault_stays_as_it_is():
    fault = LinkFault('refused', 'nothing listens there')
    assert client.classify(fault) is fault


@pytest.mark.parametrize('error, cause', (
    (TimeoutError(), 'timeout'),
    (asyncio.TimeoutError(), 'timeout'),
    (BrokenPipeError(32, 'Broken pipe'), 'lost'),
    (ConnectionAbortedError(103, 'Software caused connection abort'), 'lost'),
    (OSError(113, 'No route to host'), 'unreachable'),
    (OSError('Multiple exceptions: [Errno 113] x, [Errno 101] y'), 'unreachable'),
    (OSError('without a number'), 'unreachable'),
    (ssl.SSLError(1, '[SSL] something'), 'tls'),
))
def test_errors_of_the_system_are_sorted(error, cause):
    assert client.classify(error).cause == cause


# ---- closing

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


async def send_for_ever(connection):
    while True:
        await connection.send(b'x' * 10_000)


async def stands_still(connection):
    """Wait until no more bytes get through."""
    seen, since = connection.progress(), time.monotonic()
    while time.monotonic() - since < 0.5:
        await asyncio.sleep(0.02)
        if connection.progress() != seen:
            seen, since = connection.progress(), time.monotonic()


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


# ---- progress and socket options

@linux_only
def test_progress_grows_with_traffic_in_either_direction():
    async def test():
        async def behave(peer):
            while True:
                await peer.read_until(PING)
                await peer.send(frame(TEXT, b'x' * 1000))

        async with linked(behave) as (connection, _):
            before = connection.progress()
            await connection.send(b'x' * 1000)
            await until(lambda: connection.progress() >= before + 1000)
            before = connection.progress()
            await connection.ping()
            await connection.receive()
            await until(lambda: connection.progress() >= before + 1000)
    run(test())


@linux_only
def test_progress_stands_still_when_the_peer_stops_reading():
    async def test():
        async with linked(stall) as (connection, _):
            sending = asyncio.create_task(send_for_ever(connection))
            await stands_still(connection)
            assert not sending.done()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    run(test())


@linux_only
def test_what_is_written_behind_a_ping_is_no_progress_towards_its_pong():
    async def test():
        async with linked(stall) as (connection, _):
            await connection.send(b'before')
            await connection.ping()
            await stands_still(connection)  # the kernel of the peer has acknowledged both
            before = connection.progress()
            acknowledged, _ = connection._counters()
            await connection.send(b'x' * 1000)
            await until(lambda: connection._counters()[0] >= acknowledged + 1000)
            assert connection.progress() == before
    run(test())


@linux_only
def test_what_is_written_counts_again_once_the_pong_is_back():
    async def test():
        async def behave(peer):
            ping, _ = await peer.read_until(PING)
            await peer.send(frame(PONG, ping))

        async with linked(behave) as (connection, _):
            reading = asyncio.ensure_future(connection.receive())
            await (await connection.ping())
            before = connection.progress()
            await connection.send(b'x' * 1000)
            await until(lambda: connection.progress() >= before + 1000)
            connection.abort()
            await fault_of(reading)
    run(test())


@linux_only
def test_what_waits_under_tls_is_before_the_ping_too(authority, tls_files):
    size = 4 * MIB

    async def test():
        async def behave(peer):
            await peer.upgrade()
            await peer.read_to_end()  # and never pong

        async with serving(behave, server_tls(authority.issue_cert('localhost'))) as server:
            options = Options(tls_ca_file=tls_files['ca'])
            connection = await open_link(server.named_url, options, client.tls_context(options))
            before = connection.progress()
            await connection.send(b'x' * size)
            await connection.ping()
            await until(lambda: connection.progress() >= before + size)
            connection.abort()
    run(test())


def test_nothing_is_progress_once_the_connection_is_closing():
    async def test():
        async def behave(peer):
            await peer.send(b'\x81\x7f' + (2**40).to_bytes(8, 'big'))  # more than is accepted
            while True:
                await peer.send(1000 * b'x')
                await asyncio.sleep(0.001)

        async with linked(behave) as (connection, _):
            await until(lambda: connection._websocket.state.name != 'OPEN')
            assert connection.progress() == connection.progress()
            await stands_still(connection)
    run(test())


def test_progress_without_the_kernels_counters_is_the_write_buffer(monkeypatch):
    monkeypatch.delattr(socket, 'TCP_INFO', raising=False)

    async def test():
        async with linked(stall) as (connection, _):
            assert connection.progress() == 0
            sending = asyncio.create_task(send_for_ever(connection))
            await until(lambda: connection.progress() < 0)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    run(test())


@pytest.mark.skipif(not hasattr(socket, 'TCP_USER_TIMEOUT'), reason='needs Linux')
def test_user_timeout_is_set_on_the_socket():
    async def test():
        async with linked(idle, Options(user_timeout=12.5)) as (connection, _):
            option = connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert option == 12500
    run(test())


@pytest.mark.parametrize('compression', (False, True))
def test_compression_is_only_offered_where_it_is_wanted(compression):
    async def test():
        async with linked(idle, Options(compression=compression)) as (_, server):
            assert ('permessage-deflate' in server.peers[0].request) is compression
    run(test())


@pytest.mark.parametrize('names', (
    ('HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'WS_PROXY', 'WSS_PROXY', 'SOCKS_PROXY'),))
def test_proxies_of_the_environment_are_ignored(monkeypatch, names):
    for name in ('NO_PROXY', 'no_proxy'):
        monkeypatch.delenv(name, raising=False)
    with _closed_port(socket.AF_INET, '127.0.0.1') as holder:
        dead = f'http://127.0.0.1:{holder.getsockname()[1]}'
        for name in names:
            monkeypatch.setenv(name, dead)
            monkeypatch.setenv(name.lower(), dead)

        async def test():
            async with linked(idle) as (connection, server):
                await connection.send(b'{}')
                assert len(server.peers) == 1
        run(test())


# ---- logs

def test_library_logs_nothing_whatever_the_level(caplog, monkeypatch):
    for name in ('', 'websockets', 'websockets.client', 'websockets.protocol',
                 'camera_ws_bridge', 'camera_ws_bridge.websockets'):
        caplog.set_level(logging.DEBUG, logger=name)

    async def test():
        async def behave(peer):
            await peer.send(frame(TEXT, SECRET.encode()))
            payload, _ = await peer.read_until(PING)
            await peer.send(frame(PONG, payload) + close_frame(1008, SECRET))
            peer.writer.close()

        async def upgraded(peer):
            await peer.upgrade()
            await behave(peer)

        async with serving(upgraded) as server:
            connection = await open_link(f'{server.url}?token={SECRET}')
            text = json.dumps({'type': 'authenticate', 'jwt': SECRET})
            await connection.send(text.encode())
            await connection.receive()
            await connection.ping()
            await fault_of(connection.receive())
            connection.abort()
        async with serving(lambda peer: peer.answer('401 No', f'X-Token: {SECRET}')) as server:
            await fault_of(open_link(f'{server.url}?token={SECRET}'))

    run(test())
    assert [record for record in caplog.records if SECRET in str(vars(record))] == []
    assert {record.name.split('.')[0] for record in caplog.records} <= {'asyncio'}


# ---- TLS

async def echo(peer):
    await peer.upgrade()
    while True:
        _, payload = await peer.read_frame()
        await peer.send(frame(TEXT, payload))


async def hangs_together(url, options):
    connection = await open_link(url, options, client.tls_context(options))
    try:
        await connection.send(b'{}')
        assert await connection.receive() == '{}'
        assert connection.progress() is not None
    finally:
        await connection.close(1001, 1.0)


@pytest.mark.parametrize('name', ('localhost', '127.0.0.1'))
def test_certificate_of_the_right_authority_works(authority, tls_files, name):
    async def test():
        async with serving(echo, server_tls(authority.issue_cert(name))) as server:
            url = server.named_url if name == 'localhost' else server.url
            await hangs_together(url, Options(tls_ca_file=tls_files['ca']))
    run(test())


def _expired(authority):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    return authority.issue_cert('localhost', not_after=past)


@pytest.mark.parametrize('issue, trusted', (
    pytest.param(lambda ca: type(ca)().issue_cert('localhost'), True, id='unknown authority'),
    pytest.param(lambda ca: ca.issue_cert('localhost'), False, id='not in the system'),
    pytest.param(lambda ca: ca.issue_cert('other.example'), True, id='wrong host'),
    pytest.param(_expired, True, id='expired'),
))
def test_bad_certificate_is_refused_before_a_byte_is_sent(authority, tls_files, issue, trusted):
    async def test():
        received = []

        async def behave(peer):
            received.append(await peer.read_to_end())

        options = Options(tls_ca_file=tls_files['ca'] if trusted else '')
        async with serving(behave, server_tls(issue(authority))) as server:
            fault = await fault_of(
                open_link(server.named_url, options, client.tls_context(options)))
        assert (fault.cause, fault.fatal, fault.reached) == ('tls', False, True)
        assert 'certificate' in fault.reason and 'tls_ca_file' in fault.reason
        assert b''.join(received) == b''
    run(test())


def test_self_signed_certificate_is_refused(authority):
    async def test():
        received = []
        other = type(authority)()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with other.private_key_pem.tempfile() as key, other.cert_pem.tempfile() as cert:
            context.load_cert_chain(cert, key)

        async def behave(peer):
            received.append(await peer.read_to_end())

        async with serving(behave, context) as server:
            fault = await fault_of(
                open_link(server.named_url, Options(), client.tls_context(Options())))
        assert (fault.cause, fault.fatal) == ('tls', False)
        assert b''.join(received) == b''
    run(test())


@pytest.mark.parametrize('certificate, key', (('cert', 'key'), ('both', '')))
def test_client_certificate_works(authority, tls_files, certificate, key):
    async def test():
        subjects = []

        async def behave(peer):
            subjects.append(peer.writer.get_extra_info('peercert')['subjectAltName'])
            await echo(peer)

        context = server_tls(authority.issue_cert('localhost'), authority)
        async with serving(behave, context) as server:
            await hangs_together(server.named_url, Options(
                tls_ca_file=tls_files['ca'], tls_cert_file=tls_files[certificate],
                tls_key_file=tls_files[key] if key else ''))
        assert subjects == [(('email', 'camera@site'),)]
    run(test())


def test_missing_client_certificate_is_a_fault(authority, tls_files):
    async def test():
        context = server_tls(authority.issue_cert('localhost'), authority)
        async with serving(echo, context) as server:
            with pytest.raises(LinkFault) as caught:
                await hangs_together(server.named_url, Options(tls_ca_file=tls_files['ca']))
        assert (caught.value.cause, caught.value.fatal) == ('tls', False)
    run(test())


def test_an_alert_behind_the_handshake_is_a_fault_of_tls(authority, tls_files):
    # With TLS 1.3 a tornado server sends one, where asyncio's just closes the connection.
    async def test():
        server = httpserver.HTTPServer(
            web.Application([]), ssl_options=server_tls(
                authority.issue_cert('localhost'), authority))
        sockets = bind_sockets(0, '127.0.0.1')
        server.add_sockets(sockets)
        options = Options(tls_ca_file=tls_files['ca'])
        url = f'wss://localhost:{sockets[0].getsockname()[1]}/processor'
        fault = await fault_of(open_link(url, options, client.tls_context(options)))
        server.stop()
        assert (fault.cause, fault.fatal) == ('tls', False)
        assert 'tls_cert_file' in fault.reason
    run(test())


def test_tls_to_a_server_without_it():
    async def test():
        async def behave(peer):
            await peer.reader.read(1)
            await peer.send(b'HTTP/1.1 400 Bad Request\r\n\r\n')
            peer.writer.close()

        async with serving(behave) as server:
            url = server.url.replace('ws:', 'wss:')
            fault = await fault_of(open_link(url, Options(), client.tls_context(Options())))
        assert (fault.cause, fault.fatal) == ('tls', False)
    run(test())


def test_no_tls_to_a_server_with_it(authority):
    async def test():
        async with serving(idle, server_tls(authority.issue_cert('localhost'))) as server:
            fault = await fault_of(open_link(server.url.replace('wss:', 'ws:')))
        assert fault.cause in ('not_websocket', 'lost')
        assert not fault.fatal
    run(test())


@pytest.mark.parametrize('parameter, names', (
    ('tls_ca_file', {'tls_ca_file': 'missing'}),
    ('tls_ca_file', {'tls_ca_file': 'folder'}),
    ('tls_ca_file', {'tls_ca_file': 'garbage'}),
    ('tls_ca_file', {'tls_ca_file': 'empty'}),
    ('tls_ca_file', {'tls_ca_file': 'key'}),
    ('tls_key_file', {'tls_key_file': 'key'}),
    ('tls_cert_file', {'tls_cert_file': 'missing'}),
    ('tls_cert_file', {'tls_cert_file': 'cert'}),
    ('tls_cert_file', {'tls_cert_file': 'garbage', 'tls_key_file': 'key'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'missing'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'other_key'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'locked'}),
))
def test_unusable_files_are_named(tls_files, parameter, names):
    options = Options(**{name: tls_files[file] for name, file in names.items()})
    with pytest.raises(ConfigurationError) as caught:
        client.tls_context(options)
    assert caught.value.parameter == parameter
    if parameter in names and parameter != 'tls_key_file':
        assert os.path.basename(tls_files[names[parameter]]) in caught.value.reason


def test_system_authorities_are_the_default():
    context = client.tls_context(Options())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_own_authority_replaces_the_systems(tls_files):
    context = client.tls_context(Options(tls_ca_file=tls_files['ca']))
    assert len(context.get_ca_certs()) == 1
