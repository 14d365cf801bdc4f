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
What went wrong on a connection, sorted: the one place that knows.

The causes that it names are what people see; preflight.advice says what to do about each.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import Any

from camera_ws_bridge.errors import as_fault, exhausted, LinkFault
from camera_ws_bridge.transport import url as urls
import websockets.exceptions as ws_exceptions

# Seconds of a Retry-After that are obeyed. Who sends it, most often a proxy, guesses: the server
# may be well again at once, and a camera that stays away is blind. At this pace a thousand bridges
# cost a server that is not well a hundred refusals a second, each cheaper than what it serves.
RETRY_AFTER_MAX = 10.0


def classify(error: BaseException) -> LinkFault:
    """
    Sort what went wrong on a connection, in the one place that knows.

    Fatal is only what no waiting can heal: a URL that the server says does not exist. All the
    rest is tried again, TLS failures (clocks are wrong after boot) and refused tokens included.
    """
    out_of = exhausted(error) or exhausted(error.__cause__)
    if out_of is not None:
        return out_of
    if isinstance(error, ws_exceptions.InvalidURI):
        return LinkFault('url', str(error), fatal=True, reached=False)
    if isinstance(error, ws_exceptions.ConnectionClosed):
        return _closed(error)
    if isinstance(error, ws_exceptions.InvalidHandshake):
        return _refused_handshake(error)
    if isinstance(error, socket.gaierror):
        return LinkFault('dns', f'the host name does not resolve ({error.strerror})',
                         reached=False)
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkFault('tls', f'its certificate is not accepted: {error.verify_message}; set '
                         'tls_ca_file to the CA that signed it, and check the clock')
    if isinstance(error, ssl.SSLError):
        return LinkFault('tls', f'TLS failed: {getattr(error, "reason", None) or error}')
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return LinkFault('timeout', 'it does not answer', reached=False)
    if isinstance(error, OSError):
        return _unreachable(error)
    return as_fault(error)


def in_handshake(error: Exception, encrypted: bool) -> LinkFault:
    """Sort what went wrong between TCP's connection and the WebSocket's."""
    cut = isinstance(error, ws_exceptions.InvalidHandshake) and isinstance(
        error.__cause__, (EOFError, OSError))
    if cut and encrypted:
        # In TLS 1.3 a server that demands a client certificate says so behind the handshake.
        return LinkFault('tls', 'it ended the TLS connection: perhaps it demands a client '
                         'certificate (tls_cert_file)')
    if cut or isinstance(error, (EOFError, ConnectionError, ws_exceptions.ConnectionClosed)):
        # A forwarded port accepts for a server that is not there: no server has answered.
        return LinkFault('lost', 'the connection was cut before a server answered: perhaps only '
                         'something in front of it (a proxy, a tunnel) is there', reached=False)
    return classify(error)


def _closed(error: Any) -> LinkFault:
    received, sent = error.rcvd, error.sent
    if received is not None:
        if received.code == 1009:
            return LinkFault('too_big', 'it closed the connection: a message is too big for it')
        reason = f' ({received.reason})' if received.reason else ''
        return LinkFault('closed', f'it closed the connection with code {received.code}{reason}',
                         code=received.code)
    if sent is not None:
        return LinkFault('protocol', f'it broke the WebSocket protocol ({sent.reason})')
    return LinkFault('lost', 'the connection broke')


def _refused_handshake(error: Exception) -> LinkFault:
    response = getattr(error, 'response', None)
    status = getattr(response, 'status_code', None) or getattr(error, 'status_code', None)
    if status is None:
        return LinkFault('not_websocket', f'no WebSocket server is there ({error})')
    headers: Any = getattr(response, 'headers', None) or getattr(error, 'headers', None)
    if 300 <= status < 400:
        return redirected(status, next(iter(headers.get_all('Location')), ''))
    if status == 404:
        return LinkFault('http_404', 'it answers HTTP 404: check the path of orchestrator_url, '
                         f'e.g. {urls.EXAMPLE}', fatal=True)
    if status == 400:
        return LinkFault('http_400', 'it answers HTTP 400: perhaps it speaks TLS (wss:), or a '
                         'proxy does not pass on the Upgrade headers; else check the path of '
                         f'orchestrator_url, e.g. {urls.EXAMPLE}', fatal=True)
    if status in (401, 403):
        return LinkFault('rejected_token', f'it answers HTTP {status}: access is denied')
    return LinkFault(f'http_{status}', f'it answers HTTP {status}',
                     retry_after=_seconds(next(iter(headers.get_all('Retry-After')), '')))


def _seconds(text: str) -> float:
    # The other form of Retry-After, a date, would need clocks that agree: ours decides then.
    return min(float(text), RETRY_AFTER_MAX) if re.fullmatch('[0-9]{1,9}', text) else 0.0


def redirected(status: int, location: str) -> LinkFault:
    """Return the fault of a redirect, which is not followed."""
    try:
        target = urls.for_log(location) if location else 'nowhere'
    except ValueError:
        target = 'an address that is no URL'
    return LinkFault('redirect', f'it redirects to {target}, which is not followed; if that is '
                     f'right, set orchestrator_url to it (HTTP {status})')


def _unreachable(error: OSError) -> LinkFault:
    if isinstance(error, ConnectionRefusedError):
        return LinkFault('refused', 'nothing listens there', reached=False)
    if isinstance(error, ConnectionError):
        return LinkFault('lost', f'the connection broke ({error.strerror or error})')
    return LinkFault('unreachable', f'there is no way to it ({error.strerror or error})',
                     reached=False)
