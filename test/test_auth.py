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

"""Where the token comes from, against real token servers that behave in every way."""

import asyncio
from contextlib import asynccontextmanager
import datetime
import gc
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
import traceback
from urllib.parse import parse_qs

from camera_ws_bridge import auth
from camera_ws_bridge.errors import ConfigurationError, LinkFault
import pytest
from tornado import httpserver, iostream, tcpserver, web
from tornado.netutil import bind_sockets

SECRET = 'canary-secret&=%41'
TOKEN = 'eyJhbGciOiJub25lIn0.canary-token.'
MIB = 2**20
WAIT = 30.0

root_only = pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')


class Clock:
    """A monotonic clock that moves when told to."""

    now = 1000.0

    def __call__(self):
        return self.now


def run(job):
    """Run a coroutine; nothing may be left in the loop that complains."""
    complaints = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context))
        await asyncio.wait_for(job, WAIT)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(watched())
    gc.collect()
    assert complaints == []


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


def source_for(server, clock=None, timeout=None, tls_ca_file='', **changes):
    source = auth.from_environment(
        environment(server.url, **changes), '', tls_ca_file, clock or Clock())
    if timeout is not None:
        source._timeout = timeout
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


@pytest.fixture(autouse=True)
def nothing_is_logged_that_must_not(caplog):
    caplog.set_level(1)
    for name in ('tornado', 'tornado.general', 'tornado.application', 'tornado.access', 'asyncio'):
        caplog.set_level(1, logger=name)
    yield
    for record in caplog.get_records('call'):
        assert 'canary' not in str(vars(record)) + logging.Formatter().format(record)


@pytest.fixture
def secret_file(tmp_path):
    """Return a maker of files with a mode."""
    def make(content, mode=0o600, name='secret'):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)
    return make


# ---- what is configured

@pytest.mark.parametrize('values', (
    {}, {'AUTH_SERVER_URL': ''}, {'AUTH_SERVER_URL': ' ', 'CLIENT_SECRET': SECRET},
    {'CLIENT_ID': 'camera', 'CLIENT_SECRET': SECRET}))
def test_no_authentication_unless_configured(values):
    assert auth.from_environment(values, '') is None


def test_two_sources_are_one_too_many(secret_file):
    error = wrong(auth.from_environment, environment('https://a/t'), secret_file(TOKEN))
    assert error.parameter == 'token_file' and 'AUTH_SERVER_URL' in error.reason


@pytest.mark.parametrize('name', ('CLIENT_ID', 'CLIENT_SECRET'))
@pytest.mark.parametrize('value', (None, ''))
def test_what_is_missing_is_named(name, value):
    error = wrong(auth.from_environment, environment('https://a/t', **{name: value}), '')
    assert error.parameter == name and f'{name}_FILE' in error.reason


@pytest.mark.parametrize('name', ('CLIENT_ID', 'CLIENT_SECRET'))
def test_value_and_file_at_once_are_an_error(name, secret_file):
    values = environment(
        'https://a/t', **{name: 'canary', f'{name}_FILE': secret_file('canary')})
    assert wrong(auth.from_environment, values, '').parameter == name


@pytest.mark.parametrize('value', ('  ', 'canary\ncanary', 'canary\x00', 'canary\x1b[2J',
                                   'canary' * 4000))
def test_secrets_that_cannot_be_are_refused(value):
    error = wrong(auth.from_environment, environment('https://a/t', CLIENT_SECRET=value), '')
    assert error.parameter == 'CLIENT_SECRET'


