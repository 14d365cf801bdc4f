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

"""`authenticate`: a camera shows its token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.message import Limits, Message


@dataclass(frozen=True)
class Authenticate(Message):
    """Shows the orchestrator a JSON Web Token; goes before everything else."""

    wire_type = 'authenticate'

    jwt: str = field(repr=False)

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Authenticate:
        """Read what a camera sends."""
        return cls(fields.text(fields.need(value, 'jwt'), 'jwt'))

    def to_object(self) -> dict[str, Any]:
        """Write what a camera sends."""
        return {'jwt': fields.text(self.jwt, 'jwt')}
