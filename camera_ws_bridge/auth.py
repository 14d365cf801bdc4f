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
value or a command line. Nothing here logs, tornado included, and no exception or repr holds a
secret, or what a token server said beyond its status and OAuth error code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
import ipaddress
import logging
import os
import re
import socket
import ssl
import stat
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from camera_ws_bridge import url as urls, wire
from camera_ws_bridge.errors import ConfigurationError, DecodeError, LinkFault
from camera_ws_bridge.limited_log import clean

REQUEST_TIMEOUT = 10.0  # seconds in all, from the look-up of the name to the last byte
MAX_ANSWER = 64 * 2**10  # bytes of the token server's answer
MAX_SECRET = 16 * 2**10  # bytes of a token, client id or client secret
MARGIN = 30.0  # seconds before its end at which a token is renewed; at most a tenth of its life

_ERROR_CODE = re.compile('[a-z_]{1,40}')  # those of OAuth; anything else is not shown

_ASKING = ContextVar('_ASKING', default=False)  # whether a token is being asked for


class TokenSource:
    """Gives the token for a new connection."""

    async def token(self) -> str:
        """Return the token to send now; raise LinkFault when there is none at present."""
        raise NotImplementedError

    def rejected(self) -> None:
        """Hear that the orchestrator did not accept the token."""


def from_environment(
        environment: Mapping[str, str], token_file: str, tls_ca_file: str = '',
        clock: Callable[[], float] = time.monotonic) -> TokenSource | None:
    """
    Return the configured source, or None for no authentication; raise ConfigurationError.

    tls_ca_file: PEM file with the CAs to trust; empty: those that the system trusts.
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
        _secret(environment, 'CLIENT_ID'), _secret(environment, 'CLIENT_SECRET'))
    try:
        _check_server(server)
    except ValueError as error:
        raise ConfigurationError('AUTH_SERVER_URL', str(error)) from None
    return ClientCredentials(server, credentials, _tls_context(server, tls_ca_file), clock)


def check_transport(url: str, insecure_host: str) -> None:
    """
    Raise ConfigurationError if a token would cross a network in clear text.

    insecure_host: the one host for which that is allowed; empty: none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ''
    if parts.scheme == 'wss' or _is_loopback(host):
        return
    if host != insecure_host.strip().strip('[]').lower():
        raise ConfigurationError(
            'orchestrator_url', f'a token would be sent unencrypted to {clean(host)}; use wss:, '
            f'or allow it with the parameter insecure_token_host set to {clean(host)!r}')


class Secret:
    """A secret by value or in a file, which is read anew on every use: it can be replaced."""

    def __init__(self, name: str, *, value: str = '', path: str = '') -> None:
        self._name = name
        self._value = value
        self._path = path
        try:
            self.read()
        except ValueError as error:
            raise ConfigurationError(name, str(error)) from None

    def read(self) -> str:
        """Return it without surrounding white space; raise ValueError without a bit of it."""
        value = (_read_file(self._path) if self._path else self._value).strip()
        where = f'{clean(self._path)} ' if self._path else ''
        if not value:
            raise ValueError(f'{where}is empty')
        if len(value) > MAX_SECRET:
            raise ValueError(f'{where}is larger than {MAX_SECRET} bytes')
        if not value.isprintable():
            raise ValueError(f'{where}holds characters that are not printable, or several lines')
        return value

    def read_again(self) -> str:
        """Return it as `read` does, with LinkFault: what worked once is worth another try."""
        try:
            return self.read()
        except ValueError as error:
            reason = str(error)
        raise LinkFault('secret_file', f'{self._name}: {reason}')


class Credentials:
    """What this client shows to the token server."""

    def __init__(self, client_id: Secret, client_secret: Secret) -> None:
        self._client_id = client_id
        self._client_secret = client_secret

    def form(self) -> str:
        """Return the body of the request; raise LinkFault."""
        return urlencode({
            'grant_type': 'client_credentials', 'client_id': self._client_id.read_again(),
            'client_secret': self._client_secret.read_again()})

    def holds(self, text: str) -> bool:
        """Return whether the text gives away the secret."""
        return self._client_secret.read_again() in text


class StaticToken(TokenSource):
    """A token in a file."""

    def __init__(self, path: str) -> None:
        self._file = Secret('token_file', path=path)
        problem = _problem_of(self._file.read())
        if problem:
            raise ConfigurationError('token_file', f'{clean(path)}: the token {problem}')

    async def token(self) -> str:
        """Return what the file holds now."""
        token = self._file.read_again()
        problem = _problem_of(token)
        if problem:
            raise LinkFault('secret_file', f'token_file: the token {problem}')
        return token


