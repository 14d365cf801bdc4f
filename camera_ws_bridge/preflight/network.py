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

"""Is there a way to the orchestrator: its name, its port, its certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import advice, certificates
from camera_ws_bridge.preflight.report import failed, Finding, ok, skipped, warning
from camera_ws_bridge.transport import websocket

SLOW_RESOLVER = 1.0  # seconds
NO_TLS = ('WRONG_VERSION_NUMBER', 'HTTP_REQUEST', 'UNKNOWN_PROTOCOL', 'RECORD_LAYER_FAILURE')


async def resolve(host: str, port: int, timeout: float) -> tuple[Finding, list[Any]]:
    """Look the name up; return the addresses as getaddrinfo gives them, too."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        found = await asyncio.wait_for(
            loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), timeout)
    except asyncio.TimeoutError:
        fault = LinkFault('dns', f'no name server answers within {timeout:g} s')
        return failed(fault.reason, advice.of_fault(fault), cause=fault.cause), []
    except OSError as error:
        fault = websocket.classify(error)
        return failed(f'{host}: {fault.reason}', advice.of_fault(fault), cause=fault.cause), []
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    detail = f'{host} is {", ".join(addresses)}'
    if loop.time() - began > SLOW_RESOLVER:
        return warning(detail + ', but the answer took long', 'check the name servers of this '
                       'machine: every reconnect waits for them', addresses=addresses), found
    return ok(detail, addresses=addresses), found


async def connect(addresses: list[Any], port: int, timeout: float) -> Finding:
    """Connect to the first address that listens, in order, as the bridge does."""
    loop = asyncio.get_running_loop()
    failures: list[tuple[str, LinkFault]] = []
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as connection:
            connection.setblocking(False)
            try:
                await asyncio.wait_for(
                    loop.sock_connect(connection, address), timeout / len(addresses))
                return _connected(str(address[0]), port, failures)
            except (OSError, asyncio.TimeoutError) as error:
                failures.append((str(address[0]), websocket.classify(error)))
    detail = '; '.join(f'{name} port {port}: {fault.reason}' for name, fault in failures)
    last = failures[-1][1]
    return failed(detail, advice.of_fault(last), cause=last.cause)


def _connected(address: str, port: int, failures: list[tuple[str, LinkFault]]) -> Finding:
    detail = f'{address} port {port} listens'
    silent = [name for name, fault in failures if fault.cause != 'refused']
    if silent:
        return warning(
            f'{detail}, but {", ".join(silent)} does not answer', 'every connection tries that '
            "first: correct the name's addresses, or use an address in orchestrator_url",
            address=address)
    return ok(detail, address=address)


async def handshake(
        host: str, port: int, context: ssl.SSLContext | None, options: websocket.Options,
        timeout: float) -> Finding:
    """Do a TLS handshake, and say what was agreed on, or why not and what to do about it."""
    if context is None:
        return skipped('not needed: ws:// is not encrypted')
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=context), timeout)
    except ssl.SSLCertVerificationError as error:
        return await _refused(host, port, error, timeout)
    except (OSError, EOFError, asyncio.TimeoutError) as error:
        fault = websocket.classify(error)
        if getattr(error, 'reason', None) in NO_TLS:
            return failed('the server does not speak TLS on this port', 'begin orchestrator_url '
                          'with ws:, or correct its port', cause='tls')
        return failed(f'no TLS handshake: {fault.reason}', 'does the server speak TLS on this '
                      'port? If not, begin orchestrator_url with ws:', cause=fault.cause)
    session = writer.get_extra_info('ssl_object')
    version, cipher = session.version(), session.cipher()
    try:
        server = certificates.from_peer(session.getpeercert())
    except ValueError:  # an alert of the server has come right behind the handshake
        return failed('it ended the TLS connection right behind the handshake',
                      advice.of_fault(LinkFault('tls', '')), cause='tls')
    finally:
        writer.transport.abort()
    own = None
    if options.tls_cert_file:
        own = certificates.of_files(options.tls_cert_file, options.tls_key_file)
    return _agreed(version or 'unknown', cipher[0] if cipher else 'unknown', server, own)


def _agreed(
        version: str, cipher: str, server: certificates.Certificate | None,
        own: certificates.Certificate | None) -> Finding:
    now = time.time()
    detail = f'{version}, {cipher}'
    data: dict[str, Any] = {'version': version, 'cipher': cipher}
    ending = []
    for words, certificate in (('certificate', server), ('client certificate', own)):
        if certificate is None:
            continue
        data[words.replace(' ', '_')] = certificate.as_data(now)
        days = certificate.days_left(now)
        detail += f'; {words} of {certificate.subject}, {days} days left'
        if days < certificates.SOON:
            ending.append(words)
    if ending:
        return warning(detail, f'have the {" and the ".join(ending)} renewed', **data)
    return ok(detail, **data)


async def _refused(
        host: str, port: int, error: ssl.SSLCertVerificationError, timeout: float) -> Finding:
    try:
        shown = await asyncio.wait_for(certificates.of_server(host, port), timeout)
    except asyncio.TimeoutError:
        shown = None
    now = time.time()
    data: dict[str, Any] = {'cause': 'tls', 'verify_code': error.verify_code}
    detail = f'its certificate is not accepted: {error.verify_message}'
    if shown is not None:
        data['certificate'] = shown.as_data(now)
        detail += (f'; it is for {shown.names or "no name"}, signed by {shown.issuer}, '
                   f'{shown.days_left(now)} days left')
    return failed(detail, advice.of_certificate(
        error.verify_code, issuer=shown.issuer if shown else '',
        names=shown.names if shown else '', host=host,
        now=time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(now))), **data)
