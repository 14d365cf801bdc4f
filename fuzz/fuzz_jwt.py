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

"""Any bytes as the middle of a JSON Web Token: the seconds that it has left, or None."""

from __future__ import annotations

import base64
from collections.abc import Iterator
import math

import fuzzing

with fuzzing.instrumented('base64'):
    from camera_ws_bridge.preflight import jwt

NOW = 1.8e9
WORDS = [b'"exp":', b'{"exp":1e999}', b'null', b'true', b'NaN', b'-0.0', b'99999999999999999999']


def check(data: bytes) -> None:
    """Read the token as a whole, and one whose payload the bytes are."""
    payload = base64.urlsafe_b64encode(data).decode().rstrip('=')
    for token in (data.decode('utf-8', 'surrogateescape'), f'e30.{payload}.'):
        left = jwt.seconds_left(token, NOW)
        assert left is None or (type(left) is float and math.isfinite(left)), repr(left)


def seeds() -> Iterator[bytes]:
    """Return payloads, and tokens."""
    for payload in (b'{"exp":1800000060}', b'{"exp":1.8e9}', b'{"exp":"soon"}', b'{"exp":true}',
                    b'{"exp":null}', b'{}', b'[]', b'', b'\xff', b'{"exp":1,"exp":2}',
                    b'{"exp":' + b'9' * 5000 + b'}', b'[' * 3000):
        yield payload
        yield b'e30.' + base64.urlsafe_b64encode(payload).rstrip(b'=') + b'.x'


if __name__ == '__main__':
    fuzzing.run('jwt', check, seeds(), WORDS)
