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

"""Where the token comes from, how long it is used, and what it may be sent over."""

import asyncio
import subprocess
import sys

from camera_ws_bridge.auth import sources
import pytest
from rigs.auth_rig import (
    environment, SECRET, serving, source_for, TOKEN, TokenServer, wrong)
from rigs.shared import Clock, run, WAIT

pytestmark = pytest.mark.usefixtures('no_canary_logged')


# ---- what is configured

@pytest.mark.parametrize('values', (
    {}, {'AUTH_SERVER_URL': ''}, {'AUTH_SERVER_URL': ' ', 'CLIENT_SECRET': SECRET},
    {'CLIENT_ID': 'camera', 'CLIENT_SECRET': SECRET}))
def test_no_authentication_unless_configured(values):
    assert sources.from_environment(values, '') is None


def test_two_sources_are_one_too_many(secret_file):
    error = wrong(sources.from_environment, environment('https://a/t'), secret_file(TOKEN))
    assert error.parameter == 'token_file' and 'AUTH_SERVER_URL' in error.reason


@pytest.mark.parametrize('name', ('CLIENT_ID', 'CLIENT_SECRET'))
@pytest.mark.parametrize('value', (None, ''))
def test_what_is_missing_is_named(name, value):
    error = wrong(sources.from_environment, environment('https://a/t', **{name: value}), '')
    assert error.parameter == name and f'{name}_FILE' in error.reason


@pytest.mark.parametrize('name', ('CLIENT_ID', 'CLIENT_SECRET'))
def test_value_and_file_at_once_are_an_error(name, secret_file):
    values = environment(
        'https://a/t', **{name: 'canary', f'{name}_FILE': secret_file('canary')})
    assert wrong(sources.from_environment, values, '').parameter == name


@pytest.mark.parametrize('value', ('  ', 'canary\ncanary', 'canary\x00', 'canary\x1b[2J',
                                   'canary' * 4000))
def test_secrets_that_cannot_be_are_refused(value):
    error = wrong(sources.from_environment, environment('https://a/t', CLIENT_SECRET=value), '')
    assert error.parameter == 'CLIENT_SECRET'


@pytest.mark.parametrize('url, part', (
    ('http://auth.example/token', 'https:'),
    ('http://127.0.0.1.example/token', 'https:'),
    ('http://localhost.example/token', 'https:'),
    ('http://0.0.0.0/token', 'https:'),
    ('http://10.0.0.1/token', 'https:'),
    ('http://[::ffff:127.0.0.1]/token', 'https:'),
    ('http://[fe80::1]/token', 'https:'),
    ('http://[::1%25lo]/token', 'https:'),
    ('https://user:canary@auth.example/token', 'user name or password'),
    ('http://localhost:canary@auth.example/', 'user name or password'),
    ('https://auth.example/token#canary', 'fragment'),
    ('https://auth.example/a b', 'spaces'),
    ('https://auth.example/\u00e4', 'characters'),
    ('https://auth.example:99999/', 'no URL'),
    ('https://[::1/', 'no URL'),
    ('https://auth.example:canary/', 'no URL'),
    ('https://auth.example:0/', 'port 0'),
    ('https:///token', 'names no host'),
    ('ftp://auth.example/', 'begin with http: or https:'),
    ('auth.example/token', 'begin with http: or https:'),
    ('canary:auth', 'begin with http: or https:'),
    ('file:///etc/shadow', 'begin with http: or https:'),
))
def test_token_servers_that_cannot_be_or_must_not(url, part):
    error = wrong(sources.from_environment, environment(url), '')
    assert error.parameter == 'AUTH_SERVER_URL' and part in error.reason


@pytest.mark.parametrize('url', (
    'https://auth.example/token?tenant=1', 'HTTPS://auth.example', 'http://localhost/token',
    'http://LOCALHOST:80/token', 'http://127.3.2.1/token', 'http://[::1]:8080/token',
    ' https://auth.example/token\n'))
def test_token_servers_that_are_accepted(url):
    assert isinstance(sources.from_environment(environment(url), ''), sources.ClientCredentials)


