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
"""
What a close means that comes instead of a registration: the orchestrator demands a token.

It does not say so. It closes, without a code, on the message behind a bad token, or on the first
one where there was none.
"""

from __future__ import annotations

from camera_ws_bridge.errors import LinkFault

NO_CODE = 1005  # of a WebSocket close in which the peer gave no code

TOKEN_REFUSED = ('it closed the connection right after it was shown the token: the token is not '
                 'accepted')
TOKEN_WANTED = ('it closed the connection without a word instead of a registration: perhaps it '
                'demands a token, and none is configured; set AUTH_SERVER_URL or token_file')


def explained(
        fault: LinkFault, *, registered: bool, token_shown: bool,
        token_configured: bool) -> LinkFault:
    """
    Return the fault that ended a connection, with its likely reason where that is the token.

    registered: whether the orchestrator had accepted the camera, beyond doubt.
    """
    if fault.cause != 'closed' or registered:
        return fault
    if token_shown:
        return LinkFault('rejected_token', TOKEN_REFUSED, code=fault.code)
    if not token_configured and fault.code == NO_CODE:
        return LinkFault('closed', TOKEN_WANTED, code=fault.code)
    return fault
