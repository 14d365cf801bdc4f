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
"""Reads certificates, also those that cannot be trusted, by the library `cryptography`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone
import importlib.util
from typing import Any

DAY = 86400.0
SOON = 30  # days; a certificate that ends sooner is worth a warning


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


def library() -> bool:
    """Return whether the library is there; without it nothing can be read."""
    return importlib.util.find_spec('cryptography') is not None


def read(certificate: bytes) -> Certificate | None:
    """Return what a certificate says, one in DER or the first of a PEM text; None: unreadable."""
    try:
        # Here, because only `check` has to wait for the import, and only where there is TLS.
        from cryptography import x509

        if b'-----BEGIN CERTIFICATE-----' in certificate:
            found = x509.load_pem_x509_certificate(certificate)
        else:
            found = x509.load_der_x509_certificate(certificate)
        # Versions before 42 have only the end without a time zone, newer ones complain about it.
        end = getattr(found, 'not_valid_after_utc', None) or found.not_valid_after.replace(
            tzinfo=timezone.utc)
        return Certificate(
            found.subject.rfc4514_string(), found.issuer.rfc4514_string(), _names(found),
            end.timestamp())
    except (ImportError, ValueError):
        return None


def of_file(path: str) -> Certificate | None:
    """Return our own certificate, which the PEM file holds; None if it cannot be read."""
    try:
        with open(path, 'rb') as file:
            return read(file.read())
    except OSError:
        return None


def _names(certificate: Any) -> str:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return ', '.join(str(name.value) for name in extension.value)
    except Exception:  # noqa: B902: the library has a type for each way to be no extension
        return ''
