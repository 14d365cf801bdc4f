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
The request for a token: OAuth 2.0 client credentials.

Nothing here logs, tornado included, and no exception or repr holds a secret, or what the server
said beyond its status and OAuth error code.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
import logging
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlencode

from camera_ws_bridge.auth.secret import problem_of_token, Secret
from camera_ws_bridge.errors import DecodeError, LinkFault
from camera_ws_bridge.log.throttled_log import clean
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.transport import url as urls

REQUEST_TIMEOUT = 10.0  # seconds in all, from the look-up of the name to the last byte
MAX_ANSWER = 64 * 2**10  # bytes of the token server's answer

_ERROR_CODE = re.compile('[a-z_]{1,40}')  # those of OAuth; anything else is not shown

_ASKING = ContextVar('_ASKING', default=False)  # whether a token is being asked for


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


class TokenServer:
    """A token server, asked with one client's credentials."""

    def __init__(
            self, url: str, credentials: Credentials, tls: ssl.SSLContext | None,
            timeout: float = REQUEST_TIMEOUT) -> None:
        """`tls` is needed for https:// URLs; `timeout` is in seconds."""
        self._url = url
        self._credentials = credentials
        self._tls = tls
        self._timeout = timeout

    async def ask(self) -> tuple[str, float]:
        """
        Return a new token and its life in seconds from the request on; raise LinkFault.

        A life of 0: unknown, so that the token is good for one connection.
        """
        status, body = await self._post(self._credentials.form())
        try:
            answer = codec.loads(body)
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
        problem = problem_of_token(token)
        if problem:
            raise self._fault(f'the access_token {problem}')
        return str(token), _lifetime(answer.get('expires_in'))

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
            self._url, method='POST', body=form, headers={
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
            'token_server', f'no token: {reason} ({clean(urls.for_log(self._url))})')


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


def _lifetime(expires_in: object) -> float:
    """Return seconds; 0: unknown, so that the token is good for one connection."""
    if isinstance(expires_in, str) and re.fullmatch('[0-9]{1,9}', expires_in):
        return float(expires_in)  # not allowed, but common
    if isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool):
        return max(0.0, float(expires_in))
    return 0.0
