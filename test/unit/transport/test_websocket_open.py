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

"""What can go wrong before there is a connection, and how errors are sorted."""

import asyncio
import socket
import ssl
import time

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.transport import causes
import pytest
from rigs.raw_peer import serving
from rigs.shared import run, WAIT
from rigs.websocket_rig import closed_port, fault_of, idle, linked, open_link, open_tls, stall
from websockets.exceptions import InvalidMessage


def test_refused():
    async def test():
        with closed_port(socket.AF_INET, '127.0.0.1') as holder:
            fault = await fault_of(open_link(f'ws://127.0.0.1:{holder.getsockname()[1]}/'))
        assert (fault.cause, fault.fatal, fault.reached) == ('refused', False, False)
    run(test())


def test_refused_on_all_addresses_of_localhost(monkeypatch):
    with closed_port(socket.AF_INET, '127.0.0.1') as holder:
        port = holder.getsockname()[1]
        try:
            other = closed_port(socket.AF_INET6, '::1', port)
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
        with closed_port(socket.AF_INET, '127.0.0.1') as holder:
            fault = await fault_of(open_link(f'ws://localhost:{holder.getsockname()[1]}/'))
        assert (fault.cause, fault.reached) == ('refused', False)
    run(test())


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


async def end_at_once(peer):
    peer.writer.close()


async def reset_at_once(peer):
    peer.reset()


async def end(peer):
    await peer.read_request()
    peer.writer.close()


async def end_in_the_answer(peer):
    await peer.read_request()
    await peer.send(b'HTTP/1.1 101 Swit')
    peer.writer.close()


async def reset(peer):
    await peer.read_request()
    peer.reset()


@pytest.mark.parametrize('behave', (end_at_once, reset_at_once, end, end_in_the_answer, reset))
def test_a_connection_that_is_cut_in_the_handshake_has_reached_nobody(behave):
    # docker-proxy, ssh -L and other fronts accept for a server that is not there.
    async def test():
        async with serving(behave) as server:
            fault = await fault_of(open_link(server.url))
        assert (fault.cause, fault.fatal, fault.reached) == ('lost', False, False)
        assert 'in front of it' in fault.reason
    run(test())


@pytest.mark.parametrize('behave', (end_at_once, reset_at_once))
def test_a_connection_that_is_cut_before_tls_has_reached_nobody(behave):
    async def test():
        async with serving(behave) as server:
            fault = await fault_of(open_tls(server.url.replace('ws:', 'wss:')))
        assert (fault.cause, fault.fatal, fault.reached) == ('lost', False, False)
    run(test())


def test_buffers_that_are_full_in_the_handshake_have_reached_nobody():
    no_buffers = OSError(105, 'No buffer space available')
    for error in (InvalidMessage('did not receive a valid HTTP response'), no_buffers):
        if error is not no_buffers:
            error.__cause__ = no_buffers
        fault = causes.in_handshake(error, encrypted=False)
        assert fault.cause in ('lost', 'unreachable') and not fault.reached


@pytest.mark.parametrize('url', ('http://localhost/', 'ws:///processor', 'ws://'))
def test_url_that_can_never_work_is_fatal(url):
    async def test():
        fault = await fault_of(open_link(url))
        assert (fault.cause, fault.fatal, fault.reached) == ('url', True, False)
    run(test())


@pytest.mark.parametrize('names', (
    ('HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'WS_PROXY', 'WSS_PROXY', 'SOCKS_PROXY'),))
def test_proxies_of_the_environment_are_ignored(monkeypatch, names):
    for name in ('NO_PROXY', 'no_proxy'):
        monkeypatch.delenv(name, raising=False)
    with closed_port(socket.AF_INET, '127.0.0.1') as holder:
        dead = f'http://127.0.0.1:{holder.getsockname()[1]}'
        for name in names:
            monkeypatch.setenv(name, dead)
            monkeypatch.setenv(name.lower(), dead)

        async def test():
            async with linked(idle) as (connection, server):
                await connection.send(b'{}')
                assert len(server.peers) == 1
        run(test())


# ---- errors as faults

def test_unknown_error_is_an_internal_fault():
    fault = causes.classify(KeyError('oops'))
    assert (fault.cause, fault.reason, fault.fatal) == ('internal', "KeyError: 'oops'", False)


def test_fault_stays_as_it_is():
    fault = LinkFault('refused', 'nothing listens there')
    assert causes.classify(fault) is fault


@pytest.mark.parametrize('error, cause', (
    (TimeoutError(), 'timeout'),
    (asyncio.TimeoutError(), 'timeout'),
    (BrokenPipeError(32, 'Broken pipe'), 'lost'),
    (ConnectionAbortedError(103, 'Software caused connection abort'), 'lost'),
    (OSError(113, 'No route to host'), 'unreachable'),
    (OSError('without a number'), 'unreachable'),
    (ssl.SSLError(1, '[SSL] something'), 'tls'),
    (MemoryError(), 'memory'),
    (OSError(12, 'Cannot allocate memory'), 'memory'),
    (OSError(24, 'Too many open files'), 'descriptors'),
    (OSError(23, 'Too many open files in system'), 'descriptors'),
))
def test_errors_of_the_system_are_sorted(error, cause):
    assert causes.classify(error).cause == cause
