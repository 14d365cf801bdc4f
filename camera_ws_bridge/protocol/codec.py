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
The wire format: messages to JSON text and back.

`encode` and `decode` are inverse to each other for every message, doubles bit for bit. Decoding is
strict: what is not exactly a message of the protocol raises DecodeError and names the field; only
of a start that names its object, the rest may be unusable. Unknown fields are ignored, so that the
orchestrator may add some.
"""

from __future__ import annotations

from camera_ws_bridge.errors import DecodeError, EncodeError
from camera_ws_bridge.protocol import fields, strict_json
from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.protocol.identifier import Identifier
from camera_ws_bridge.protocol.message import DEFAULT_LIMITS, Limits, Message
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import object_of_too_long, Update

LONGEST = 24 * 2**20  # characters that are read: as many as the largest image that may be allowed

__all__ = ['decode', 'DEFAULT_LIMITS', 'encode', 'encode_utf8', 'Limits', 'MESSAGES']

MESSAGES: dict[str, type[Message]] = {kind.wire_type: kind for kind in (
    Authenticate,
    Boxes,
    Identifier,
    Start,
    Stop,
    Update,
)}


def encode(message: Message) -> str:
    """Return the message as JSON text; raise EncodeError where the protocol cannot carry it."""
    return encode_utf8(message).decode()


def encode_utf8(message: Message) -> bytes:
    """Return the message as JSON text in UTF-8: what the buffer keeps and the socket takes."""
    try:
        return message.to_json()
    except fields.BadField as bad:
        raise EncodeError(f'{message.wire_type}.{bad.field}', bad.reason, bad.cause) from None


def decode(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Return the message that the JSON text holds; raise DecodeError with field and reason."""
    if object_of_too_long(text) is not None:
        raise DecodeError(
            f'{Update.wire_type}.featureMap', f'{len(text)} characters, more than '
            f'{limits.feature_map} numbers take, which are allowed', 'too_big')
    if len(text) > LONGEST:
        raise DecodeError('', f'{len(text)} characters; {LONGEST} are allowed', 'too_big')
    value = strict_json.loads(text)
    name = value.get('type')
    if not isinstance(name, str):
        raise DecodeError(
            'type', 'missing' if name is None else f'{fields.show(name)} is not a string')
    kind = MESSAGES.get(name)
    if kind is None:
        raise DecodeError('type', f'{fields.show(name)} is not known', 'unknown_type')
    try:
        return kind.from_object(value, limits)
    except fields.BadField as bad:
        raise DecodeError(f'{name}.{bad.field}', bad.reason, bad.cause) from None
