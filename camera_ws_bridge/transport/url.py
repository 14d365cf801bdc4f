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

"""The orchestrator's URL: what is accepted, and what of it may be logged."""

from __future__ import annotations

from urllib.parse import urlsplit

EXAMPLE = 'ws://localhost:8080/processor'


def check(url: str) -> None:
    """Raise ValueError with what to correct in a URL that can never work."""
    if not url:
        raise ValueError(f'is not set; give the WebSocket URL of the orchestrator, e.g. {EXAMPLE}')
    if not url.isascii() or any(character <= ' ' or character == '\x7f' for character in url):
        raise ValueError('has spaces or other characters that no URL holds')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f'is no URL ({error}), e.g. {EXAMPLE}') from None
    if parts.scheme not in ('ws', 'wss'):
        raise ValueError(f"begins with '{parts.scheme}:' but must begin with ws: or wss:, "
                         f'e.g. {EXAMPLE}')
    if not parts.hostname:
        raise ValueError(f'names no host, e.g. {EXAMPLE}')
    if port == 0:
        raise ValueError('has port 0, which nothing can listen on')
    if parts.username is not None or parts.password is not None:
        raise ValueError('has a user name or password in it; such a URL would end up in logs')
    if parts.fragment:
        raise ValueError("has a fragment ('#...'), which WebSocket URLs must not have")


def for_log(url: str) -> str:
    """Return the URL without its query and user, which may be secrets."""
    parts = urlsplit(url)
    return f'{parts.scheme}://{parts.netloc.rpartition("@")[2]}{parts.path}'
