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

"""`start`: an operator asks to track an object, which a box or an image shows."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import fields, png
from camera_ws_bridge.protocol.message import Limits, Message

IMAGE_PREFIX = 'data:image/png;base64,'
OTHER_PREFIXES = 'data:,', 'data:image/jpeg;', 'data:image/webp;'  # that a canvas may give, too


@dataclass(frozen=True)
class Start(Message):
    """
    Track this object: shown by `image` (a PNG file), by a box of a frame, or by both.

    frame_id and box_id are set together or not at all. The command counts as long as it names its
    object; what is unusable of the rest is left out, and the problem says why, in words that hold
    nothing of a foreign text: they are published.
    """

    wire_type = 'start'

    object_id: int
    frame_id: float | None = None
    box_id: int | None = None
    image: bytes | None = field(default=None, repr=False)
    frame_problem: str = ''
    image_problem: str = ''

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Start:
        """Read what the orchestrator sends."""
        object_id = fields.object_id(fields.need(value, 'objectId'), 'objectId')
        frame_id = box_id = image = None
        frame_problem = image_problem = ''
        if 'frameId' in value or 'boxId' in value or 'image' not in value:
            try:
                frame_id, box_id = _frame(value)
            except fields.BadField as bad:
                frame_problem = f'{bad.field}: {bad.reason}'
        if 'image' in value:
            try:
                image = _image(value['image'], limits)
            except fields.BadField as bad:
                image_problem = f'{bad.cause}: {bad.reason}'
        return cls(object_id, frame_id, box_id, image, frame_problem, image_problem)

    def to_object(self) -> dict[str, Any]:
        """Write what the orchestrator sends."""
        value: dict[str, Any] = {'objectId': fields.object_id(self.object_id, 'objectId')}
        if self.frame_id is not None:
            value['frameId'] = fields.number(self.frame_id, 'frameId')
            value['boxId'] = fields.box_id(self.box_id, 'boxId')
        if self.image is not None:
            value['image'] = IMAGE_PREFIX + base64.b64encode(self.image).decode('ascii')
        return value

    def left_out(self) -> list[DecodeError]:
        """Return what was unusable of frame and image."""
        problems = []
        if self.frame_problem:
            name, _, reason = self.frame_problem.partition(': ')
            problems.append(DecodeError(f'start.{name}', reason, 'frame_unusable'))
        if self.image_problem:
            problems.append(DecodeError('start.image', self.image_problem, 'image_unusable'))
        return problems


def _frame(value: dict[str, Any]) -> tuple[float, int]:
    frame_id, box_id = fields.need(value, 'frameId'), fields.need(value, 'boxId')
    for name, given in ('frameId', frame_id), ('boxId', box_id):
        if isinstance(given, str):
            fields.refuse(name, 'a JSON string is not a number')
    return fields.number(frame_id, 'frameId'), fields.box_id(box_id, 'boxId')


def _image(value: Any, limits: Limits) -> bytes:
    if not isinstance(value, str):
        fields.refuse('image', f'{fields.show(value)} is not a data URI')
    if not value.startswith(IMAGE_PREFIX):
        begin = next(filter(value.startswith, OTHER_PREFIXES), 'something else')
        fields.refuse('image', f'begins with {begin} instead of {IMAGE_PREFIX}')
    text = value[len(IMAGE_PREFIX):]
    size = len(text) // 4 * 3 - text.count('=', -2)
    if size > limits.image_bytes:
        fields.refuse('image', f'a file of {size} bytes; {limits.image_bytes} are allowed '
                      '(max_image_bytes)', 'too_big')
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        fields.refuse('image', 'not base64')
    # b64decode lets too much padding and stray bits in the last letters pass.
    last = len(data) % 3 or 3
    if len(data) != size or not text.endswith(base64.b64encode(data[-last:]).decode('ascii')):
        fields.refuse('image', 'not strict base64')
    try:
        png.check(data, limits.image_pixels)
    except png.TooBig as error:
        fields.refuse('image', f'{error} (max_image_pixels)', 'too_big')
    except ValueError as error:
        fields.refuse('image', str(error))
    return data