@pytest.mark.parametrize('host', ('auth.example', ' AUTH.example '))
def test_a_token_server_over_plain_http_is_allowed_by_name(host):
    values = environment('http://Auth.example:8080/token')
    assert sources.from_environment(values, '', insecure_auth_host=host) is not None


@pytest.mark.parametrize('host', ('', 'auth', 'other.example', '*'))
def test_a_token_server_over_plain_http_is_refused_otherwise(host):
    values = environment('http://auth.example/token')
    error = wrong(lambda: sources.from_environment(values, '', insecure_auth_host=host))
    assert "insecure_auth_host set to 'auth.example'" in error.reason


@pytest.mark.parametrize('content', (None, 'canary: no PEM'))
def test_bad_ca_file_is_named(content, secret_file, tmp_path):
    path = str(tmp_path / 'none') if content is None else secret_file(content)
    error = wrong(sources.from_environment, environment('https://a/t'), '', path)
    assert error.parameter == 'tls_ca_file' and path in error.reason


@pytest.mark.parametrize('url, host', (
    ('wss://orchestrator/processor', ''), ('ws://localhost:1/processor', ''),
    ('ws://127.0.0.1/', ''), ('ws://127.255.0.9/', ''), ('ws://[::1]:9/', ''),
    ('ws://orchestrator:8080/processor', 'orchestrator'),
    ('ws://Orchestrator/processor', 'ORCHESTRATOR '), ('ws://[fd00::1]/', '[fd00::1]'),
    ('ws://[fd00::1]/', 'fd00::1'), ('ws://10.0.0.7/', '10.0.0.7')))
def test_transports_that_may_carry_a_token(url, host):
    sources.check_transport(url, host)


@pytest.mark.parametrize('url, host', (
    ('ws://orchestrator/processor', ''), ('ws://orchestrator/processor', 'other'),
    ('ws://orchestrator.evil/processor', 'orchestrator'), ('ws://10.0.0.7/', ''),
    ('ws://localhost.evil/', ''), ('ws://127.0.0.1.evil/', ''), ('ws://0x7f000001/', ''),
    ('ws://127.1/', ''), ('ws://0.0.0.0/', ''), ('ws://[::]/', ''), ('ws://[::2]/', 'localhost'),
    ('ws://[::ffff:127.0.0.1]/', ''), ('ws://[::1%25eth0]/', ''),
    ('ws://orchestrator/', '*'), ('ws://a/?canary', 'b')))
def test_transports_that_must_not_carry_a_token(url, host):
    error = wrong(sources.check_transport, url, host)
    assert error.parameter == 'orchestrator_url' and 'insecure_token_host' in error.reason


# ---- how long a token is used

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
            while source._request.waiting < 5:
                await asyncio.sleep(0)
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
        release, answered = asyncio.Event(), asyncio.Event()

        async def hang(server):
            await release.wait()
            answered.set()
            return server.good()

        async with serving(hang) as server:
            source = source_for(server)
            caller = asyncio.ensure_future(source.token())
            while not server.requests:
                await asyncio.sleep(0.01)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            server.behave = TokenServer.good
            assert await source.token() == f'{TOKEN}2'
            release.set()
            await answered.wait()
            assert await source.token() == f'{TOKEN}2'
    run(test())


# ---- nothing shows

def test_nothing_shows_a_secret(secret_file):
    async def test():
        async with serving() as server:
            source = source_for(server)
            await source.token()
            static = sources.from_environment({}, secret_file(TOKEN))
            credentials = source._server._credentials
            for thing in (source, static, static._file, source._server, credentials,
                          credentials._client_secret):
                assert 'canary' not in f'{thing!r} {thing} {thing:}'
    run(test())


def test_without_oauth_no_http_client_is_loaded():
    program = ('import sys; from camera_ws_bridge.auth import sources; '
               'sources.from_environment({}, ""); sys.exit("http.client" in sys.modules)')
    assert subprocess.run([sys.executable, '-c', program], timeout=WAIT).returncode == 0