@pytest.mark.parametrize('url, part', (
    ('http://auth.example/token', 'https:'),
    ('http://127.0.0.1.example/token', 'https:'),
    ('http://localhost.example/token', 'https:'),
    ('http://0.0.0.0/token', 'https:'),
    ('http://10.0.0.1/token', 'https:'),
    ('http://[::ffff:127.0.0.1]/token', 'https:'),
    ('http://[fe80::1]/token', 'https:'),
    ('https://user:canary@auth.example/token', 'user name or password'),
    ('http://localhost:canary@auth.example/', 'user name or password'),
    ('https://auth.example/token#canary', 'fragment'),
    ('https://auth.example/a b', 'spaces'),
    ('https://auth.example/\u00e4', 'characters'),
    ('https://auth.example:99999/', 'no URL'),
    ('https://[::1/', 'no URL'),
    ('https://auth.example:0/', 'no URL'),
    ('https:///token', 'no URL'),
    ('ftp://auth.example/', 'no URL'),
    ('auth.example/token', 'no URL'),
    ('file:///etc/shadow', 'no URL'),
))
def test_token_servers_that_cannot_be_or_must_not(url, part):
    error = wrong(auth.from_environment, environment(url), '')
    assert error.parameter == 'AUTH_SERVER_URL' and part in error.reason


@pytest.mark.parametrize('url', (
    'https://auth.example/token?tenant=1', 'HTTPS://auth.example', 'http://localhost/token',
    'http://LOCALHOST:80/token', 'http://127.3.2.1/token', 'http://[::1]:8080/token',
    ' https://auth.example/token\n'))
def test_token_servers_that_are_accepted(url):
    assert isinstance(auth.from_environment(environment(url), ''), auth.ClientCredentials)


@pytest.mark.parametrize('content', (None, 'canary: no PEM'))
def test_bad_ca_file_is_named(content, secret_file, tmp_path):
    path = str(tmp_path / 'none') if content is None else secret_file(content)
    error = wrong(auth.from_environment, environment('https://a/t'), '', path)
    assert error.parameter == 'tls_ca_file' and path in error.reason


@pytest.mark.parametrize('url, host', (
    ('wss://orchestrator/processor', ''), ('ws://localhost:1/processor', ''),
    ('ws://127.0.0.1/', ''), ('ws://127.255.0.9/', ''), ('ws://[::1]:9/', ''),
    ('ws://orchestrator:8080/processor', 'orchestrator'),
    ('ws://Orchestrator/processor', 'ORCHESTRATOR '), ('ws://[fd00::1]/', '[fd00::1]'),
    ('ws://[fd00::1]/', 'fd00::1'), ('ws://10.0.0.7/', '10.0.0.7')))
def test_transports_that_may_carry_a_token(url, host):
    auth.check_transport(url, host)


@pytest.mark.parametrize('url, host', (
    ('ws://orchestrator/processor', ''), ('ws://orchestrator/processor', 'other'),
    ('ws://orchestrator.evil/processor', 'orchestrator'), ('ws://10.0.0.7/', ''),
    ('ws://localhost.evil/', ''), ('ws://127.0.0.1.evil/', ''), ('ws://0x7f000001/', ''),
    ('ws://127.1/', ''), ('ws://0.0.0.0/', ''), ('ws://[::]/', ''), ('ws://[::2]/', 'localhost'),
    ('ws://[::ffff:127.0.0.1]/', ''), ('ws://[::1%25eth0]/', ''),
    ('ws://orchestrator/', '*'), ('ws://a/?canary', 'b')))
def test_transports_that_must_not_carry_a_token(url, host):
    error = wrong(auth.check_transport, url, host)
    assert error.parameter == 'orchestrator_url' and 'insecure_token_host' in error.reason


# ---- files

@pytest.mark.parametrize('mode', (0o600, 0o400, 0o700))
def test_token_from_a_file(secret_file, mode):
    source = auth.from_environment({}, secret_file(f'\n {TOKEN}\r\n\n', mode))

    async def test():
        assert await source.token() == TOKEN
        source.rejected()
        assert await source.token() == TOKEN
    run(test())


@pytest.mark.parametrize('mode', (0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777))
def test_files_that_others_can_use_are_refused(secret_file, mode):
    path = secret_file(TOKEN, mode)
    error = wrong(auth.from_environment, {}, path)
    assert f'chmod 600 {path}' in str(error) and f'{mode:04o}' in str(error)
    for name in ('CLIENT_ID', 'CLIENT_SECRET'):
        values = environment('https://a/t', **{name: None, f'{name}_FILE': path})
        error = wrong(auth.from_environment, values, '')
        assert error.parameter == f'{name}_FILE' and f'chmod 600 {path}' in str(error)


