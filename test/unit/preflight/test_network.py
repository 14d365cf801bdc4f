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
"""The steps to the orchestrator's port, over addresses of which some are dead."""

import socket
import time

from camera_ws_bridge.preflight import certificates, network
from camera_ws_bridge.preflight.report import Status
from camera_ws_bridge.transport import names, tls
from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import serving
from rigs.resolver_rig import black_hole, HangingResolver, known_as
from rigs.shared import run, server_tls, WAIT
from rigs.websocket_rig import closed_port, idle

SOON = 1.0  # seconds within which the second address must be there


async def of(*hosts, port):
    """Return the addresses of hosts that are numbers."""
    return [address for host in hosts for address in await names.look_up(host, port, WAIT)]


@pytest.mark.parametrize('dead', ('127.0.0.2', '::1'))
def test_a_dead_first_address_is_passed_over_and_named(dead):
    async def test():
        async with serving(idle) as server:
            with black_hole(dead, server.port):
                began = time.monotonic()
                found = await network.connect(
                    await of(dead, '127.0.0.1', port=server.port), server.port, WAIT)
                assert time.monotonic() - began < SOON
        assert (found.status, found.data['address']) == (Status.WARNING, '127.0.0.1')
        assert f'{dead} does not answer' in found.detail and 'firewall' not in found.advice
    run(test())


def test_an_address_that_refuses_is_not_worth_a_word():
    # Containers without IPv6 whose /etc/hosts names ::1 all the same.
    async def test():
        async with serving(idle) as server:
            with closed_port(socket.AF_INET, '127.0.0.2', server.port):
                found = await network.connect(
                    await of('127.0.0.2', '127.0.0.1', port=server.port), server.port, WAIT)
        assert found.status is Status.OK
    run(test())


def test_all_addresses_are_named_where_none_answers():
    async def test():
        with closed_port(socket.AF_INET, '127.0.0.2') as holder:
            port = holder.getsockname()[1]
            with black_hole('127.0.0.3', port):
                found = await network.connect(
                    await of('127.0.0.2', '127.0.0.3', port=port), port, 0.5)
        assert (found.status, found.data['cause']) == (Status.FAILED, 'refused')
        assert '127.0.0.2 port' in found.detail and '127.0.0.3 port' in found.detail
    run(test())


def test_no_time_left_to_connect():
    async def test():
        found = await network.connect(await of('127.0.0.2', port=9), 9, 0.0)
        assert (found.status, found.data['cause']) == (Status.FAILED, 'timeout')
    run(test())


def test_a_resolver_that_hangs(monkeypatch):
    resolver = HangingResolver(known_as('127.0.0.1'))
    monkeypatch.setattr(socket, 'getaddrinfo', resolver)

    async def test():
        found, addresses = await network.resolve('orchestrator.invalid', 80, 0.1)
        assert (found.status, found.data['cause'], addresses) == (Status.FAILED, 'dns', [])
        assert 'no name server answers within 0.1 s' in found.detail
        resolver.release()
    run(test())


def test_tls_over_the_address_that_answers(authority, tls_files):
    async def test():
        async with serving(idle, server_tls(authority.issue_cert('localhost'))) as server:
            with black_hole('127.0.0.2', server.port):
                addresses = await of('127.0.0.2', '127.0.0.1', port=server.port)
                found = await network.handshake(
                    addresses, 'localhost', tls.context(tls_files['ca']), Options(), WAIT)
                assert found.status is Status.OK
                assert found.data['certificate']['names'] == 'localhost'
                found = await network.handshake(
                    addresses, 'localhost', tls.context(), Options(), WAIT)
                assert found.status is Status.FAILED
                assert found.data['certificate']['names'] == 'localhost'
    run(test())


@pytest.mark.parametrize('trusted', (True, False))
def test_without_the_library_it_is_said_that_certificates_are_not_read(
        authority, tls_files, monkeypatch, trusted):
    monkeypatch.setattr(certificates, 'read', lambda certificate: None)
    monkeypatch.setattr(certificates, 'library', lambda: False)

    async def test():
        async with serving(idle, server_tls(authority.issue_cert('localhost'))) as server:
            found = await network.handshake(
                await of('127.0.0.1', port=server.port), 'localhost',
                tls.context(tls_files['ca'] if trusted else ''), Options(), WAIT)
        assert found.status is (Status.WARNING if trusted else Status.FAILED)
        assert 'cryptography is not installed' in found.detail
    run(test())


@pytest.mark.parametrize('cut', (True, False))
def test_no_tls_there(cut):
    async def test():
        async def behave(peer):
            await peer.reader.read(1)
            if not cut:
                await peer.send(b'HTTP/1.1 400 Bad Request\r\n\r\n')
            peer.writer.close()

        async with serving(behave) as server:
            found = await network.handshake(
                await of('127.0.0.1', port=server.port), 'localhost', tls.context(), Options(),
                WAIT)
        assert found.status is Status.FAILED and 'ws:' in found.advice
    run(test())
