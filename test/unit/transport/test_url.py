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

"""Which URLs are accepted, what the refusals say, and what of a URL may be logged."""

from camera_ws_bridge.transport import url as urls
import pytest

SECRET = 'hunter2'

GOOD = (
    'ws://localhost:8080/processor',
    'wss://localhost:8080/processor',
    'ws://orchestrator/processor',
    'ws://192.0.2.7/processor',
    'ws://[2001:db8::1]:8080/processor',
    'ws://[::1]/processor',
    'ws://host',
    'ws://host:65535/',
    'ws://host:/processor',
    'WS://HOST/processor',
    'ws://host/processor?site=7',
    'ws://[fe80::5%eth0]:8080/processor',
    'ws://[fe80::5%25eth0]:8080/processor',
    urls.EXAMPLE,
)

BAD = (
    ('', 'is not set'),
    ('localhost:8080/processor', 'must begin with ws: or wss:'),
    ('/processor', 'must begin with ws: or wss:'),
    ('http://host/processor', 'must begin with ws: or wss:'),
    ('https://host/processor', 'must begin with ws: or wss:'),
    ('ws:///processor', 'names no host'),
    ('ws:/host/processor', 'names no host'),
    ('ws://:8080/processor', 'names no host'),
    ('ws://host:0/processor', 'port 0'),
    ('ws://host:65536/processor', 'is no URL'),
    ('ws://host:-1/processor', 'is no URL'),
    ('ws://host:http/processor', 'is no URL'),
    ('ws://[::1/processor', 'is no URL'),
    ('ws://[nonsense]/processor', 'is no URL'),
    (f'ws://host:{SECRET}/processor', 'is no URL'),
    (f'{SECRET}:host', 'must begin'),
    (f'ws://camera:{SECRET}@host/processor', 'user name or password'),
    ('ws://camera@host/processor', 'user name or password'),
    ('ws://@host/processor', 'user name or password'),
    ('ws://host/processor#top', 'fragment'),
    (' ws://host/processor', 'spaces'),
    ('ws://host/processor\n', 'spaces'),
    ('ws://ho st/processor', 'spaces'),
    ('ws://host/pro\tcessor', 'spaces'),
    ('ws://host/\x00', 'spaces'),
    ('ws://host/\x7f', 'spaces'),
    ('ws://hóst/processor', 'no URL holds'),
)


@pytest.mark.parametrize('url', GOOD)
def test_good_url_is_accepted(url):
    urls.check(url)


@pytest.mark.parametrize('url, reason', BAD)
def test_bad_url_is_refused_with_what_to_correct(url, reason):
    with pytest.raises(ValueError, match=reason):
        urls.check(url)


@pytest.mark.parametrize('url', [url for url, _ in BAD])
def test_refusal_is_one_line_without_the_password(url):
    with pytest.raises(ValueError) as caught:
        urls.check(url)
    assert '\n' not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize('url, logged', (
    ('ws://host:8080/processor', 'ws://host:8080/processor'),
    ('ws://[::1]:8080/processor', 'ws://[::1]:8080/processor'),
    (f'ws://host/processor?token={SECRET}', 'ws://host/processor'),
    (f'ws://camera:{SECRET}@host/processor', 'ws://host/processor'),
    (f'ws://camera:{SECRET}@x@host/processor', 'ws://host/processor'),
    (f'wss://host/#{SECRET}', 'wss://host/'),
))
def test_secrets_are_not_logged(url, logged):
    assert urls.for_log(url) == logged


def test_other_schemes_are_checked_alike():
    urls.check('https://host/token', ('http', 'https'), 'https://example')
    with pytest.raises(ValueError, match='begin with http: or https:, e.g. https://example'):
        urls.check('ws://host/token', ('http', 'https'), 'https://example')


@pytest.mark.parametrize('url, host, port', (
    ('ws://Host/', 'host', 80), ('wss://host', 'host', 443), ('http://host:8/', 'host', 8),
    ('https://host/', 'host', 443), ('ws://[::1]:8080/x', '::1', 8080), ('WSS://h/', 'h', 443),
    ('ws://[fe80::5%25eth0]:8080/processor', 'fe80::5%eth0', 8080),
    ('ws://[fe80::5%eth0]/processor', 'fe80::5%eth0', 80)))
def test_where_a_url_leads(url, host, port):
    assert urls.address(url) == (host, port)


@pytest.mark.parametrize('url, told', (
    ('ws://[fe80::5%25eth0]:8080/a%20b?c=%5d', 'ws://[fe80::5]:8080/a%20b?c=%5d'),
    ('ws://[fe80::5%eth0]/', 'ws://[fe80::5]/'),
    ('ws://host:8080/a%20b?c=%5d', 'ws://host:8080/a%20b?c=%5d')))
def test_a_zone_is_told_to_nobody(url, told):
    assert urls.without_zone(url) == told


@pytest.mark.parametrize('url, encrypted', (
    ('ws://h', False), ('http://h', False), ('wss://h', True), ('HTTPS://h', True)))
def test_which_urls_are_encrypted(url, encrypted):
    assert urls.is_encrypted(url) is encrypted
