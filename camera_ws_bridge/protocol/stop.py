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

"""`stop`: an object is no longer to be tracked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.message import Limits, Message


@dataclass(frozen=True)
class Stop(Message):
    """Stop tracking this object."""

    wire_type = 'stop'

    object_id: int

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Stop:
        """Read what the orchestrator sends."""
        return cls(fields.object_id(fields.need(value, 'objectId'), 'objectId'))

    def to_object(self) -> dict[str, Any]:
        """Write what the orchestrator sends."""
        return {'objectId': fields.object_id(self.object_id, 'objectId')}
