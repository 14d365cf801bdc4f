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
"""The servers' URLs: what is accepted, where they lead, and what of them may be logged."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

EXAMPLE = 'ws://localhost:8080/processor'

_PORTS = {'ws': 80, 'http': 80, 'wss': 443, 'https': 443}


def check(url: str, schemes: tuple[str, str] = ('ws', 'wss'), example: str = EXAMPLE) -> None:
    """Raise ValueError with what to correct in a URL that can never work; it never holds it."""
    if not url:
        raise ValueError(f'is not set; give a URL, e.g. {example}')
    if not url.isascii() or any(character <= ' ' or character == '\x7f' for character in url):
        raise ValueError('has spaces or other characters that no URL holds')
    try:
        parts = urlsplit(url)
        port = parts.port
        if '[' in parts.netloc:  # where Python 3.10 lets anything stand
            ipaddress.ip_address(parts.hostname or '')
    except ValueError:
        parts = None
    # Outside of the handler: the error may hold a part of the URL.
    if parts is None:
        raise ValueError(f'is no URL: its port, or what is in brackets, is none, e.g. {example}')
    if parts.scheme not in schemes:
        raise ValueError(f'must begin with {": or ".join(schemes)}:, e.g. {example}')
    if not parts.hostname:
        raise ValueError(f'names no host, e.g. {example}')
    if port == 0:
        raise ValueError('has port 0, which nothing can listen on')
    if parts.username is not None or parts.password is not None:
        raise ValueError('has a user name or password in it; such a URL would end up in logs')
    if parts.fragment:
        raise ValueError("has a fragment ('#...'), which is never sent")


def address(url: str) -> tuple[str, int]:
    """Return host and port; the zone of an IPv6 address is there as '%eth0'."""
    parts = urlsplit(url)
    host = parts.hostname or ''
    if ':' in host:
        host = host.replace('%25', '%', 1)  # RFC 6874 writes '%25eth0', people write '%eth0'
    return host, parts.port or _PORTS[parts.scheme]


def without_zone(url: str) -> str:
    """Return the URL without a zone, which is a name of this machine's and nobody else's."""
    parts = urlsplit(url)
    return parts._replace(netloc=re.sub(r'%[^]]*]', ']', parts.netloc)).geturl()


def is_encrypted(url: str) -> bool:
    """Return whether TLS protects what is said to this server."""
    return urlsplit(url).scheme in ('wss', 'https')


def for_log(url: str) -> str:
    """Return the URL without its query and user, which may be secrets."""
    parts = urlsplit(url)
    return f'{parts.scheme}://{parts.netloc.rpartition("@")[2]}{parts.path}'
