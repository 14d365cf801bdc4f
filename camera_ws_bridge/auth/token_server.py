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

Nothing here logs, and no exception or repr holds a secret, or what the server said beyond its
status and OAuth error code.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlencode, urlsplit

from camera_ws_bridge.auth.secret import problem_of_token, Secret
from camera_ws_bridge.errors import DecodeError, exhausted, LinkFault
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.transport import names, url as urls
from camera_ws_bridge.transport.dial import dial

REQUEST_TIMEOUT = 10.0  # seconds in all, from the look-up of the name to the last byte
MAX_ANSWER = 64 * 2**10  # bytes of the token server's answer; http.client limits its headers

_ERROR_CODE = re.compile('[a-z_]{1,40}')  # those of OAuth; anything else is not shown


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
            answer = strict_json.loads(body)
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
        exchange = asyncio.ensure_future(self._exchange(form))
        exchange.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait([exchange], timeout=self._timeout)
        finally:
            exchange.cancel()
        if not exchange.done():
            raise self._fault(f'it does not answer within {self._timeout:g} s')
        error = exchange.exception()
        if error is not None:
            raise self._fault(self._describe(error))
        status, body = exchange.result()
        if len(body) > MAX_ANSWER:
            raise self._fault(f'its answer is larger than {MAX_ANSWER} bytes')
        return status, body

    async def _exchange(self, form: str) -> tuple[int, bytes]:
        """Connect here, and let a thread do the rest, which ends with the connection."""
        host, port = urls.address(self._url)
        addresses = await names.look_up(host, port, self._timeout)
        with (await dial(addresses, self._timeout)).result() as connection:
            # The thread has a descriptor of its own, which nobody closes while it waits for it.
            answer = asyncio.get_running_loop().run_in_executor(
                None, self._talk, connection.dup(), form)
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            try:
                return await answer
            finally:
                with contextlib.suppress(OSError):  # the peer was faster
                    connection.shutdown(socket.SHUT_RDWR)

    def _talk(self, connection: socket.socket, form: str) -> tuple[int, bytes]:
        """Send the request and return the answer, in a thread; it ends with the connection."""
        # Here, because only who uses OAuth has to wait for the import.
        from http.client import HTTPConnection

        host, port = urls.address(self._url)
        parts = urlsplit(urls.without_zone(self._url))
        with contextlib.closing(HTTPConnection(host, port)) as client:
            client.sock = connection
            connection.settimeout(self._timeout)
            if self._tls is not None:
                client.sock = self._tls.wrap_socket(connection, server_hostname=parts.hostname)
            client.request(
                'POST', f'{parts.path or "/"}{"?" * bool(parts.query)}{parts.query}', form, {
                    'Accept': 'application/json', 'Connection': 'close', 'Host': parts.netloc,
                    'Content-Type': 'application/x-www-form-urlencoded',
                    'User-Agent': 'camera_ws_bridge'})
            with client.getresponse() as response:
                return response.status, response.read(MAX_ANSWER + 1)

    def _describe(self, error: BaseException) -> str:
        out_of = exhausted(error)
        if out_of is not None:
            return out_of.reason
        if isinstance(error, ssl.SSLCertVerificationError):
            return (f'its certificate is not accepted: {error.verify_message}; set tls_ca_file to '
                    'the CA that signed it, and check the clock')
        if isinstance(error, ssl.SSLError):
            return 'TLS failed'
        if isinstance(error, socket.gaierror):
            return f'its host name does not resolve ({error.strerror})'
        if isinstance(error, ConnectionRefusedError):
            return 'nothing listens there'
        if isinstance(error, TimeoutError):
            return f'it does not answer within {self._timeout:g} s'
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            return f'there is no way to it ({error.strerror or type(error).__name__})'
        return ('the connection broke, or what it answers is no HTTP or too large '
                f'({type(error).__name__})')

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


def _lifetime(expires_in: object) -> float:
    """Return seconds; 0: unknown, so that the token is good for one connection."""
    if isinstance(expires_in, str) and re.fullmatch('[0-9]{1,9}', expires_in):
        return float(expires_in)  # not allowed, but common
    if isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool):
        return max(0.0, float(expires_in))
    return 0.0