class ClientCredentials(TokenSource):
    """Tokens of an OAuth 2.0 server, each used until shortly before its end."""

    def __init__(
            self, server: str, credentials: Credentials, tls: ssl.SSLContext | None,
            clock: Callable[[], float], timeout: float = REQUEST_TIMEOUT) -> None:
        """`tls` is needed for https:// URLs; `clock` is monotonic."""
        self._server = server
        self._credentials = credentials
        self._tls = tls
        self._clock = clock
        self._timeout = timeout
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
        status, body = await self._post(self._credentials.form())
        try:
            answer = wire.loads(body)
        except DecodeError:
            answer = None
        if not 200 <= status < 300:
            raise self._fault(self._refusal(status, answer))
        if answer is None:
            raise self._fault(f'it answers HTTP {status}, but not with a JSON object')
        token = answer.get('access_token')
        if token is None:
            raise self._fault(
                f'it answers HTTP {status}{self._error_code(answer)} without an access_token')
        problem = _problem_of(token)
        if problem:
            raise self._fault(f'the access_token {problem}')
        life = _lifetime(answer.get('expires_in'))
        if life > 0:
            self._token = str(token)
            self._renew_at = asked_at + life - min(MARGIN, 0.1 * life)
        return str(token)

    async def _post(self, form: str) -> tuple[int, bytes]:
        # Here, because only who uses OAuth has to wait for the import.
        from tornado.httpclient import HTTPRequest
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        for name in ('tornado.general', 'tornado.application'):
            logging.getLogger(name).addFilter(_unless_asking)  # once, however often it is said
        _ASKING.set(True)  # in this task, and in whatever tornado starts from it
        # An instance of its own: the shared one may be any other implementation.
        client = SimpleAsyncHTTPClient(
            force_instance=True, max_body_size=MAX_ANSWER, max_header_size=MAX_ANSWER,
            # Limits an answer without a length; tornado reads half of it at a time.
            max_buffer_size=2 * MAX_ANSWER)
        client.tcp_client = _Connector(client.tcp_client)  # type: ignore[assignment]
        # The headers are these: tornado adds Host, Connection and Content-Length.
        fetch = asyncio.ensure_future(client.fetch(HTTPRequest(
            self._server, method='POST', body=form, headers={
                'Accept': 'application/json',
                'Content-Type': 'application/x-www-form-urlencoded'},
            user_agent='camera_ws_bridge', follow_redirects=False, decompress_response=False,
            connect_timeout=self._timeout, request_timeout=self._timeout,
            ssl_options=self._tls), raise_error=False))
        # Not cancelled, for tornado complains about what comes too late; closing ends it.
        fetch.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait([fetch], timeout=self._timeout)
        finally:
            client.close()
        if not fetch.done():
            raise self._fault(f'it does not answer within {self._timeout:g} s')
        error = fetch.exception()
        if error is not None:
            raise self._fault(self._describe(error))
        response = fetch.result()
        if len(response.body) > MAX_ANSWER:
            raise self._fault(f'its answer is larger than {MAX_ANSWER} bytes')
        return response.code, response.body

    def _describe(self, error: BaseException) -> str:
        from tornado.simple_httpclient import HTTPTimeoutError

        if isinstance(error, ssl.SSLCertVerificationError):
            return (f'its certificate is not accepted: {error.verify_message}; set tls_ca_file to '
                    'the CA that signed it, and check the clock')
        if isinstance(error, ssl.SSLError):
            return 'TLS failed'
        if isinstance(error, socket.gaierror):
            return 'its host name does not resolve'
        if isinstance(error, ConnectionRefusedError):
            return 'nothing listens there'
        if isinstance(error, (HTTPTimeoutError, TimeoutError)):
            return f'it does not answer within {self._timeout:g} s'
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            return f'there is no way to it ({error.strerror or type(error).__name__})'
        return (f'the connection broke, or what it answers is no HTTP or larger than {MAX_ANSWER} '
                f'bytes ({type(error).__name__})')

    def _refusal(self, status: int, answer: dict[str, Any] | None) -> str:
        if 300 <= status < 400:
            return (f'it redirects (HTTP {status}), which is not followed; set AUTH_SERVER_URL to '
                    'the token URL itself')
        hint = '; check CLIENT_ID and CLIENT_SECRET' if status in (400, 401, 403) else ''
        return f'it answers HTTP {status}{self._error_code(answer or {})}{hint}'

    def _error_code(self, answer: dict[str, Any]) -> str:
        code = answer.get('error')
        if isinstance(code, str) and _ERROR_CODE.fullmatch(code) and (
                not self._credentials.holds(code)):
            return f' {code}'
        return ''

    def _fault(self, reason: str) -> LinkFault:
        return LinkFault(
            'token_server', f'no token: {reason} ({clean(urls.for_log(self._server))})')


def _unless_asking(record: logging.LogRecord) -> bool:
    """Hold back what tornado logs of a token server's answer; others may use tornado as well."""
    return not _ASKING.get()


