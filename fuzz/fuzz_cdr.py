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
Any bytes as a message of ROS: what rclpy reads in them, or a CdrError.

What is read goes on to the wire and comes back as it is, or is refused by the name of a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fuzzing

with fuzzing.instrumented():
    from camera_ws_bridge.errors import CdrError, EncodeError
    from camera_ws_bridge.inputs import cdr
    from camera_ws_bridge.protocol import codec
    from camera_ws_bridge.protocol.boxes import Boxes, FlatBox
    from rigs.codec_rig import exact

try:
    from camera_ws_bridge_msgs import msg as ros
    from rclpy.serialization import deserialize_message
except ImportError:  # only what needs no ROS is looked at
    ros = None

INFINITY = b'\0\0\0\0\0\0\xf0\x7f'
WORDS = [
    b'\0\0\0\0', b'\0\1\0\0', b'\0\7\0\0', b'\1\0\0\0', b'\0\0\0\1', b'\7\0\0\0person\0',
    b'\0\0\0\7person\0', b'\xff' * 4, b'\xff' * 8, b'\xff\xff\xff\x7f', INFINITY, INFINITY[::-1]]


def check(data: bytes) -> None:
    """Read both messages that the bridge takes."""
    found = read(cdr.boxes, data)
    if found is not None:
        if ros is not None:
            check_boxes_against_rclpy(data, *found)
        check_boxes_on_the_wire(found[0])
    read_update = read(cdr.update, data)
    if read_update is not None:
        update, session = read_update
        if ros is not None:
            message = deserialize_message(data, ros.Update)
            assert exact((message.session, message.object_id, tuple(message.feature_map))) == (
                exact((session, update.object_id, update.feature_map)))
        payload = written(lambda: codec.encode_utf8(update))
        if payload is not None:
            assert exact(codec.decode(payload)) == exact(update)


def read(reader: Callable[[bytes], Any], data: bytes) -> Any:
    """Return the message; None: it is refused as it should be."""
    try:
        return reader(data)
    except CdrError as error:
        assert error.cause == 'malformed', error.cause
        fuzzing.assert_in_words(error)
    return None


def written(writer: Callable[[], bytes]) -> bytes | None:
    """Return the text for the wire; None: it is refused by the name of a field."""
    try:
        return writer()
    except EncodeError as error:
        assert error.field and error.cause == 'invalid_field', (error.field, error.cause)
        fuzzing.assert_in_words(error)
    return None


def check_boxes_against_rclpy(
        data: bytes, boxes: Boxes, boxes_stamp: tuple[int, int], session: int) -> None:
    """Compare with what the middleware reads."""
    message = deserialize_message(data, ros.Boxes)
    stamp = message.header.stamp
    assert (stamp.sec, stamp.nanosec, message.session) == (*boxes_stamp, session)
    assert exact(message.frame_id) == exact(boxes.frame_id)
    # It cuts a string at a zero byte, and replaces what is not UTF-8.
    assert exact([
        (*numbers(box), box[6].split(b'\0')[0].decode(errors='replace'))
        for box in boxes.boxes]) == exact([
            (box.box_id, *map(float, box.rect), box.certainty, box.object_id, box.object_type)
            for box in message.boxes])


def check_boxes_on_the_wire(boxes: Boxes) -> None:
    """Write them and read them again."""
    payload = written(lambda: codec.encode_utf8(boxes))
    if payload is None:
        return
    message = codec.decode(payload)
    assert isinstance(message, Boxes)
    assert exact(message.frame_id) == exact(boxes.frame_id)
    assert exact([(*numbers(box), box[6]) for box in boxes.boxes]) == exact(
        [(*numbers(box), box[6]) for box in message.boxes])


def numbers(box: FlatBox) -> tuple[int | float, ...]:
    """Return box id, rect, certainty and object id."""
    return box[0], *box[1:5], box[8], box[9]


def seeds() -> Iterator[bytes]:
    """Return both messages in both byte orders: whole, and cut at each of their fields."""
    from rigs.cdr_writer import encode_boxes, encode_update

    found = [(number, 0.1, 0.2, 0.3, 0.4, kind, 0.9, number - 2)
             for number, kind in enumerate(['person', 'person', '', 'dog', 'F\u00fc\u00dfe'])]
    for order in '<>':
        for count in range(len(found) + 1):
            yield encode_boxes(((1, 2), 'camera'[count:], 0.5, count, found[:count]), order)
            yield encode_update(((1, 2), 'camera'[count:], 3, 4, 5, [0.5] * count), order)
        whole = encode_boxes(((1, 2), 'camera', 0.5, 6, found), order)
        for end in range(0, len(whole), 4):
            yield whole[:end]


if __name__ == '__main__':
    fuzzing.run('cdr', check, seeds(), WORDS)
