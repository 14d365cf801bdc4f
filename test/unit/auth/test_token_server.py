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

"""The request for a token, against real token servers that behave in every way."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs

from camera_ws_bridge.auth import secret, sources, token_server
import pytest
from rigs.auth_rig import (
    environment, fault_of, raw_serving, SECRET, serving, source_for, TOKEN, TokenServer)
from rigs.shared import run, WAIT

pytestmark = pytest.mark.usefixtures('no_canary_logged')

MIB = 2**20


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
        assert request.headers['Accept-Encoding'] == 'identity'
        assert request.headers['Host'] == f'localhost:{server.port}'
    run(test())


def test_no_proxy_is_asked(monkeypatch):
    for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')

    async def test():
        async with serving() as server:
            await source_for(server).token()
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
    (200, 'x' * (token_server.MAX_ANSWER + 1), ('larger',)),
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
    token = 'x' * secret.MAX_SECRET

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
            while not server.ended:  # no thread holds the connection any longer
                await asyncio.sleep(0.01)
    run(test())


def _says(data, then_reset=False):
    async def behave(stream):
        await stream.write(data)
        if then_reset:
            stream.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        else:
            stream.socket.shutdown(socket.SHUT_WR)
            await stream.read_until_close()
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
    release, ended = threading.Event(), threading.Event()

    def look_up(*arguments, **options):
        if answer != 'stalls':
            raise answer
        release.wait(WAIT)
        ended.set()
        raise socket.gaierror(-3, 'Temporary failure in name resolution')

    async def test():
        source = sources.from_environment(environment('https://auth.example/token'), '')
        source._server._timeout = 0.2
        monkeypatch.setattr(socket, 'getaddrinfo', look_up)
        assert part in (await fault_of(source.token())).reason
        assert not ended.is_set()
        # What comes late is of no interest to anybody.
        release.set()
        while answer == 'stalls' and not ended.is_set():
            await asyncio.sleep(0.01)
    run(test())


def test_who_gives_up_waiting_leaves_no_connection_and_no_thread_behind():
    async def test():
        idle = threading.active_count()
        async with raw_serving(_silent) as server:
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(source_for(server).token(), 0.2)
            while len(server.ended) < 3:
                await asyncio.sleep(0.01)
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.shutdown_default_executor(), WAIT)
            assert threading.active_count() == idle
    run(test())


def test_no_memory_and_no_descriptors_are_told(monkeypatch):
    async def test():
        async with serving() as server:
            for error, part in ((MemoryError(), 'memory'), (OSError(24, 'x'), 'ulimit -n')):
                async def fail(*_, error=error):
                    raise error
                monkeypatch.setattr(token_server, 'dial', fail)
                assert part in (await fault_of(source_for(server).token())).reason
    run(test())


def test_a_zone_is_connected_to_and_not_told():
    async def test():
        try:
            serving_there = serving(host='::1')
            async with serving_there as server:
                server.url = f'http://[::1%25lo]:{server.port}/token'
                await source_for(server, insecure_auth_host='::1%lo').token()
                assert server.requests[0].headers['Host'] == f'[::1]:{server.port}'
        except OSError:
            pytest.skip('no IPv6 here')
    run(test())


# ---- nothing shows

def test_a_process_that_ends_while_it_waits_says_nothing(tmp_path):
    program = tmp_path / 'program.py'
    program.write_text("""if True:
    import asyncio, os, socket, threading
    from camera_ws_bridge.auth import sources

    listener = socket.create_server(('127.0.0.1', 0))
    os.environ.update(
        AUTH_SERVER_URL=f'http://127.0.0.1:{listener.getsockname()[1]}/', CLIENT_ID='camera',
        CLIENT_SECRET='canary')
    source = sources.from_environment(os.environ, '')

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
        while connection.recv(10000):
            pass
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    main()
""")
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=WAIT)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')
    assert time.monotonic() - began < token_server.REQUEST_TIMEOUT