@root_only
def test_files_of_others_are_refused(secret_file):
    path = secret_file(TOKEN)
    os.chown(path, 4711, -1)
    error = wrong(auth.from_environment, {}, path)
    assert path in str(error) and '4711' in str(error)


@pytest.mark.parametrize('content, part', (
    (b'', 'empty'), (b' \n', 'empty'), (b'canary\xff', 'UTF-8'), (b'canary\ncanary', 'lines'),
    (b'canary\x00', 'printable'), (b'canary' * 4000, 'larger'),
    ('canary\u00e4'.encode(), 'no token has')))
def test_files_that_hold_no_token(secret_file, content, part):
    path = secret_file(content)
    error = wrong(auth.from_environment, {}, path)
    assert path in str(error) and part in str(error)


@pytest.mark.parametrize('make', (os.mkdir, os.mkfifo, lambda path: None))
def test_what_is_no_file_is_refused_without_waiting(tmp_path, make):
    path = str(tmp_path / 'thing')
    make(path)
    assert path in str(wrong(auth.from_environment, {}, path))


@pytest.mark.parametrize('path', ('/dev/null', '/dev/zero', 'no\0name', 'line\nbreak', '/x' * 999))
def test_names_that_are_none(path):
    assert '\n' not in str(wrong(auth.from_environment, {}, path))


def test_links_are_followed_and_their_targets_checked(secret_file, tmp_path):
    link = tmp_path / 'link'
    link.symlink_to(secret_file(TOKEN))
    run(auth.from_environment({}, str(link)).token())
    os.chmod(tmp_path / 'secret', 0o644)
    assert str(link) in str(wrong(auth.from_environment, {}, str(link)))
    link.unlink()
    link.symlink_to(link)
    wrong(auth.from_environment, {}, str(link))


def test_file_is_rotated(secret_file):
    path = secret_file(TOKEN)
    source = auth.from_environment({}, path)

    async def test():
        replacement = secret_file(TOKEN + 'new', name='new')
        os.replace(replacement, path)
        assert await source.token() == TOKEN + 'new'
        for spoil in (lambda: secret_file('canary\ncanary'), lambda: secret_file('canary\u00e4'),
                      lambda: os.chmod(path, 0o644), lambda: os.unlink(path)):
            spoil()
            fault = await fault_of(source.token())
            assert fault.cause == 'secret_file' and 'token_file' in fault.reason
            if os.path.exists(path):
                os.chmod(path, 0o600)
        secret_file(TOKEN)
        assert await source.token() == TOKEN
    run(test())


def test_client_id_and_secret_from_files_are_read_anew(secret_file):
    async def test():
        async with serving(lambda server: server.good(expires_in=None)) as server:
            source = source_for(
                server, CLIENT_ID=None, CLIENT_ID_FILE=secret_file('gate\n', 0o600, 'id'),
                CLIENT_SECRET=None, CLIENT_SECRET_FILE=secret_file(f'{SECRET}\n'))
            await source.token()
            path = secret_file('canary-2')
            await source.token()
            os.chmod(path, 0o640)
            fault = await fault_of(source.token())
            assert (fault.cause, 'CLIENT_SECRET_FILE' in fault.reason) == ('secret_file', True)
        forms = [parse_qs(request.body.decode()) for request in server.requests]
        assert [form['client_secret'] for form in forms] == [[SECRET], ['canary-2']]
        assert [form['client_id'] for form in forms] == [['gate'], ['gate']]
    run(test())


# ---- the token server

def test_what_is_asked():
    async def test():
        async with serving() as server:
            assert await source_for(server).token() == f'{TOKEN}1'
        request = server.requests[0]
        assert (request.method, request.path) == ('POST', '/oauth/token')
        assert parse_qs(request.body.decode(), strict_parsing=True) == {
            'grant_type': ['client_credentials'], 'client_id': ['camera'],
            'client_secret': [SECRET]}
        assert request.headers['Content-Type'] == 'application/x-www-form-urlencoded'
        assert request.headers['Accept'] == 'application/json'
        assert 'Accept-Encoding' not in request.headers
    run(test())


