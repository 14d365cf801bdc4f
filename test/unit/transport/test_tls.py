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

"""TLS contexts: which authorities they trust, and which files are of no use."""

import os
import ssl

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.transport import tls
import pytest


@pytest.mark.parametrize('parameter, names', (
    ('tls_ca_file', {'tls_ca_file': 'missing'}),
    ('tls_ca_file', {'tls_ca_file': 'folder'}),
    ('tls_ca_file', {'tls_ca_file': 'garbage'}),
    ('tls_ca_file', {'tls_ca_file': 'empty'}),
    ('tls_ca_file', {'tls_ca_file': 'key'}),
    ('tls_key_file', {'tls_key_file': 'key'}),
    ('tls_cert_file', {'tls_cert_file': 'missing'}),
    ('tls_cert_file', {'tls_cert_file': 'cert'}),
    ('tls_cert_file', {'tls_cert_file': 'garbage', 'tls_key_file': 'key'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'missing'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'other_key'}),
    ('tls_cert_file', {'tls_cert_file': 'cert', 'tls_key_file': 'locked'}),
))
def test_unusable_files_are_named(tls_files, parameter, names):
    files = {name.removeprefix('tls_'): tls_files[file] for name, file in names.items()}
    with pytest.raises(ConfigurationError) as caught:
        tls.context(**files)
    assert caught.value.parameter == parameter
    if parameter in names and parameter != 'tls_key_file':
        assert os.path.basename(tls_files[names[parameter]]) in caught.value.reason


def test_system_authorities_are_the_default():
    context = tls.context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_own_authority_replaces_the_systems(tls_files):
    context = tls.context(tls_files['ca'])
    assert len(context.get_ca_certs()) == 1
