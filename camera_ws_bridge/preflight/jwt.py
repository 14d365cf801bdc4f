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

"""The life of a JSON Web Token, as it says itself; nothing is verified here."""

from __future__ import annotations

import base64
import binascii

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import strict_json


def seconds_left(token: str, now: float) -> float | None:
    """Return the seconds from `now` (Unix time) to its end, negative after it; None: unknown."""
    parts = token.split('.')
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + '=' * (-len(parts[1]) % 4))
        end = strict_json.loads(payload).get('exp')
    except (binascii.Error, ValueError, DecodeError):
        return None
    if isinstance(end, bool) or not isinstance(end, (int, float)):
        return None
    return float(end) - now
