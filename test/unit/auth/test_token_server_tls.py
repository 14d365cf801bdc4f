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

"""The request for a token over TLS: nothing is said to who cannot prove to be the token server."""

import asyncio

import pytest
from rigs.auth_rig import fault_of, serving, source_for, TOKEN
from rigs.shared import run, server_tls
from rigs.tls_certificates import BAD_CERTIFICATES, not_trusted

pytestmark = pytest.mark.usefixtures('no_canary_logged')


def test_token_over_tls(authority, tls_files):
    async def test():
        async with serving(tls=server_tls(authority.issue_cert('localhost'))) as server:
            assert await source_for(server, tls_ca_file=tls_files['ca']).token() == f'{TOKEN}1'
    run(test())


@pytest.mark.parametrize('name', BAD_CERTIFICATES)
def test_no_request_to_a_server_with_a_bad_certificate(authority, tls_files, name):
    async def test():
        context, trust = not_trusted(name, authority, tls_files)
        async with serving(tls=context) as server:
            fault = await fault_of(source_for(server, **trust).token())
            assert 'certificate' in fault.reason and 'tls_ca_file' in fault.reason
            assert server.requests == []
    run(test())


def test_no_tls_where_tls_is_asked_for():
    async def test():
        received = []

        async def plain(reader, writer):
            received.append(await reader.read(4096))
            writer.write(b'HTTP/1.1 400 Bad Request\r\n\r\n')
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(plain, '127.0.0.1', 0)
        async with server:
            server.url = f'https://127.0.0.1:{server.sockets[0].getsockname()[1]}/'
            assert 'TLS' in (await fault_of(source_for(server).token())).reason
        assert b'client_' not in b''.join(received)
    run(test())


def test_a_stalled_tls_handshake_leaves_no_connection_behind():
    async def test():
        ended = asyncio.Event()

        async def stall(reader, writer):
            await reader.read()  # until the client is gone
            writer.close()
            ended.set()

        server = await asyncio.start_server(stall, '127.0.0.1', 0)
        async with server:
            server.url = f'https://127.0.0.1:{server.sockets[0].getsockname()[1]}/'
            source = source_for(server, timeout=0.3)
            assert 'within 0.3 s' in (await fault_of(source.token())).reason
            await ended.wait()
    run(test())
