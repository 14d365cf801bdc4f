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
Messages of ROS straight from the bytes that DDS delivers, without ROS objects in between.

The format is CDR as DDS uses it for types that cannot be extended: four bytes that name the
encoding, then the fields in order, each aligned to its size (counted from behind those four).
What does not hold raises CdrError and names the field; nothing is read out of bounds, and the
buffer is not copied. Other encodings are somebody else's: see `understands`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import error as StructError, Struct, unpack_from

from camera_ws_bridge.errors import CdrError
from camera_ws_bridge.protocol.boxes import Boxes, FlatBox
from camera_ws_bridge.protocol.update import Update

ORDERS = {b'\0\0': '>', b'\0\1': '<'}  # byte order by the first two bytes
MAX_PADDING = 7  # bytes behind the last field
STRUCTS = 128  # that are kept, one per length of an object type

_HEADER = {order: Struct(order + 'iII') for order in ORDERS.values()}  # stamp, length of frame_id
_FRAME = {order: Struct(order + 'dII') for order in ORDERS.values()}  # to the number of boxes
_UPDATE = {order: Struct(order + 'QI4xqI') for order in ORDERS.values()}  # to the map's length


def understands(data: bytes) -> bool:
    """Tell whether the bytes are in the encoding that this module reads."""
    return data[:2] in ORDERS


def boxes(data: bytes) -> tuple[Boxes, tuple[int, int], int]:
    """Return boxes, unchecked, stamp and session of a Boxes message; raise CdrError."""
    order = _order(data)
    stamp, at = _header(data, order)
    try:
        frame_id, session, count = _FRAME[order].unpack_from(data, at)
    except StructError:
        raise _cut_short('frame_id', data) from None
    at += 16
    found: list[FlatBox] = []
    if count:
        # Most object types of a frame have the same length: then one call reads a box.
        length = 1
        unpack, size = _box(order, length)
        while len(found) < count:
            try:
                box = unpack(data, at)
                actual = box[5]
            except StructError:
                actual = _length(data, at, order)
                if actual in (-1, length):
                    raise _cut_short(f'boxes[{len(found)}]', data) from None
            if actual != length:
                length = actual
                unpack, size = _box(order, length)
                continue
            if box[7]:
                raise CdrError(f'boxes[{len(found)}].object_type', 'not ended by a zero byte')
            found.append(box)
            at += size
    _check_end(data, at)
    return Boxes(frame_id, found), stamp, session


def update(data: bytes) -> tuple[Update, int]:
    """Return object and map, and session, of an Update message; raise CdrError."""
    order = _order(data)
    _, at = _header(data, order)
    try:
        _, session, object_id, count = _UPDATE[order].unpack_from(data, at)
        at += _UPDATE[order].size
    except StructError:
        raise _cut_short('object_id', data) from None
    if not count:
        _check_end(data, at)
        return Update(object_id), session
    at = _aligned(at)
    if at + 8 * count > len(data):
        raise _cut_short('feature_map', data)
    feature_map: tuple[float, ...] = unpack_from(f'{order}{count}d', data, at)
    _check_end(data, at + 8 * count)
    return Update(object_id, feature_map), session


def _order(data: bytes) -> str:
    if not understands(data):
        raise CdrError('', f'bytes that begin with {data[:2].hex() or "nothing"}')
    return ORDERS[data[:2]]


def _header(data: bytes, order: str) -> tuple[tuple[int, int], int]:
    """Return the stamp, and where what follows the header begins, aligned to 8."""
    try:
        seconds, nanoseconds, length = _HEADER[order].unpack_from(data, 4)
    except StructError:
        raise _cut_short('header', data) from None
    return (seconds, nanoseconds), _aligned(4 + _HEADER[order].size + length)


def _aligned(at: int) -> int:
    return at + (4 - at) % 8


@lru_cache(STRUCTS)
def _box(order: str, length: int) -> tuple[Callable[[bytes, int], FlatBox], int]:
    """Return what reads a box whose object type takes `length` bytes, and the box's size."""
    if length:
        text, padding = f'{length - 1}sB', (4 - length) % 8
    else:  # some implementations write an empty string without its zero byte
        text, padding = '', 4
    box = Struct(f'{order}q4dI{text}{padding}xdq')
    if length:
        return box.unpack_from, box.size

    def unpack(data: bytes, at: int) -> FlatBox:
        box_id, left, top, right, bottom, length, certainty, object_id = box.unpack_from(data, at)
        return box_id, left, top, right, bottom, length, b'', 0, certainty, object_id
    return unpack, box.size


def _length(data: bytes, at: int, order: str) -> int:
    """Return the length of the object type of the box that begins there."""
    try:
        length: int = unpack_from(order + '40xI', data, at)[0]
    except StructError:
        return -1
    return length


def _check_end(data: bytes, at: int) -> None:
    if not 0 <= len(data) - at <= MAX_PADDING:
        raise CdrError('', f'{len(data)} bytes instead of {at}')


def _cut_short(field: str, data: bytes) -> CdrError:
    return CdrError(field, f'cut short: the message ends after {len(data)} bytes')
