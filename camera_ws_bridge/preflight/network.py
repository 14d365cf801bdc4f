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
import ssl
import time
from typing import Any

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import advice, certificates
from camera_ws_bridge.preflight.report import failed, Finding, ok, skipped, warning
from camera_ws_bridge.transport import causes, names, websocket
from camera_ws_bridge.transport.dial import dial, HEAD_START
from camera_ws_bridge.transport.names import Address

SLOW_RESOLVER = 1.0  # seconds
NOT_READ = 'what certificates say cannot be read: the library cryptography is not installed'
NO_TLS = ('WRONG_VERSION_NUMBER', 'HTTP_REQUEST', 'UNKNOWN_PROTOCOL', 'RECORD_LAYER_FAILURE')


async def resolve(host: str, port: int, timeout: float) -> tuple[Finding, list[Address]]:
    """Look the name up as the bridge does; return the addresses, too."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        found = await names.look_up(host, port, timeout)
    except OSError as error:
        fault = causes.classify(error)
        return failed(f'{host}: {fault.reason}', advice.of_fault(fault), cause=fault.cause), []
    addresses = list(dict.fromkeys(str(address.place[0]) for address in found))
    detail = f'{host} is {", ".join(addresses)}'
    if loop.time() - began > SLOW_RESOLVER:
        return warning(detail + ', but the answer took long', 'check the name servers of this '
                       'machine: every reconnect waits for them', addresses=addresses), found
    return ok(detail, addresses=addresses), found


async def connect(addresses: list[Address], port: int, timeout: float) -> Finding:
    """Connect to the first address that answers, as the bridge does."""
    outcome = await dial(addresses, timeout)
    faults = {name: causes.classify(error) for name, error in outcome.failures.items()}
    if outcome.connection is None or outcome.address is None:
        detail = '; '.join(
            f'{name} port {port}: {fault.reason}' for name, fault in faults.items())
        try:
            outcome.result()
        except OSError as error:
            fault = causes.classify(error)
        return failed(detail or fault.reason, advice.of_fault(fault), cause=fault.cause)
    outcome.connection.close()
    address = str(outcome.address.place[0])
    detail = f'{address} port {port} listens'
    silent = [name for name, fault in faults.items() if fault.cause != 'refused']
    if silent:
        return warning(
            f'{detail}, but {", ".join(silent)} does not answer', 'every connection tries that '
            f"first, for {HEAD_START:g} s: correct the name's addresses, or the way to that one",
            address=address)
    return ok(detail, address=address)


async def handshake(
        addresses: list[Address], host: str, context: ssl.SSLContext | None,
        options: websocket.Options, timeout: float) -> Finding:
    """Do a TLS handshake, and say what was agreed on, or why not and what to do about it."""
    if context is None:
        return skipped('not needed: ws:// is not encrypted')
    try:
        writer = await _open(addresses, host, context, timeout)
    except ssl.SSLCertVerificationError as error:
        return _refused(host, error, await _shown(addresses, host, timeout))
    except (OSError, EOFError, asyncio.TimeoutError) as error:
        fault = causes.classify(error)
        if getattr(error, 'reason', None) in NO_TLS:
            return failed('the server does not speak TLS on this port', 'begin orchestrator_url '
                          'with ws:, or correct its port', cause='tls')
        return failed(f'no TLS handshake: {fault.reason}', 'does the server speak TLS on this '
                      'port? If not, begin orchestrator_url with ws:', cause=fault.cause)
    session = writer.get_extra_info('ssl_object')
    version, cipher = session.version(), session.cipher()
    try:
        server = certificates.read(session.getpeercert(binary_form=True))
    except ValueError:  # an alert of the server has come right behind the handshake
        return failed('it ended the TLS connection right behind the handshake',
                      advice.of_fault(LinkFault('tls', '')), cause='tls')
    finally:
        writer.transport.abort()
    own = certificates.of_file(options.tls_cert_file) if options.tls_cert_file else None
    return _agreed(version or 'unknown', cipher[0] if cipher else 'unknown', server, own)


async def _open(
        addresses: list[Address], host: str, context: ssl.SSLContext,
        timeout: float) -> asyncio.StreamWriter:
    connection = (await dial(addresses, timeout)).result()
    _, writer = await asyncio.wait_for(asyncio.open_connection(
        sock=connection, ssl=context, server_hostname=host.partition('%')[0]), timeout)
    return writer


async def _shown(
        addresses: list[Address], host: str, timeout: float) -> certificates.Certificate | None:
    """Return the certificate of a server that was not accepted; nothing else is said to it."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    try:
        writer = await _open(addresses, host, blind, timeout)
    except (OSError, EOFError, asyncio.TimeoutError):
        return None
    writer.transport.abort()
    try:
        return certificates.read(writer.get_extra_info('ssl_object').getpeercert(True))
    except ValueError:  # as above
        return None


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
    if not certificates.library():
        return warning(f'{detail}; {NOT_READ}', 'install python3-cryptography', **data)
    if ending:
        return warning(detail, f'have the {" and the ".join(ending)} renewed', **data)
    return ok(detail, **data)


def _refused(
        host: str, error: ssl.SSLCertVerificationError,
        shown: certificates.Certificate | None) -> Finding:
    now = time.time()
    data: dict[str, Any] = {'cause': 'tls', 'verify_code': error.verify_code}
    detail = f'its certificate is not accepted: {error.verify_message}'
    if shown is not None:
        data['certificate'] = shown.as_data(now)
        detail += (f'; it is for {shown.names or "no name"}, signed by {shown.issuer}, '
                   f'{shown.days_left(now)} days left')
    elif not certificates.library():
        detail += f'; {NOT_READ}'
    return failed(detail, advice.of_certificate(
        error.verify_code, issuer=shown.issuer if shown else '',
        names=shown.names if shown else '', host=host,
        now=time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(now))), **data)
