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

"""What a token says of its own life."""

import base64

from camera_ws_bridge.preflight import jwt
import pytest

NOW = 1_800_000_000.0


def token(payload, head='eyJhbGciOiJub25lIn0'):
    """Return a JWT with this payload."""
    body = base64.urlsafe_b64encode(payload.encode()).decode().rstrip('=')
    return f'{head}.{body}.signature'


@pytest.mark.parametrize('text, left', (
    (token(f'{{"exp": {NOW + 60:.0f}}}'), 60.0), (token(f'{{"exp": {NOW - 5.5}}}'), -5.5),
    (token('{}'), None), (token('{"exp": "soon"}'), None), (token('{"exp": true}'), None),
    (token('{"exp": NaN}'), None), (token('{"exp": 1e999}'), None), (token('[1]'), None),
    (token('{"exp": 1'), None), ('opaque', None), ('a.b', None), ('a.%%%.c', None),
    ('..', None), ('a.\u00e4.c', None)))
def test_what_a_token_says_of_its_life(text, left):
    assert jwt.seconds_left(text, NOW) == left