class _Connector:
    """
    Tornado's TCP client, with connections that end when it is closed.

    Tornado loses sight of a connection that stalls during the TLS handshake, for ever.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._closed = False
        self._sockets: list[socket.socket] = []

    async def connect(
            self, host: str, port: int, *, ssl_options: ssl.SSLContext | None = None,
            **options: Any) -> Any:
        """Do what TCPClient.connect does."""
        stream = await self._client.connect(host, port, **options)
        # A second descriptor of the connection, for start_tls takes the first one away.
        self._sockets.append(stream.socket.dup())
        if self._closed:
            self._end()
        if ssl_options is None:
            return stream
        return await stream.start_tls(False, ssl_options=ssl_options, server_hostname=host)

    def close(self) -> None:
        """End all connections, those in the making as well."""
        self._closed = True
        self._client.close()
        self._end()

    def _end(self) -> None:
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the peer was faster
                pass
            connection.close()
        self._sockets.clear()


class _Request:
    """A request under way, and how many wait for it."""

    def __init__(self, task: asyncio.Future[str]) -> None:
        self.task = task
        self.waiting = 0


def _secret(environment: Mapping[str, str], name: str) -> Secret:
    value, path = environment.get(name, ''), environment.get(f'{name}_FILE', '')
    if value and path:
        raise ConfigurationError(name, f'is set in the environment, and so is {name}_FILE')
    if path:
        return Secret(f'{name}_FILE', path=path)
    if not value:
        raise ConfigurationError(
            name, f'is needed with AUTH_SERVER_URL: set the environment variable {name}, or '
            f'{name}_FILE to a file that holds it')
    return Secret(name, value=value)


def _read_file(path: str) -> str:
    """
    Return the text of a file that only we can read; raise ValueError.

    A symbolic link is followed: that is how Kubernetes mounts secrets and how a file is replaced
    in one step. It gives nothing away, for what is checked is the file that was opened.
    """
    shown = clean(path)
    try:
        # Not blocking: a FIFO would wait for somebody to write.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, 'strerror', None) or 'not a file name'
        raise ValueError(f'{shown} cannot be read: {reason}') from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f'{shown} is not a regular file')
        if status.st_uid not in (0, os.geteuid()):
            raise ValueError(f'{shown} belongs to user {status.st_uid}; chown it to the user that '
                             'runs this node')
        if status.st_mode & 0o077:
            raise ValueError(f'{shown} can be used by others (mode '
                             f'{stat.S_IMODE(status.st_mode):04o}); run: chmod 600 {shown}')
        data = os.read(file, MAX_SECRET + 64)
    except OSError as error:
        raise ValueError(f'{shown} cannot be read: {error.strerror}') from None
    finally:
        os.close(file)
    # Outside of any handler: a UnicodeDecodeError would carry the secret along.
    text = data.decode(errors='replace')
    if '\ufffd' in text:
        raise ValueError(f'{shown} is not UTF-8 text')
    return text


def _problem_of(token: object) -> str:
    """Return why this cannot be a token; empty: it can."""
    if not isinstance(token, str):
        return 'is not a string'
    if not token:
        return 'is empty'
    if len(token) > MAX_SECRET:
        return f'is larger than {MAX_SECRET} bytes'
    if not (token.isascii() and token.isprintable()):
        return 'holds characters that no token has'
    return ''


def _lifetime(expires_in: object) -> float:
    """Return seconds; 0: unknown, so that the token is good for one connection."""
    if isinstance(expires_in, str) and re.fullmatch('[0-9]{1,9}', expires_in):
        return float(expires_in)  # not allowed, but common
    if isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool):
        return max(0.0, float(expires_in))
    return 0.0


def _check_server(server: str) -> None:
    """Raise ValueError with what to correct in a token URL; it never holds the URL."""
    if not server.isascii() or any(character <= ' ' or character == '\x7f'
                                   for character in server):
        raise ValueError('has spaces or other characters that no URL holds')
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        raise ValueError('is no URL') from None
    if parts.scheme not in ('http', 'https') or not parts.hostname or port == 0:
        raise ValueError('is no URL like https://auth.example.com/oauth/token')
    if parts.username is not None or parts.password is not None:
        raise ValueError('has a user name or password in it; use CLIENT_ID and CLIENT_SECRET')
    if parts.fragment:
        raise ValueError("has a fragment ('#...')")
    if parts.scheme == 'http' and not _is_loopback(parts.hostname):
        raise ValueError('begins with http: but must begin with https:, or the client secret '
                         'would be sent unencrypted')


def _tls_context(server: str, ca_file: str) -> ssl.SSLContext | None:
    if not server.lower().startswith('https:'):
        return None
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            'tls_ca_file', f'{clean(ca_file)}: {error}; give a PEM file') from None


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
