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

"""What certificates say, readable or not."""

import datetime
import ipaddress
import sys

from camera_ws_bridge.preflight import certificates
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest
from rigs.tls_certificates import PAST


def test_our_own_certificate(tls_files):
    for name in ('cert', 'both'):
        own = certificates.of_file(tls_files[name])
        assert own.names == 'camera@site' and 'trustme' in own.issuer


@pytest.mark.parametrize('name', ('missing', 'garbage', 'empty', 'key', 'folder'))
def test_files_that_hold_no_certificate(tls_files, name):
    assert certificates.of_file(tls_files[name]) is None


def test_an_expired_one_is_read_all_the_same(authority, tmp_path):
    issued = authority.issue_cert('camera@site', not_after=PAST)
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / 'both'))
    own = certificates.of_file(str(tmp_path / 'both'))
    assert own.expires_at == PAST.timestamp()
    assert own.days_left(PAST.timestamp() + 1) == -1
    assert own.days_left(PAST.timestamp() - 86400) == 1


@pytest.mark.parametrize('text', (
    b'', b'garbage', b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    b'-----BEGIN CERTIFICATE-----'))
def test_no_certificate_at_all(text):
    assert certificates.read(text) is None


def issued(**changes):
    """Return a self-signed certificate in DER, without names unless there are extensions."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, changes.get('name', 'camera'))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(
        key.public_key()).serial_number(7).not_valid_before(PAST).not_valid_after(
            PAST + datetime.timedelta(days=1))
    for extension in changes.get('extensions', ()):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_what_is_read_of_a_certificate():
    names = x509.SubjectAlternativeName([
        x509.DNSName('orchestrator.example'), x509.IPAddress(ipaddress.ip_address('10.0.0.7'))])
    found = certificates.read(issued(extensions=[names]))
    assert found == certificates.Certificate(
        'CN=camera', 'CN=camera', 'orchestrator.example, 10.0.0.7', PAST.timestamp() + 86400)
    assert certificates.read(issued()).names == ''
    # Of no form that the library knows.
    broken = x509.UnrecognizedExtension(
        x509.ObjectIdentifier('2.5.29.17'), b'\x30\x03\x82\x01\xff')
    assert certificates.read(issued(extensions=[broken])).names == ''


def test_versions_that_have_only_the_end_without_a_time_zone(monkeypatch):
    class Old:
        subject = issuer = x509.Name([])
        not_valid_after = PAST.replace(tzinfo=None)

    monkeypatch.setattr(x509, 'load_der_x509_certificate', lambda data: Old())
    assert certificates.read(b'DER').expires_at == PAST.timestamp()


def test_without_the_library_nothing_is_read(tls_files, monkeypatch):
    assert certificates.library()
    monkeypatch.setitem(sys.modules, 'cryptography', None)
    assert certificates.of_file(tls_files['cert']) is None
    monkeypatch.setattr(certificates.importlib.util, 'find_spec', lambda name: None)
    assert not certificates.library()
