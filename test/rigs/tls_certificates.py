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

"""Certificates that must not be trusted, for the tests of all that connect over TLS."""

import datetime

from rigs.shared import server_tls

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)

# What a server on localhost may show that must be refused: how to issue it, and whether the client
# trusts the authority.
BAD_CERTIFICATES = {
    'unknown authority': (lambda authority: type(authority)().issue_cert('localhost'), True),
    'not in the system': (lambda authority: authority.issue_cert('localhost'), False),
    'wrong host': (lambda authority: authority.issue_cert('other.example'), True),
    'expired': (lambda authority: authority.issue_cert('localhost', not_after=PAST), True),
}


def not_trusted(name, authority, tls_files):
    """Return a server's side of TLS that must be refused, and the client's parameters."""
    issue, trusted = BAD_CERTIFICATES[name]
    return server_tls(issue(authority)), {'tls_ca_file': tls_files['ca']} if trusted else {}