def test_no_proxy_is_asked(monkeypatch):
    for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')

    async def test():
        async with serving() as server:
            await source_for(server).token()
    run(test())


@pytest.mark.parametrize('expires_in, renewed_at', (
    (3600, 3570), (100, 90), (300.0, 270), (10, 9), ('3600', 3570), (10**9, 10**9 - 30)))
def test_renewed_before_it_expires(expires_in, renewed_at):
    async def test():
        clock = Clock()
        async with serving(lambda server: server.good(expires_in=expires_in)) as server:
            source = source_for(server, clock)
            first = await source.token()
            clock.now += renewed_at - 0.01
            assert await source.token() == first
            clock.now += 0.02
            assert await source.token() == f'{TOKEN}2'
            assert await source.token() == f'{TOKEN}2'
            assert len(server.requests) == 2
    run(test())


def test_life_begins_when_it_is_asked_for():
    async def test():
        clock = Clock()

        def slow(server):
            clock.now += 50
            return server.good(expires_in=100)

        async with serving(slow) as server:
            source = source_for(server, clock)
            await source.token()
            clock.now += 41
            assert await source.token() == f'{TOKEN}2'
    run(test())


@pytest.mark.parametrize('expires_in', (
    None, 0, -5, 'soon', '', '-1', '1e3', True, [], {}, '9' * 5000, float('nan')))
def test_without_a_usable_life_it_is_good_for_one_use(expires_in):
    async def test():
        async with serving(lambda server: server.good(expires_in=expires_in)) as server:
            source = source_for(server)
            assert [await source.token(), await source.token()] == [f'{TOKEN}1', f'{TOKEN}2']
    run(test())


@pytest.mark.parametrize('number', ('1e999', '9' * 5000, '-1e999'))
def test_life_beyond_all_numbers(number):
    body = f'{{"access_token": "{TOKEN}", "expires_in": {number}}}'

    async def test():
        async with serving(lambda server: (200, {}, body)) as server:
            source = source_for(server)
            assert [await source.token(), await source.token()] == [TOKEN, TOKEN]
            assert len(server.requests) == 2
    run(test())


def test_rejected_means_a_new_one_next_time():
    async def test():
        async with serving() as server:
            source = source_for(server)
            await source.token()
            source.rejected()
            source.rejected()
            assert len(server.requests) == 1
            assert [await source.token(), await source.token()] == [f'{TOKEN}2'] * 2
    run(test())


def test_one_request_for_all_who_ask_at_once():
    async def test():
        gate = asyncio.Event()

        async def slow(server):
            await gate.wait()
            return server.good(expires_in=None)

        async with serving(slow) as server:
            source = source_for(server)
            callers = [asyncio.ensure_future(source.token()) for _ in range(5)]
            while not server.requests:
                await asyncio.sleep(0.01)
            callers.pop(0).cancel()  # does not take the others along
            late = asyncio.ensure_future(source.token())
            await asyncio.sleep(0.01)
            gate.set()
            assert set(await asyncio.gather(late, *callers)) == {f'{TOKEN}1'}
            assert await source.token() == f'{TOKEN}2'
    run(test())


def test_all_share_a_failure_and_the_next_tries_again():
    async def test():
        async with serving(lambda server: (503, {}, '')) as server:
            source = source_for(server)
            results = await asyncio.gather(
                *(source.token() for _ in range(3)), return_exceptions=True)
            assert {result.cause for result in results} == {'token_server'}
            assert len(server.requests) == 1
            server.behave = TokenServer.good
            assert await source.token() == f'{TOKEN}2'
    run(test())


def test_who_is_cancelled_leaves_nothing_behind():
    async def test():
        async def hang(server):
            await asyncio.sleep(0.3)
            return server.good()

        async with serving(hang) as server:
            source = source_for(server, timeout=0.5)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(source.token(), 0.1)
            server.behave = TokenServer.good
            assert await source.token() == f'{TOKEN}2'
            await asyncio.sleep(0.5)
            assert await source.token() == f'{TOKEN}2'
    run(test())


