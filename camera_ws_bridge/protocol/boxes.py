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
`boundingBoxes`: what was found on a frame.

Every frame comes this way, so the boxes are not objects but tuples as they lie in ROS's bytes,
checked by one sum. There are two writers, one for each JSON library; what is wrong is looked for
only once it is known that something is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
import math
from typing import Any, NoReturn

from camera_ws_bridge.protocol import fields, strict_json
from camera_ws_bridge.protocol.message import Limits, Message

NOT_TRACKED = -1  # object_id of a box that is not of a tracked object

# box_id; left, top, right, bottom as fractions of the image (origin top left); the length of
# object_type with its zero; object_type in UTF-8; 0; certainty, 0 to 1; object_id or NOT_TRACKED.
FlatBox = tuple[int, float, float, float, float, int, bytes, int, float, int]

QUOTED = 128  # object types whose JSON is kept


def flat_box(
        box_id: int, rect: tuple[float, float, float, float], object_type: str, certainty: float,
        object_id: int = NOT_TRACKED) -> FlatBox:
    """Return a box as it lies in ROS's bytes."""
    kind = object_type.encode()
    return box_id, *rect, len(kind) + 1, kind, 0, certainty, object_id


@dataclass(frozen=True)
class Boxes(Message):
    """All boxes of one frame; frame_id is the frame's time stamp in the stream, in seconds."""

    wire_type = 'boundingBoxes'

    frame_id: float
    boxes: Sequence[FlatBox] = ()

    @classmethod
    def from_object(cls, value: dict[str, Any], limits: Limits) -> Boxes:
        """Read what a camera sends."""
        boxes = fields.need(value, 'boxes')
        if not isinstance(boxes, list):
            fields.refuse('boxes', f'{fields.show(boxes)} is not an array')
        return cls(
            fields.number(fields.need(value, 'frameId'), 'frameId'),
            tuple(_read(box, f'boxes[{index}]') for index, box in enumerate(boxes)))

    def to_object(self) -> dict[str, Any]:
        """Write what a camera sends."""
        self._check()
        boxes: list[dict[str, Any]] = []
        try:
            for box_id, left, top, right, bottom, _, kind, _, certainty, object_id in self.boxes:
                value = {'boxId': box_id, 'rect': (left, top, right, bottom),
                         'objectType': kind.decode(), 'certainty': certainty}
                if object_id != NOT_TRACKED:
                    value['objectId'] = object_id
                boxes.append(value)
        except UnicodeDecodeError:
            _refuse_type(len(boxes), kind)
        return {'frameId': self.frame_id, 'boxes': boxes}

    def to_json(self) -> bytes:
        """Write by orjson; or by hand, in four fifths of the standard library's time."""
        if strict_json.orjson is not None:
            return super().to_json()
        self._check()
        texts: list[str] = []
        try:
            for box_id, left, top, right, bottom, _, kind, _, certainty, object_id in self.boxes:
                tracked = '' if object_id == NOT_TRACKED else f',"objectId":{object_id}'
                texts.append(
                    f'{{"boxId":{box_id},"rect":[{left!r},{top!r},{right!r},{bottom!r}],'
                    f'"objectType":{_quoted(kind)},"certainty":{certainty!r}{tracked}}}')
        except UnicodeDecodeError:
            _refuse_type(len(texts), kind)
        return (f'{{"type":"boundingBoxes","frameId":{self.frame_id!r},'
                f'"boxes":[{",".join(texts)}]}}').encode()

    def _check(self) -> None:
        total = self.frame_id  # not finite if a number is not, or if the sum is too great
        for box in self.boxes:
            total += box[1] + box[2] + box[3] + box[4] + box[8]
            if box[9] < NOT_TRACKED:
                break
        else:
            if math.isfinite(total):
                return
        fields.number(self.frame_id, 'frameId')
        for index, (_, left, top, right, bottom, _, _, _, certainty, object_id) in enumerate(
                self.boxes):
            fields.rect((left, top, right, bottom), f'boxes[{index}].rect')
            fields.number(certainty, f'boxes[{index}].certainty')
            if object_id != NOT_TRACKED:
                fields.object_id(object_id, f'boxes[{index}].objectId')


@lru_cache(QUOTED)
def _quoted(kind: bytes) -> str:
    return strict_json.quoted(kind.decode())


def _refuse_type(index: int, kind: bytes) -> NoReturn:
    fields.refuse(f'boxes[{index}].objectType',
                  f'{fields.show(kind.decode(errors="replace"))} is not UTF-8')


def _read(value: Any, path: str) -> FlatBox:
    if not isinstance(value, dict):
        fields.refuse(path, f'{fields.show(value)} is not an object')
    dot = path + '.'
    return flat_box(
        fields.box_id(fields.need(value, 'boxId', dot), dot + 'boxId'),
        fields.rect(fields.need(value, 'rect', dot), dot + 'rect'),
        fields.text(fields.need(value, 'objectType', dot), dot + 'objectType'),
        fields.number(fields.need(value, 'certainty', dot), dot + 'certainty'),
        fields.object_id(value['objectId'], dot + 'objectId') if 'objectId' in value
        else NOT_TRACKED)
