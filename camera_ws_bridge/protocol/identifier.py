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

"""`identifier`: a camera says who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.message import Limits, Message


@dataclass(frozen=True)
class Identifier(Message):
    """Registers the connection under a camera's id."""

    wire_type = 'identifier'

    camera_id: str

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Identifier:
        """Read what a camera sends."""
        return cls(fields.text(fields.need(value, 'id'), 'id'))

    def to_object(self) -> dict[str, Any]:
        """Write what a camera sends."""
        return {'id': fields.text(self.camera_id, 'id')}
