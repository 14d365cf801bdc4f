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

"""
Where the JSON Web Token comes from: OAuth 2.0 client credentials, or a file.

Secrets come from the environment or from files that nobody else can read, never from a parameter's
value or a command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
import ipaddress
import time

from camera_ws_bridge.auth import secret
from camera_ws_bridge.auth.token_server import Credentials, TokenServer
from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.transport import tls, url as urls

MARGIN = 30.0  # seconds before its end at which a token is renewed; at most a tenth of its life


class TokenSource:
    """Gives the token for a new connection."""

    async def token(self) -> str:
        """Return the token to send now; raise LinkFault when there is none at present."""
        raise NotImplementedError

    def rejected(self) -> None:
        """Hear that the orchestrator did not accept the token."""


def from_environment(
        environment: Mapping[str, str], token_file: str, tls_ca_file: str = '',
        insecure_auth_host: str = '',
        clock: Callable[[], float] = time.monotonic) -> TokenSource | None:
    """
    Return the configured source, or None for no authentication; raise ConfigurationError.

    tls_ca_file: PEM file with the CAs to trust; empty: those that the system trusts.
    insecure_auth_host: the one host to which the client secret may go over http:; empty: none.
    """
    server = environment.get('AUTH_SERVER_URL', '').strip()
    if server and token_file:
        raise ConfigurationError(
            'token_file', 'is set, and so is the environment variable AUTH_SERVER_URL; a token '
            'can come from one of them only')
    if token_file:
        return StaticToken(token_file)
    if not server:
        return None
    credentials = Credentials(
        secret.from_environment(environment, 'CLIENT_ID'),
        secret.from_environment(environment, 'CLIENT_SECRET'))
    _check_server(server, insecure_auth_host)
    context = tls.context(tls_ca_file) if urls.is_encrypted(server) else None
    return ClientCredentials(TokenServer(server, credentials, context), clock)


def check_transport(url: str, insecure_host: str) -> None:
    """
    Raise ConfigurationError if a token would cross a network in clear text.

    insecure_host: the one host for which that is allowed; empty: none.
    """
    if not _is_private(url, insecure_host):
        host = clean(urls.address(url)[0])
        raise ConfigurationError(
            'orchestrator_url', f'a token would be sent unencrypted to {host}; use wss:, or allow '
            f'it with the parameter insecure_token_host set to {host!r}')


class StaticToken(TokenSource):
    """A token in a file."""

    def __init__(self, path: str) -> None:
        self._file = secret.Secret('token_file', path=path)
        problem = secret.problem_of_token(self._file.read())
        if problem:
            raise ConfigurationError('token_file', f'{clean(path)}: the token {problem}')

    async def token(self) -> str:
        """Return what the file holds now."""
        token = self._file.read_again()
        problem = secret.problem_of_token(token)
        if problem:
            raise LinkFault('secret_file', f'token_file: the token {problem}')
        return token


class ClientCredentials(TokenSource):
    """Tokens of an OAuth 2.0 server, each used until shortly before its end."""

    def __init__(
            self, server: TokenServer, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is monotonic."""
        self._server = server
        self._clock = clock
        self._token = ''
        self._renew_at = 0.0
        self._request: _Request | None = None

    async def token(self) -> str:
        """Return the token at hand, or a new one; callers at the same time share a request."""
        if self._token and self._clock() < self._renew_at:
            return self._token
        request = self._request = self._request or _Request(asyncio.ensure_future(self._fetch()))
        request.waiting += 1
        try:
            # shield: one caller that is cancelled must not take the others along.
            return await asyncio.shield(request.task)
        finally:
            request.waiting -= 1
            if request is self._request and (request.task.done() or not request.waiting):
                self._request = None
            if not request.waiting:
                request.task.cancel()

    def rejected(self) -> None:
        """Forget the token, whatever is left of its life."""
        self._token = ''

    async def _fetch(self) -> str:
        asked_at = self._clock()
        self._token = ''
        token, life = await self._server.ask()
        if life > 0:
            self._token = token
            self._renew_at = asked_at + life - min(MARGIN, 0.1 * life)
        return token


class _Request:
    """A request under way, and how many wait for it."""

    def __init__(self, task: asyncio.Future[str]) -> None:
        self.task = task
        self.waiting = 0


def _check_server(server: str, insecure_host: str) -> None:
    """Raise ConfigurationError with what to correct in a token URL; it never holds the URL."""
    try:
        urls.check(server, ('http', 'https'), 'https://auth.example.com/oauth/token')
    except ValueError as error:
        raise ConfigurationError('AUTH_SERVER_URL', str(error)) from None
    if not _is_private(server, insecure_host):
        host = clean(urls.address(server)[0])
        raise ConfigurationError(
            'AUTH_SERVER_URL', f'the client secret would be sent unencrypted to {host}; use '
            f'https:, or allow it with the parameter insecure_auth_host set to {host!r}')


def _is_private(url: str, insecure_host: str) -> bool:
    """Return whether nobody reads along on the way, or that is allowed for this host."""
    host = urls.address(url)[0]
    return urls.is_encrypted(url) or _is_loopback(host) or (
        host == insecure_host.strip().strip('[]').lower())


def _is_loopback(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Not is_loopback: that differs between Python versions for mapped and scoped addresses.
    return address == ipaddress.IPv6Address('::1') or (
        isinstance(address, ipaddress.IPv4Address)
        and address in ipaddress.IPv4Network('127.0.0.0/8'))
