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

"""TLS: whom the camera trusts, and what it shows."""

import ssl

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import frame, serving, TEXT
from rigs.shared import run, server_tls
from rigs.tls_certificates import BAD_CERTIFICATES, not_trusted
from rigs.websocket_rig import fault_of, idle, open_link, open_tls
from tornado import httpserver, web
from tornado.netutil import bind_sockets


async def echo(peer):
    await peer.upgrade()
    while True:
        _, payload = await peer.read_frame()
        await peer.send(frame(TEXT, payload))


async def hangs_together(url, options):
    connection = await open_tls(url, options)
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


@pytest.mark.parametrize('name', BAD_CERTIFICATES)
def test_bad_certificate_is_refused_before_a_byte_is_sent(authority, tls_files, name):
    async def test():
        received = []

        async def behave(peer):
            received.append(await peer.read_to_end())

        context, trust = not_trusted(name, authority, tls_files)
        async with serving(behave, context) as server:
            fault = await fault_of(open_tls(server.named_url, Options(**trust)))
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
            fault = await fault_of(open_tls(server.named_url))
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
        url = f'wss://localhost:{sockets[0].getsockname()[1]}/processor'
        fault = await fault_of(open_tls(url, Options(tls_ca_file=tls_files['ca'])))
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
            fault = await fault_of(open_tls(server.url.replace('ws:', 'wss:')))
        assert (fault.cause, fault.fatal) == ('tls', False)
    run(test())


def test_no_tls_to_a_server_with_it(authority):
    async def test():
        async with serving(idle, server_tls(authority.issue_cert('localhost'))) as server:
            fault = await fault_of(open_link(server.url.replace('wss:', 'ws:')))
        assert fault.cause in ('not_websocket', 'lost')
        assert not fault.fatal
    run(test())
