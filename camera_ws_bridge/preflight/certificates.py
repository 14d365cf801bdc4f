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

"""Reads certificates with nothing but the ssl module, also those that cannot be trusted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import ssl
from typing import Any

DAY = 86400.0
SOON = 30  # days; a certificate that ends sooner is worth a warning

_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME


@dataclass(frozen=True)
class Certificate:
    """What people look for in a certificate; `expires_at` is Unix time in seconds."""

    subject: str
    issuer: str
    names: str
    expires_at: float

    def days_left(self, now: float) -> int:
        """Return whole days, negative after its end."""
        return int((self.expires_at - now) // DAY)

    def as_data(self, now: float) -> dict[str, Any]:
        """Return it for a report."""
        return {'subject': self.subject, 'issuer': self.issuer, 'names': self.names,
                'days_left': self.days_left(now)}


def from_peer(decoded: Any) -> Certificate | None:
    """Return what SSLSocket.getpeercert() gives; None: nothing."""
    if not decoded:
        return None
    return Certificate(
        _name(decoded.get('subject', ())), _name(decoded.get('issuer', ())),
        ', '.join(value for _, value in decoded.get('subjectAltName', ())),
        ssl.cert_time_to_seconds(decoded['notAfter']))


async def of_server(host: str, port: int) -> Certificate | None:
    """
    Return the certificate of a server that was not accepted; None if it cannot be read.

    Nothing is sent but handshakes. The ssl module decodes only what it has verified, so a second
    handshake trusts the very certificate that the first one has shown.
    """
    try:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        shown = (await _handshake(host, port, blind)).getpeercert(binary_form=True)
        pinned = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust_only(pinned, ssl.DER_cert_to_PEM_cert(shown or b''))
        return from_peer((await _handshake(host, port, pinned)).getpeercert())
    except (OSError, ValueError, EOFError):
        return None


def of_files(certificate_file: str, key_file: str) -> Certificate | None:
    """Return our own certificate, which the files hold; None if it cannot be read."""
    try:
        with open(certificate_file, encoding='ascii', errors='replace') as file:
            text = file.read()
        begin = text.index('-----BEGIN CERTIFICATE-----')
        own = text[begin:text.index('-----END CERTIFICATE-----') + 25] + '\n'
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context in (client, server):
            context.load_cert_chain(certificate_file, key_file or None, password=lambda: '')
        _trust_only(server, own)
        return from_peer(_handshake_in_memory(client, server).getpeercert())
    except (OSError, ValueError):
        return None


def _trust_only(context: ssl.SSLContext, pem: str) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    context.load_verify_locations(cadata=pem)


async def _handshake(host: str, port: int, context: ssl.SSLContext) -> Any:
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    writer.transport.abort()
    return writer.get_extra_info('ssl_object')


def _handshake_in_memory(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """Return the server's end of a connection between the two."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server),
            server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(4):  # round trips; TLS 1.2 needs two
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return ends[1]


def _name(parts: Any) -> str:
    return ', '.join(f'{key}={value}' for part in parts for key, value in part)
