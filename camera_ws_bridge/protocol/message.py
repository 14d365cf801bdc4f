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

"""What every message of the protocol can do: become a JSON object, and be made of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import strict_json


@dataclass(frozen=True)
class Limits:
    """How much of a message is accepted from the wire."""

    # The largest PNG file that fits into a message of the orchestrator, which takes 10 MiB.
    image_bytes: int = 15 * 2**19
    image_pixels: int = 2**25     # width times height
    feature_map: int = 2**16      # numbers


DEFAULT_LIMITS = Limits()


class Message(ABC):
    """
    What travels over the WebSocket; each subclass is one `type` of the protocol.

    They are plain frozen data. A new one is a file of its own, a line in codec.MESSAGES, and a
    handler for it where the link's inbound side is put together.
    """

    wire_type: ClassVar[str]  # the value of `type` on the wire

    @classmethod
    @abstractmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Message:
        """Return the message that the JSON object holds; raise fields.BadField."""

    @abstractmethod
    def to_object(self) -> dict[str, Any]:
        """Return the fields as a JSON object; raise fields.BadField for what it cannot hold."""

    def to_json(self) -> bytes:
        """Return the message as JSON text in UTF-8; raise fields.BadField."""
        return strict_json.write({'type': self.wire_type, **self.to_object()})

    def left_out(self) -> list[DecodeError]:
        """Return what was unusable on the wire, though the message as a whole is not."""
        return []
