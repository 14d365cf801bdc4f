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

"""What counts as progress, which tells a slow peer from a silent one."""

import asyncio
import socket

from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import frame, PING, PONG, serving, TEXT
from rigs.shared import run, server_tls, until
from rigs.websocket_rig import (
    fault_of, idle, linked, MIB, open_tls, send_for_ever, stall, stands_still)

linux_only = pytest.mark.skipif(not hasattr(socket, 'TCP_INFO'), reason='needs TCP_INFO of Linux')


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
            acknowledged, _ = connection._tcp.counters()
            await connection.send(b'x' * 1000)
            await until(lambda: connection._tcp.counters()[0] >= acknowledged + 1000)
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
            connection = await open_tls(server.named_url, Options(tls_ca_file=tls_files['ca']))
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
def test_the_user_timeout_of_the_options_reaches_the_socket():
    async def test():
        async with linked(idle, Options(user_timeout=12.5)) as (connection, _):
            option = connection._tcp._socket.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert option == 12500
    run(test())
