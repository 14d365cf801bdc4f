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

"""Serialised messages in an encoding that camera_ws_bridge.inputs.cdr does not read."""

from __future__ import annotations

from typing import Any

from camera_ws_bridge.errors import CdrError
from rclpy.serialization import deserialize_message


HEADER = 4  # bytes, that name the encoding


def deserialize(message: bytes, message_type: type) -> Any:
    """Leave it to the middleware, which is several times slower; raise CdrError."""
    if len(message) <= HEADER:  # not every middleware looks: one reads beyond the end
        raise CdrError('', f'{len(message)} bytes are no message')
    try:
        return deserialize_message(message, message_type)
    except Exception as error:  # noqa: B902: whatever the type support raises
        raise CdrError('', f'the middleware cannot read it ({type(error).__name__})') from None
