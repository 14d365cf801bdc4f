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
strict: what is not exactly a message of the protocol raises DecodeError and names the field.
Unknown fields are ignored, so that the orchestrator may add some.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
import json
import math
from typing import Any

from camera_ws_bridge.errors import DecodeError, EncodeError, MessageError
from camera_ws_bridge.protocol import fields, png
from camera_ws_bridge.protocol.messages import (
    Authenticate, Box, Boxes, FlatBox, Identifier, Message, NOT_TRACKED, Start, Stop, Update)

try:
    import orjson
except ImportError:  # 15 times slower on boxes, otherwise the same
    orjson = None  # type: ignore[assignment]

IMAGE_PREFIX = 'data:image/png;base64,'
QUOTED = 128  # object types whose JSON is kept


@dataclass(frozen=True)
class Limits:
    """How much of a message is accepted from the wire; a larger one is a DecodeError."""

    image_bytes: int = 4 * 2**20  # of the PNG file
    image_pixels: int = 2**24     # width times height
    feature_map: int = 2**16      # numbers


DEFAULT_LIMITS = Limits()


def encode(message: Message) -> str:
    """Return the message as JSON text; raise EncodeError where the protocol cannot carry it."""
    return encode_utf8(message).decode()


def encode_utf8(message: Message) -> bytes:
    """Return the message as JSON text in UTF-8: what the buffer keeps and the socket takes."""
    try:
        name, to_object = _ENCODERS[type(message)]
    except KeyError:
        raise EncodeError('type', f'{type(message).__name__} is not on the wire') from None
    try:
        return _dump({'type': name, **to_object(message)})
    except fields.BadField as bad:
        raise EncodeError(f'{name}.{bad.field}', bad.reason, bad.cause) from None


def encode_boxes(frame_id: float, boxes: list[FlatBox]) -> bytes:
    """Return what encode_utf8 returns for the same Boxes, or raise what it raises, but fast."""
    total = frame_id  # not finite if one of the numbers is not, or if the sum is too great
    for box in boxes:
        total += box[1] + box[2] + box[3] + box[4] + box[8]
        if box[9] < NOT_TRACKED:
            break
    else:
        if math.isfinite(total):
            try:
                return _write_boxes(frame_id, boxes)
            except UnicodeDecodeError:
                pass
    return _encode_one_by_one(frame_id, boxes)


def _write_boxes(frame_id: float, boxes: list[FlatBox]) -> bytes:
    """Write checked boxes; without orjson in half the time of the standard library."""
    if orjson is None:
        texts = [
            f'{{"boxId":{box_id},"rect":[{left!r},{top!r},{right!r},{bottom!r}],"objectType":'
            f'{_quoted(kind)},"certainty":{certainty!r}'
            + ('}' if object_id == NOT_TRACKED else f',"objectId":{object_id}}}')
            for box_id, left, top, right, bottom, _, kind, _, certainty, object_id in boxes]
        text = f'{{"type":"boundingBoxes","frameId":{frame_id!r},"boxes":[{",".join(texts)}]}}'
        return text.encode()
    objects = []
    for box_id, left, top, right, bottom, _, kind, _, certainty, object_id in boxes:
        value = {'boxId': box_id, 'rect': (left, top, right, bottom),
                 'objectType': kind.decode(), 'certainty': certainty}
        if object_id != NOT_TRACKED:
            value['objectId'] = object_id
        objects.append(value)
    return _compact(orjson.dumps(
        {'type': 'boundingBoxes', 'frameId': frame_id, 'boxes': objects}))


@lru_cache(QUOTED)
def _quoted(kind: bytes) -> str:
    return json.dumps(kind.decode(), ensure_ascii=False)


def _encode_one_by_one(frame_id: float, boxes: list[FlatBox]) -> bytes:
    """Name what is wrong with the boxes; encode them, should it be nothing."""
    checked = []
    for index, (box_id, left, top, right, bottom, _, kind, _, certainty, object_id) in enumerate(
            boxes):
        try:
            object_type = kind.decode()
        except UnicodeDecodeError:
            raise EncodeError(
                f'boundingBoxes.boxes[{index}].objectType',
                f'{fields.show(kind.decode(errors="replace"))} is not UTF-8') from None
        checked.append(Box(box_id, (left, top, right, bottom), object_type, certainty,
                           None if object_id == NOT_TRACKED else object_id))
    return encode_utf8(Boxes(frame_id, tuple(checked)))


