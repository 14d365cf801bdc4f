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

"""`featureMap`: what is known of a tracked object, in both directions."""

from __future__ import annotations

from dataclasses import dataclass, field
import re
from typing import Any

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.message import Limits, Message

# Characters of a message with as many numbers as are allowed, each as long as JSON makes it.
LONGEST = 2**22
_HEAD = re.compile(
    r'\s*\{\s*"type"\s*:\s*"featureMap"\s*,\s*"objectId"\s*:\s*(0|[1-9][0-9]{0,17})\s*,')


def object_of_too_long(text: str | bytes) -> int | None:
    """
    Return the object of a feature map that is too long to be worth reading, else None.

    Known by how the orchestrator begins it: to parse the rest would take seconds.
    """
    if len(text) <= LONGEST or not isinstance(text, str):
        return None
    head = _HEAD.match(text)
    return int(head[1]) if head else None


@dataclass(frozen=True)
class Update(Message):
    """The feature map of a tracked object; empty: none is known yet."""

    wire_type = 'featureMap'

    object_id: int
    feature_map: tuple[float, ...] = field(default=(), repr=False)

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Update:
        """Read what the orchestrator passes on of any camera."""
        object_id = fields.object_id(fields.need(value, 'objectId'), 'objectId')
        numbers = fields.need(value, 'featureMap')
        if numbers == {}:  # how the orchestrator says that none is known yet
            return cls(object_id)
        if not isinstance(numbers, list):
            fields.refuse('featureMap', f'{fields.show(numbers)} is neither an array of numbers '
                          'nor {}')
        if len(numbers) > limits.feature_map:
            fields.refuse('featureMap', f'{len(numbers)} numbers; {limits.feature_map} are '
                          'allowed', 'too_big')
        return cls(object_id, fields.numbers(numbers, 'featureMap'))

    def to_object(self) -> dict[str, Any]:
        """Write what a camera sends."""
        return {
            'objectId': fields.object_id(self.object_id, 'objectId'),
            'featureMap': fields.numbers(self.feature_map, 'featureMap') or {},
        }
