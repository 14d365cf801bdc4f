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

"""A message that the protocol does not have, written as a new one would be."""

from dataclasses import dataclass

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.message import Message


@dataclass(frozen=True)
class Zoom(Message):
    """Zoom in."""

    wire_type = 'zoom'

    factor: float

    @classmethod
    def from_object(cls, value, limits):
        """Read."""
        return cls(fields.number(fields.need(value, 'factor'), 'factor'))

    def to_object(self):
        """Write."""
        return {'factor': fields.number(self.factor, 'factor')}