ECHO = json.dumps({'error': SECRET, 'error_description': SECRET, 'access_token': TOKEN})


@pytest.mark.parametrize('status, body, parts', (
    (401, '{"error": "invalid_client"}', ('HTTP 401 invalid_client', 'CLIENT_SECRET')),
    (400, '{"error": "invalid_grant", "error_description": "canary"}', ('400 invalid_grant',)),
    (403, '', ('HTTP 403', 'CLIENT_ID')),
    (404, '<html>canary</html>', ('HTTP 404',)),
    (429, '{}', ('HTTP 429',)),
    (500, 'canary', ('HTTP 500',)),
    (503, '{"error": "temporarily_unavailable"}', ('HTTP 503 temporarily_unavailable',)),
    (401, ECHO, ('HTTP 401;',)),
    (401, '{"error": "a\\nb"}', ('HTTP 401;',)),
    (401, '{"error": ["canary"]}', ('HTTP 401;',)),
    (401, json.dumps({'error': 'x' * 41}), ('HTTP 401;',)),
    (200, '', ('not with a JSON object',)),
    (200, f'access_token={TOKEN}', ('not with a JSON object',)),
    (200, f'["{TOKEN}"]', ('not with a JSON object',)),
    (200, f'"{TOKEN}"', ('not with a JSON object',)),
    (200, b'\xff\xfecanary', ('not with a JSON object',)),
    (200, f'{{"access_token": "{TOKEN}", "access_token": "{TOKEN}"}}', ('not with a JSON',)),
    (200, '[' * 60000, ('not with a JSON object',)),
    (204, '', ('HTTP 204',)),
    (200, '{}', ('without an access_token',)),
    (200, '{"access_token": null, "error": "unauthorized_client"}',
     ('200 unauthorized_client without',)),
    (200, '{"access_token": 5}', ('is not a string',)),
    (200, '{"access_token": ["canary"]}', ('is not a string',)),
    (200, '{"access_token": ""}', ('is empty',)),
    (200, json.dumps({'access_token': 'canary\n'}), ('no token has',)),
    (200, json.dumps({'access_token': 'canary\u202e'}), ('no token has',)),
    (200, '{"access_token": "canary\\ud800"}', ('JSON', 'token')),
    (200, json.dumps({'access_token': 'canary' * 3000}), ('larger',)),
    (200, 'x' * (auth.MAX_ANSWER + 1), ('larger',)),
    (200, 'x' * (8 * MIB), ('larger',)),
    (500, 'x' * (8 * MIB), ('larger',)),
))
def test_answers_that_give_no_token(status, body, parts):
    async def test():
        async with serving(lambda server: (status, {}, body)) as server:
            source = source_for(server)
            fault = await fault_of(source.token())
            assert fault.cause == 'token_server'
            check = any if len(parts) == 2 and parts[0] == 'JSON' else all
            assert check(part in fault.reason for part in parts), fault.reason
            assert len(fault.reason) < 250 and fault.reason.isprintable()
            assert len(server.requests) == 1
            server.behave = TokenServer.good
            assert await source.token() == f'{TOKEN}2'
    run(test())


def test_token_of_the_greatest_size():
    token = 'x' * auth.MAX_SECRET

    async def test():
        async with serving(lambda server: server.good(access_token=token)) as server:
            assert await source_for(server).token() == token
    run(test())


def test_an_error_code_that_is_the_secret_is_not_shown():
    async def test():
        async with serving(lambda server: (401, {}, '{"error": "canary_x"}')) as server:
            fault = await fault_of(source_for(server, CLIENT_SECRET='canary_x').token())
            assert 'HTTP 401;' in fault.reason
    run(test())


@pytest.mark.parametrize('status', (301, 302, 303, 307, 308))
def test_redirects_are_not_followed(status):
    async def test():
        async with serving() as other:
            headers = {'Location': other.url + '?canary'}
            async with serving(lambda server: (status, headers, '')) as server:
                fault = await fault_of(source_for(server).token())
            assert f'HTTP {status}' in fault.reason and 'AUTH_SERVER_URL' in fault.reason
            assert len(server.requests) == 1 and other.requests == []
    run(test())


