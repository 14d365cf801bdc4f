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
"""The one place that makes TLS contexts: what a client of this package trusts, and shows."""

from __future__ import annotations

import ssl

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.log.printable import clean


def context(ca_file: str = '', cert_file: str = '', key_file: str = '') -> ssl.SSLContext:
    """
    Return a context that verifies servers; raise ConfigurationError, which names the parameter.

    ca_file: PEM file with the CAs to trust; empty: those that the system trusts. cert_file and
    key_file: what to show to a server that demands a client certificate.
    """
    try:
        made = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            'tls_ca_file', f'{clean(ca_file)}: {error}; give a PEM file') from None
    if key_file and not cert_file:
        raise ConfigurationError('tls_key_file', 'set without tls_cert_file')
    if cert_file:
        try:
            # The password callback keeps OpenSSL from asking on the terminal.
            made.load_cert_chain(cert_file, key_file or None, password=lambda: '')
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                'tls_cert_file', f'{clean(cert_file)}: {error}; give PEM files of a certificate '
                'and its key, the key without a password') from None
    return made
