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

"""What to do about it: one sentence for whoever stands in front of the camera."""

from __future__ import annotations

from camera_ws_bridge.errors import LinkFault

# By cause of a LinkFault.
_OF_FAULTS = {
    'dns': 'correct the host in orchestrator_url, or the name servers of this machine; a name of '
           'a docker service is known in its own network only',
    'refused': 'start the orchestrator, or correct the port of orchestrator_url',
    'timeout': 'look for a firewall, a wrong address or a server that hangs',
    'unreachable': "check this machine's address, its routes and the cable",
    'descriptors': 'raise the limit of open files: ulimit -n, LimitNOFILE in systemd',
    'memory': 'give this machine or container more memory',
    'threads': 'raise the limit of threads: ulimit -u, TasksMax in systemd, the pids limit of a '
               'container',
    'lost': 'is the orchestrator up behind what accepts for it (a proxy, a published port)? Else '
            'look for a firewall that cuts connections, and at the log of the orchestrator',
    'redirect': 'set orchestrator_url to where the orchestrator itself listens',
    'http_404': 'correct the path of orchestrator_url: cameras connect to /processor',
    'http_400': 'begin orchestrator_url with wss: if the server speaks TLS, let the proxy pass on '
                'the Upgrade headers, or correct the path: cameras connect to /processor',
    'rejected_token': 'something before the orchestrator demands a login: let the camera pass, '
                      'the bridge shows its token behind the handshake only',
    'not_websocket': 'correct the port of orchestrator_url: another program listens there',
    'tls': 'set tls_cert_file and tls_key_file if the server demands a client certificate',
    'token_server': 'check AUTH_SERVER_URL and what the token server logs',
    'secret_file': 'put the file right; it is read anew for every connection',
    'closed': "look at the orchestrator's log; if it demands a token, set AUTH_SERVER_URL or "
              'token_file',
    'too_big': 'let the orchestrator accept larger messages',
    'protocol': 'look at the orchestrator, or at a proxy that changes what is sent',
    'internal': 'please report it, with all that this has printed',
    'url': 'correct orchestrator_url',
    'silent': 'the orchestrator hangs, or a proxy keeps pings to itself: look at both',
}

TOKEN_REFUSED = ('check that the token is meant for this orchestrator (audience, issuer), and '
                 'both clocks')

# By OpenSSL's verify codes, which are stable.
_CLOCK = "; this machine's clock says {now}"
_OF_CERTIFICATES = {
    9: 'it is not valid yet: set the clock' + _CLOCK,
    10: 'have the certificate renewed, or set the clock' + _CLOCK,
    18: 'it is self-signed: set tls_ca_file to a PEM file of this very certificate, if it is the '
        'right one',
    19: 'set tls_ca_file to a PEM file of the authority that signed it ({issuer})',
    20: 'set tls_ca_file to a PEM file of the authority that signed it ({issuer})',
    21: 'let the server send its whole chain, or set tls_ca_file to the authority ({issuer})',
    23: 'it was revoked: have a new one issued',
    62: 'use a name that it is for in orchestrator_url ({names}), or have one issued for {host}',
    64: 'use a name that it is for in orchestrator_url ({names}), or have one issued for {host}',
}


def of_fault(fault: LinkFault) -> str:
    """Return what to do about a fault."""
    if fault.cause.startswith('http_5'):
        return 'the orchestrator, or a proxy before it, is overloaded or starting: try again'
    return _OF_FAULTS.get(fault.cause, "look at the orchestrator's log")


def of_certificate(code: int, *, issuer: str, names: str, host: str, now: str) -> str:
    """Return what to do about a certificate that OpenSSL refuses with this verify code."""
    text = _OF_CERTIFICATES.get(code, 'have a certificate issued that this machine accepts')
    return text.format(
        issuer=issuer or 'unknown', names=names or 'none', host=host, now=now)