def test_compressed_answers_are_not_unpacked():
    import gzip
    bomb = gzip.compress(b'{' + b' ' * 8 * MIB + b'}')

    async def test():
        headers = {'Content-Encoding': 'gzip'}
        async with serving(lambda server: (200, headers, bomb)) as server:
            assert 'not with a JSON' in (await fault_of(source_for(server).token())).reason
    run(test())


async def _silent(stream):
    await stream.read_until_close()


async def _in_drops(stream):
    await stream.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{')
    while True:
        await stream.write(b' ')
        await asyncio.sleep(0.02)


async def _headers_in_drops(stream):
    await stream.write(b'HTTP/1.1 200 OK\r\n')
    while True:
        await stream.write(b'X: y\r\n')
        await asyncio.sleep(0.02)


@pytest.mark.parametrize('behave', (_silent, _in_drops, _headers_in_drops))
def test_slow_servers_cost_a_limited_time(behave):
    async def test():
        async with raw_serving(behave) as server:
            source = source_for(server, timeout=0.3)
            began = time.monotonic()
            fault = await fault_of(source.token())
            assert time.monotonic() - began < 5
            assert fault.cause == 'token_server' and 'within 0.3 s' in fault.reason
            while not server.ended:  # tornado gives up the connection, too
                await asyncio.sleep(0.01)
    run(test())


def _says(data, then_reset=False):
    async def behave(stream):
        await stream.write(data)
        if then_reset:
            stream.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        else:
            await asyncio.sleep(0.05)
    return behave


async def _endless(stream):
    await stream.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
    for _ in range(1000):
        await stream.write(b'x' * 2**16)
    raise AssertionError('all 64 MB were taken')


async def _endless_chunks(stream):
    await stream.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for _ in range(1000):
        await stream.write(b'10000\r\n' + b'x' * 2**16 + b'\r\n')
    raise AssertionError('all 64 MB were taken')


async def _endless_header(stream):
    await stream.write(b'HTTP/1.1 200 OK\r\nX: ')
    for _ in range(1000):
        await stream.write(b'x' * 2**16)
    raise AssertionError('all 64 MB were taken')


@pytest.mark.parametrize('behave', (
    _says(b''), _says(b'canary\r\n\r\n'), _says(b'HTTP/1.1 200 OK\r\n', then_reset=True),
    _says(b'HTTP/1.1 canary\r\n\r\n'), _says(b'\x16\x03\x01\x00\x00'),
    _says(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}'),
    _says(b'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}'),
    _says(b'HTTP/1.1 200 OK\r\nContent-Length: ' + b'9' * 5000 + b'\r\n\r\n{}'),
    _says(b'HTTP/1.1 200 OK\r\nX: canary\x00\r\n\r\n{}'),
    _says(b'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    _endless, _endless_chunks, _endless_header))
def test_servers_that_break_the_protocol(behave):
    async def test():
        async with raw_serving(behave) as server:
            fault = await fault_of(source_for(server, timeout=3.0).token())
            assert fault.cause == 'token_server'
    run(test())


def test_answer_without_a_length_is_as_good():
    body = json.dumps({'access_token': TOKEN}).encode()

    async def test():
        async with raw_serving(_says(b'HTTP/1.1 200 OK\r\n\r\n' + body)) as server:
            assert await source_for(server).token() == TOKEN
    run(test())


def test_nobody_listens_there():
    async def test():
        async with serving() as server:
            pass
        fault = await fault_of(source_for(server).token())
        assert 'nothing listens there' in fault.reason and server.url in fault.reason
    run(test())


def test_query_of_the_url_is_used_but_not_shown():
    async def test():
        async with serving(lambda server: (500, {}, '')) as server:
            server.url += '?key=canary'
            fault = await fault_of(source_for(server).token())
            assert '/oauth/token)' in fault.reason
            assert server.requests[0].query == 'key=canary'
    run(test())


@pytest.mark.parametrize('answer, part', (
    (socket.gaierror(-2, 'Name or service not known'), 'does not resolve'), ('stalls', 'within')))
def test_names_that_do_not_resolve(monkeypatch, answer, part):
    def look_up(*arguments, **options):
        if answer == 'stalls':
            time.sleep(1.0)
            raise socket.gaierror(-3, 'Temporary failure in name resolution')
        raise answer

    async def test():
        source = auth.from_environment(environment('https://auth.example/token'), '')
        source._timeout = 0.2
        monkeypatch.setattr(socket, 'getaddrinfo', look_up)
        began = time.monotonic()
        fault = await fault_of(source.token())
        assert part in fault.reason and time.monotonic() - began < 0.9
        await asyncio.sleep(1.0 if answer == 'stalls' else 0)
    run(test())


# ---- TLS

@pytest.fixture(scope='module')
def authority():
    # No rosdep key: not there in every ROS install.
    return pytest.importorskip('trustme', reason='trustme is not installed: no TLS tests').CA()


@pytest.fixture(scope='module')
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp('tls') / 'ca.pem'
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_token_over_tls(authority, ca_file):
    async def test():
        async with serving(tls=server_tls(authority.issue_cert('localhost'))) as server:
            assert await source_for(server, tls_ca_file=ca_file).token() == f'{TOKEN}1'
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
def test_no_request_to_a_server_with_a_bad_certificate(authority, ca_file, issue, trusted):
    async def test():
        async with serving(tls=server_tls(issue(authority))) as server:
            fault = await fault_of(
                source_for(server, tls_ca_file=ca_file if trusted else '').token())
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


def test_who_gives_up_waiting_ends_the_connection():
    async def test():
        async with raw_serving(_silent) as server:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(source_for(server).token(), 0.2)
            while not server.ended:
                await asyncio.sleep(0.01)
    run(test())


# ---- nothing shows

def test_nothing_shows_a_secret(secret_file):
    async def test():
        async with serving() as server:
            source = source_for(server)
            await source.token()
            static = auth.from_environment({}, secret_file(TOKEN))
            for thing in (source, static, source._credentials, static._file,
                          source._credentials._client_secret):
                assert 'canary' not in f'{thing!r} {thing} {thing:}'
    run(test())


def test_tornado_logs_nothing_of_an_answer_and_of_others_as_before(caplog):
    async def test():
        answer = b'HTTP/1.1 200 OK\r\nX: \x1b[2Jcanary\x00\r\n\r\n'
        async with raw_serving(_says(answer)) as server:
            await fault_of(source_for(server).token())
        assert [record for record in caplog.records if record.name.startswith('tornado')] == []
        for name in ('tornado.general', 'tornado.application'):
            logging.getLogger(name).warning('of others')
        assert [record.message for record in caplog.records][-2:] == ['of others'] * 2
    run(test())


def test_a_process_that_ends_while_it_waits_says_nothing(tmp_path):
    program = tmp_path / 'program.py'
    program.write_text("""if True:
    import asyncio, os, socket, threading, time
    from camera_ws_bridge import auth

    listener = socket.create_server(('127.0.0.1', 0))
    os.environ.update(
        AUTH_SERVER_URL=f'http://127.0.0.1:{listener.getsockname()[1]}/', CLIENT_ID='camera',
        CLIENT_SECRET='canary')
    source = auth.from_environment(os.environ, '')

    def main():
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        asking = asyncio.run_coroutine_threadsafe(source.token(), loop)
        connection, _ = listener.accept()
        asked = b''
        while b'canary' not in asked:
            asked += connection.recv(10000)
        asking.cancel()
        time.sleep(0.1)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    main()
""")
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=WAIT)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')
    assert time.monotonic() - began < auth.REQUEST_TIMEOUT


def test_without_oauth_tornado_is_not_loaded():
    program = ('import sys; from camera_ws_bridge import auth; auth.from_environment({}, ""); '
               'sys.exit("tornado" in sys.modules)')
    assert subprocess.run([sys.executable, '-c', program], timeout=WAIT).returncode == 0