def decode(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Return the message that the JSON text holds; raise DecodeError with field and reason."""
    value = loads(text)
    name = value.get('type')
    if not isinstance(name, str):
        raise DecodeError(
            'type', 'missing' if name is None else f'{fields.show(name)} is not a string')
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise DecodeError('type', f'{fields.show(name)} is not known', 'unknown_type')
    try:
        return decoder(value, limits)
    except fields.BadField as bad:
        raise DecodeError(f'{name}.{bad.field}', bad.reason, bad.cause) from None


def loads(text: str | bytes) -> dict[str, Any]:
    """
    Return the one JSON object that the text is; raise DecodeError for anything else.

    Always by the standard library: only it can refuse duplicate keys and keep integers exact.
    Numbers that no field can hold (NaN, 1e999, a thousand digits) become values of a type of
    their own, for the field's check to name.
    """
    try:
        value = _DECODER.decode(text if isinstance(text, str) else text.decode())
    except MessageError:
        raise
    except UnicodeDecodeError:
        raise DecodeError('', 'not UTF-8 text', 'malformed') from None
    except RecursionError:
        raise DecodeError('', 'nested too deeply', 'malformed') from None
    except ValueError as error:
        raise DecodeError('', f'not JSON ({error})', 'malformed') from None
    if not isinstance(value, dict):
        raise DecodeError('', f'a JSON {fields.kind_of(value)} instead of an object', 'malformed')
    return value


def dumps(value: dict[str, Any]) -> str:
    """
    Return any JSON object as text; raise EncodeError for NaN, lone surrogates and the like.

    By the standard library: orjson would turn NaN into null, which only checked messages rule out.
    """
    return _standard_dump(value).decode()


def _parse_int(digits: str) -> int | fields.Unrepresentable:
    return int(digits) if len(digits) <= 20 else fields.Unrepresentable(digits)


def _parse_float(digits: str) -> float | fields.Unrepresentable:
    value = float(digits)
    return value if math.isfinite(value) else fields.Unrepresentable(digits)


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DecodeError(
            '', f'key {fields.show(twice)} stands twice in one object', 'malformed')
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_parse_object, parse_int=_parse_int, parse_float=_parse_float,
    parse_constant=fields.Unrepresentable)


def _dump(value: dict[str, Any]) -> bytes:
    if orjson is None:
        return _standard_dump(value)
    try:
        return _compact(orjson.dumps(value))
    except TypeError as error:
        raise EncodeError('', f'not expressible in JSON ({error})') from None


def _compact(data: bytes) -> bytes:
    """Copy what orjson has written: what it gives lies in a block of up to twice the size."""
    return bytes(memoryview(data))


def _standard_dump(value: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError('', f'not expressible in JSON ({error})') from None


# ---- messages to objects

def _boxes_fields(message: Boxes) -> dict[str, Any]:
    if not isinstance(message.boxes, (tuple, list)):
        fields.refuse('boxes', f'{fields.show(message.boxes)} is not a sequence of boxes')
    return {
        'frameId': fields.number(message.frame_id, 'frameId'),
        'boxes': [_box_fields(box, f'boxes[{index}]') for index, box in enumerate(message.boxes)],
    }


def _box_fields(box: Box, path: str) -> dict[str, Any]:
    if not isinstance(box, Box):
        fields.refuse(path, f'{fields.show(box)} is not a box')
    value = {
        'boxId': fields.box_id(box.box_id, path + '.boxId'),
        'rect': fields.rect(box.rect, path + '.rect'),
        'objectType': fields.text(box.object_type, path + '.objectType'),
        'certainty': fields.number(box.certainty, path + '.certainty'),
    }
    if box.object_id is not None:
        value['objectId'] = fields.object_id(box.object_id, path + '.objectId')
    return value


def _update_fields(message: Update) -> dict[str, Any]:
    if not isinstance(message.feature_map, (tuple, list)):
        fields.refuse(
            'featureMap', f'{fields.show(message.feature_map)} is not a sequence of numbers')
    return {
        'objectId': fields.object_id(message.object_id, 'objectId'),
        'featureMap': fields.numbers(message.feature_map, 'featureMap') or {},
    }


def _start_fields(message: Start) -> dict[str, Any]:
    value: dict[str, Any] = {'objectId': fields.object_id(message.object_id, 'objectId')}
    if message.frame_id is not None or message.box_id is not None:
        value['frameId'] = fields.number(message.frame_id, 'frameId')
        value['boxId'] = fields.box_id(message.box_id, 'boxId')
    if message.image is not None:
        if not isinstance(message.image, bytes):
            fields.refuse('image', f'{fields.show(message.image)} is not bytes')
        value['image'] = IMAGE_PREFIX + base64.b64encode(message.image).decode('ascii')
    elif message.frame_id is None:
        fields.refuse('image', 'missing, and so are frameId and boxId')
    return value


def _stop_fields(message: Stop) -> dict[str, Any]:
    return {'objectId': fields.object_id(message.object_id, 'objectId')}


def _identifier_fields(message: Identifier) -> dict[str, Any]:
    return {'id': fields.text(message.camera_id, 'id')}


def _authenticate_fields(message: Authenticate) -> dict[str, Any]:
    return {'jwt': fields.text(message.jwt, 'jwt')}


_ENCODERS: dict[type[Message], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    Boxes: ('boundingBoxes', _boxes_fields),
    Update: ('featureMap', _update_fields),
    Start: ('start', _start_fields),
    Stop: ('stop', _stop_fields),
    Identifier: ('identifier', _identifier_fields),
    Authenticate: ('authenticate', _authenticate_fields),
}


# ---- objects to messages

def _need(value: dict[str, Any], key: str, path: str = '') -> Any:
    try:
        return value[key]
    except KeyError:
        fields.refuse(path + key, 'missing')


def _to_boxes(value: dict[str, Any], limits: Limits) -> Boxes:
    boxes = _need(value, 'boxes')
    if not isinstance(boxes, list):
        fields.refuse('boxes', f'{fields.show(boxes)} is not an array')
    return Boxes(
        frame_id=fields.number(_need(value, 'frameId'), 'frameId'),
        boxes=tuple(_to_box(box, f'boxes[{index}]') for index, box in enumerate(boxes)))


def _to_box(value: Any, path: str) -> Box:
    if not isinstance(value, dict):
        fields.refuse(path, f'{fields.show(value)} is not an object')
    dot = path + '.'
    return Box(
        box_id=fields.box_id(_need(value, 'boxId', dot), dot + 'boxId'),
        rect=fields.rect(_need(value, 'rect', dot), dot + 'rect'),
        object_type=fields.text(_need(value, 'objectType', dot), dot + 'objectType'),
        certainty=fields.number(_need(value, 'certainty', dot), dot + 'certainty'),
        object_id=(
            fields.object_id(value['objectId'], dot + 'objectId')
            if 'objectId' in value else None))


def _to_update(value: dict[str, Any], limits: Limits) -> Update:
    object_id = fields.object_id(_need(value, 'objectId'), 'objectId')
    numbers = _need(value, 'featureMap')
    if numbers == {}:  # how the orchestrator says that none is known yet
        return Update(object_id)
    if not isinstance(numbers, list):
        fields.refuse(
            'featureMap', f'{fields.show(numbers)} is neither an array of numbers nor {{}}')
    if len(numbers) > limits.feature_map:
        fields.refuse('featureMap', f'{len(numbers)} numbers; {limits.feature_map} are allowed',
                      'too_big')
    return Update(object_id, fields.numbers(numbers, 'featureMap'))


def _to_start(value: dict[str, Any], limits: Limits) -> Start:
    object_id = fields.object_id(_need(value, 'objectId'), 'objectId')
    frame_id = box_id = None
    if 'frameId' in value or 'boxId' in value:
        frame_id = fields.number(_need(value, 'frameId'), 'frameId')
        box_id = fields.box_id(_need(value, 'boxId'), 'boxId')
    elif 'image' not in value:
        fields.refuse('image', 'missing, and so are frameId and boxId')
    image = _to_image(value['image'], limits) if 'image' in value else None
    return Start(object_id, frame_id, box_id, image)


def _to_image(value: Any, limits: Limits) -> bytes:
    if not isinstance(value, str) or not value.startswith(IMAGE_PREFIX):
        fields.refuse('image', f'{fields.show(value)} does not begin with {IMAGE_PREFIX}')
    text = value[len(IMAGE_PREFIX):]
    size = len(text) // 4 * 3 - text.count('=', -2)
    if size > limits.image_bytes:
        fields.refuse(
            'image', f'a file of {size} bytes; {limits.image_bytes} are allowed', 'too_big')
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        fields.refuse('image', 'not base64')
    # b64decode lets padding in the middle and stray bits pass; the inverse does not.
    if base64.b64encode(data).decode('ascii') != text:
        fields.refuse('image', 'not strict base64')
    try:
        png.check(data, limits.image_pixels)
    except ValueError as error:
        fields.refuse('image', str(error))
    return data


def _to_stop(value: dict[str, Any], limits: Limits) -> Stop:
    return Stop(fields.object_id(_need(value, 'objectId'), 'objectId'))


def _to_identifier(value: dict[str, Any], limits: Limits) -> Identifier:
    return Identifier(fields.text(_need(value, 'id'), 'id'))


def _to_authenticate(value: dict[str, Any], limits: Limits) -> Authenticate:
    return Authenticate(fields.text(_need(value, 'jwt'), 'jwt'))


_DECODERS: dict[str, Callable[[dict[str, Any], Limits], Message]] = {
    'boundingBoxes': _to_boxes,
    'featureMap': _to_update,
    'start': _to_start,
    'stop': _to_stop,
    'identifier': _to_identifier,
    'authenticate': _to_authenticate,
}
