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

"""Token servers that behave in every way, and a look for secrets in all that could show one."""

import asyncio
from contextlib import asynccontextmanager
import json
import traceback

from camera_ws_bridge.auth import sources
from camera_ws_bridge.errors import ConfigurationError, LinkFault
import pytest
from rigs.shared import Clock
from tornado import httpserver, iostream, tcpserver, web
from tornado.netutil import bind_sockets

SECRET = 'canary-secret&=%41'
TOKEN = 'eyJhbGciOiJub25lIn0.canary-token.'


class TokenServer:
    """Answers with what `behave` says: (status, headers, body), or does as it likes."""

    def __init__(self, behave):
        self.requests = []
        self.connections = 0
        self.paths = []
        self.behave = behave

    def good(self, **changes):
        fields = {'access_token': f'{TOKEN}{len(self.requests)}', 'token_type': 'Bearer',
                  'expires_in': 3600, **changes}
        return 200, {}, json.dumps(
            {name: value for name, value in fields.items() if value is not None})


@asynccontextmanager
async def serving(behave=TokenServer.good, tls=None, host='127.0.0.1'):
    """Run a token server on a free port; behave(server) gives the answer, or a coroutine."""
    server = TokenServer(behave)

    class Handler(web.RequestHandler):
        async def post(self):
            server.requests.append(self.request)
            answer = server.behave(server)
            if asyncio.iscoroutine(answer):
                answer = await answer
            status, headers, body = answer
            self.set_status(status)
            for name, value in headers.items():
                self.set_header(name, value)
            self.finish(body or None)

        get = put = post

    sockets = bind_sockets(0, host)
    http = httpserver.HTTPServer(web.Application(
        [('/.*', Handler)], log_function=lambda handler: None), ssl_options=tls)
    http.add_sockets(sockets)
    server.port = sockets[0].getsockname()[1]
    server.url = f'http{"s" if tls else ""}://localhost:{server.port}/oauth/token'
    try:
        yield server
    finally:
        http.stop()
        await http.close_all_connections()


@asynccontextmanager
async def raw_serving(behave, host='127.0.0.1'):
    """Run a TCP server; behave(stream) does as it likes once the request is there."""
    ended = []

    class Server(tcpserver.TCPServer):
        async def handle_stream(self, stream, address):
            try:
                await stream.read_until(b'\r\n\r\n')
                await behave(stream)
            except iostream.StreamClosedError:
                pass
            finally:
                ended.append(stream)
                stream.close()

    sockets = bind_sockets(0, host)
    server = Server()
    server.add_sockets(sockets)
    server.url = f'http://127.0.0.1:{sockets[0].getsockname()[1]}/token'
    server.ended = ended
    try:
        yield server
    finally:
        server.stop()


def environment(url, **changes):
    values = {
        'AUTH_SERVER_URL': url, 'CLIENT_ID': 'camera', 'CLIENT_SECRET': SECRET, **changes}
    return {name: value for name, value in values.items() if value is not None}


def source_for(
        server, clock=None, timeout=None, tls_ca_file='', insecure_auth_host='', **changes):
    source = sources.from_environment(
        environment(server.url, **changes), '', tls_ca_file, insecure_auth_host, clock or Clock())
    if timeout is not None:
        source._server._timeout = timeout
    return source


def harmless(error):
    """Return the error's text after a look for secrets in all that could be printed of it."""
    shown = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
    chain, link = [], error
    while link is not None:
        chain += [str(link), repr(link), repr(vars(link))]
        assert not isinstance(link, UnicodeError)
        link = link.__context__
    for text in (shown, *chain):
        assert 'canary' not in text
    return str(error)


async def fault_of(job):
    with pytest.raises(LinkFault) as caught:
        await job
    fault = caught.value
    assert (fault.fatal, fault.reached) == (False, True)
    harmless(fault)
    return fault


def wrong(job, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        job(*arguments)
    harmless(caught.value)
    return caught.value
