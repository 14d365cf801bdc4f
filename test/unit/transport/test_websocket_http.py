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

"""Answers to the handshake that are none of a WebSocket, and what is offered in it."""

from camera_ws_bridge.transport import causes
from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import serving
from rigs.shared import run
from rigs.websocket_rig import fault_of, idle, linked, open_link, SECRET


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
        if cause == 'http_400':
            assert all(part in fault.reason for part in ('wss:', 'Upgrade', '/processor'))
        assert fault.retry_after == (10.0 if status[0] in '25' or status[:3] == '426' else 0.0)
    run(test())


@pytest.mark.parametrize('text, seconds', (
    ('0', 0.0), ('7', 7.0), ('120', 10.0), ('86400', causes.RETRY_AFTER_MAX),
    ('-1', 0.0), ('1e3', 0.0),
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


@pytest.mark.parametrize('compression', (False, True))
def test_compression_is_only_offered_where_it_is_wanted(compression):
    async def test():
        async with linked(idle, Options(compression=compression)) as (_, server):
            assert ('permessage-deflate' in server.peers[0].request) is compression
    run(test())
