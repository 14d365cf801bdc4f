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

"""What goes wrong before the WebSocket is open: HTTP answers, names, certificates, tokens."""

import contextlib
import ssl

from harness import faulty, QUICK
from hostile import HostileServer
import pytest
from rigs.shared import server_tls
from rigs.tls_certificates import PAST


# ---- HTTP

@pytest.fixture(scope='module', name='bridge')
def shared_bridge(tmp_path_factory):
    folder = tmp_path_factory.mktemp('http')
    resolver = folder / 'resolver'
    resolver.write_text('truth')
    with faulty(folder, resolver=resolver, **QUICK) as bridge:
        bridge.resolver = resolver
        yield bridge


@pytest.mark.parametrize(('status', 'cause'), [
    (401, 'rejected_token'), (403, 'rejected_token'), (404, 'http_404'), (400, 'http_400'),
    (429, 'http_429'), (500, 'http_500'), (503, 'http_503')])
def test_http_status_once_it_was_registered(bridge, status, cause):
    with bridge.fault(f'HTTP {status} after having been registered') as fault:
        bridge.orchestrator.do('refuse', status=status)
        bridge.proxy.reset()
        bridge.wait_for_cause(fault, cause)
        refused = bridge.orchestrator.sim.refused
        bridge.wait(lambda: bridge.orchestrator.sim.refused > refused + 2, 'it tries again')
        bridge.orchestrator.do('accept')
        fault.healed()


def test_retry_after_is_kept(bridge):
    with bridge.fault('503 with Retry-After: 2') as fault:
        bridge.orchestrator.do('refuse', status=503, retry_after=2)
        refused = bridge.orchestrator.sim.refused
        bridge.proxy.reset()
        bridge.wait_for_cause(fault, 'http_503')
        bridge.orchestrator.do('accept')
        fault.healed()
        assert bridge.orchestrator.sim.refused == refused + 1
        fault.measured = 'no attempt before its time'
        assert fault.back_after > 1.0  # of the two seconds, some may be gone


def test_redirect_to_another_origin(bridge):
    async def nobody(peer):
        raise AssertionError('it was followed')
    other = HostileServer(bridge.rig.loop_thread, nobody, [])
    try:
        with bridge.fault('redirect to another origin') as fault:
            bridge.orchestrator.do('redirect', location=f'ws://127.0.0.1:{other.port}/processor')
            bridge.proxy.reset()
            bridge.wait_for_cause(fault, 'redirect')
            bridge.orchestrator.do('accept')
            fault.healed()
            fault.measured = f'connections to the other origin {other.visits}'
        assert other.visits == 0
    finally:
        other.close()


# ---- names

@pytest.mark.parametrize(('word', 'cause'), [('fail', 'dns'), ('stall', 'dns')])
def test_name_does_not_resolve(bridge, word, cause):
    with bridge.fault(f'resolver: {word}') as fault:
        bridge.resolver.write_text(word)
        bridge.proxy.reset()
        bridge.wait_for_cause(fault, cause)
        bridge.resolver.write_text('truth')
        fault.healed()


# ---- certificates

@pytest.fixture(scope='module')
def tls_bridge(authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp('tls')
    (folder / 'ca.pem').write_bytes(authority.cert_pem.bytes())
    with faulty(folder, orchestrator={'tls': server_tls(authority.issue_cert('localhost'))},
                tls_ca_file=str(folder / 'ca.pem'), **QUICK) as bridge:
        yield bridge


def expired(ca, context):
    ca.issue_cert('localhost', not_after=PAST).configure_cert(context)


def self_signed(ca, context):
    """Show an authority's own certificate, which it has signed itself."""
    other = type(ca)()
    with other.private_key_pem.tempfile() as key, other.cert_pem.tempfile() as cert:
        context.load_cert_chain(cert, key)


CERTIFICATES = {
    'self-signed certificate': self_signed,
    'certificate of an unknown authority': lambda ca, context: (
        type(ca)().issue_cert('localhost').configure_cert(context)),
    'certificate of another host': lambda ca, context: (
        ca.issue_cert('other.example').configure_cert(context)),
    'expired certificate': expired,
}


@pytest.mark.parametrize('name', CERTIFICATES)
def test_bad_certificate(tls_bridge, authority, name):
    told = []

    async def behave(peer):
        told.append(await peer.read_to_end())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATES[name](authority, context)
    with tls_bridge.fault(name) as fault:
        accepted = tls_bridge.proxy.accepted
        with tls_bridge.hostile(behave, tls=context) as server:
            tls_bridge.wait_for_cause(fault, 'tls')
            attempts = tls_bridge.proxy.accepted - accepted
        fault.measured = (f'attempts {attempts}, handshakes completed {server.visits}, '
                          f'application bytes {len(b"".join(told))}')
        fault.healed()
    assert b''.join(told) == b'', 'application bytes for a server that is not trusted'


def test_tls_connection_reset(tls_bridge):
    with tls_bridge.fault('RST, TLS') as fault:
        tls_bridge.proxy.reset()
        tls_bridge.wait_for_cause(fault, 'lost')
        fault.healed()


def test_tls_peer_stops_reading(tls_bridge):
    with tls_bridge.fault('peer stops reading, saturated, TLS', rate=100.0,
                          boxes_a_frame=50) as fault:
        tls_bridge.proxy.stall()
        tls_bridge.wait_for_cause(fault, 'silent')
        tls_bridge.proxy.pass_through()
        fault.healed()


# ---- tokens

@contextlib.contextmanager
def bridge_with_token(folder):
    token = folder / 'token'
    token.touch(0o600)
    token.write_text('first')
    with faulty(folder, orchestrator={'token': 'first'}, token_file=str(token),
                **QUICK) as bridge:
        yield bridge, token


def test_token_expires_after_the_registration(tmp_path):
    with bridge_with_token(tmp_path) as (bridge, token):
        with bridge.fault('token expired after the registration') as fault:
            bridge.orchestrator.do('demand_token', token='second')
            bridge.proxy.reset()
            bridge.wait_for_cause(fault, 'rejected_token')
            token.write_text('second')
            fault.healed()
