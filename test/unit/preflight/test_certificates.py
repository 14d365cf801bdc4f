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

"""Certificates of our own, usable or not."""

from camera_ws_bridge.preflight import certificates
import pytest
from rigs.tls_certificates import PAST


def test_our_own_certificate(tls_files):
    for certificate, key in (('cert', 'key'), ('both', '')):
        own = certificates.of_files(tls_files[certificate], tls_files[key] if key else '')
        assert own.names == 'camera@site' and 'trustme' in own.issuer


@pytest.mark.parametrize('certificate, key', (
    ('missing', ''), ('garbage', ''), ('cert', 'other_key'), ('cert', 'locked'), ('folder', '')))
def test_files_that_hold_no_usable_certificate(tls_files, certificate, key):
    assert certificates.of_files(tls_files[certificate], tls_files[key] if key else '') is None


def test_an_expired_one_is_read_all_the_same(authority, tmp_path):
    issued = authority.issue_cert('camera@site', not_after=PAST)
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / 'both'))
    own = certificates.of_files(str(tmp_path / 'both'), '')
    assert own.expires_at == PAST.timestamp()
    assert own.days_left(PAST.timestamp() + 1) == -1
    assert own.days_left(PAST.timestamp() - 86400) == 1


def test_no_certificate_at_all():
    assert certificates.from_peer({}) is None and certificates.from_peer(None) is None
