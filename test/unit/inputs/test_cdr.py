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

"""Bytes of ROS: the same as rclpy's own (de)serialiser, and an error for anything else."""

import random
import struct

from camera_ws_bridge.errors import CdrError, EncodeError
from camera_ws_bridge.inputs import cdr
from camera_ws_bridge.protocol import codec
from hypothesis import example, given, strategies as st
import pytest
from rigs.cdr_writer import encode_boxes, encode_update, Writer

INT64 = st.integers(-2**63, 2**63 - 1)
UINT32 = st.integers(0, 2**32 - 1)
DOUBLE = st.floats(allow_nan=True, allow_infinity=True)
# Without a zero: rclpy cuts a string there.
TEXT = st.text(st.characters(blacklist_categories=['Cs'], blacklist_characters='\0'), max_size=20)
STAMP = st.tuples(st.integers(-2**31, 2**31 - 1), UINT32)
BOX = st.tuples(INT64, DOUBLE, DOUBLE, DOUBLE, DOUBLE, TEXT, DOUBLE, INT64)
BOXES = st.tuples(STAMP, TEXT, DOUBLE, UINT32, st.lists(BOX, max_size=6))
UPDATE = st.tuples(
    STAMP, TEXT, st.integers(0, 2**64 - 1), UINT32, INT64, st.lists(DOUBLE, max_size=6))
ONE_BOX = ((1, 2), 'camera', 0.5, 6, [(1, 0.1, 0.2, 0.3, 0.4, 'person', 0.9, -1)])


def ros_boxes(value):
    msg = pytest.importorskip('camera_ws_bridge_msgs.msg')
    (seconds, nanoseconds), camera, frame_id, session, boxes = value
    message = msg.Boxes(frame_id=frame_id, session=session)
    message.header.stamp.sec, message.header.stamp.nanosec = seconds, nanoseconds
    message.header.frame_id = camera
    message.boxes = [msg.Box(
        box_id=box_id, rect=[*rect], object_type=object_type, certainty=certainty,
        object_id=object_id) for box_id, *rect, object_type, certainty, object_id in boxes]
    return message


def bits(*numbers):
    return [struct.pack('<d', number) for number in numbers]


def same(found, value):
    """Assert that the boxes are those, bit for bit."""
    stamp, camera, frame_id, session, boxes = value
    found, *stamp_and_session = found
    assert stamp_and_session == [stamp, session]
    assert bits(found.frame_id) == bits(frame_id)
    assert len(found.boxes) == len(boxes)
    for flat, (box_id, *rect, object_type, certainty, object_id) in zip(found.boxes, boxes):
        assert (flat[0], flat[9]) == (box_id, object_id)
        assert bits(*flat[1:5], flat[8]) == bits(*rect, certainty)
        assert flat[6].decode() == object_type
        assert flat[7] == 0


@given(BOXES)
def test_boxes_of_rclpy_are_read(value):
    serialization = pytest.importorskip('rclpy.serialization')
    data = bytes(serialization.serialize_message(ros_boxes(value)))
    assert cdr.understands(data)
    same(cdr.boxes(data), value)
    assert 0 <= len(data) - len(encode_boxes(value, '<')) < 4  # it fills up the end


@given(BOXES, st.sampled_from('<>'))
@example(ONE_BOX, '>')
def test_boxes_in_both_byte_orders_are_read(value, order):
    same(cdr.boxes(encode_boxes(value, order)), value)


@given(BOXES)
def test_rclpy_reads_the_reference_alike(value):
    serialization = pytest.importorskip('rclpy.serialization')
    from camera_ws_bridge_msgs.msg import Boxes as RosBoxes
    message = serialization.deserialize_message(encode_boxes(value, '>'), RosBoxes)
    assert repr(message) == repr(ros_boxes(value))


@given(UPDATE, st.sampled_from('<>'))
def test_updates_in_both_byte_orders_are_read(value, order):
    found, session = cdr.update(encode_update(value, order))
    assert (session, found.object_id) == value[3:5]
    assert bits(*found.feature_map) == bits(*value[5])


@given(UPDATE)
def test_updates_of_rclpy_are_read(value):
    serialization = pytest.importorskip('rclpy.serialization')
    from camera_ws_bridge_msgs.msg import Update as RosUpdate
    (seconds, nanoseconds), camera, sequence, session, object_id, numbers = value
    message = RosUpdate(
        sequence=sequence, session=session, object_id=object_id, feature_map=numbers)
    message.header.stamp.sec, message.header.stamp.nanosec = seconds, nanoseconds
    message.header.frame_id = camera
    found, found_session = cdr.update(bytes(serialization.serialize_message(message)))
    assert (found_session, found.object_id, bits(*found.feature_map)) == (
        session, object_id, bits(*numbers))


def test_cut_at_every_byte():
    boxes = [(number, 0.1, 0.2, 0.3, 0.4, 'x' * number, 0.5, 7) for number in range(10)]
    for order in '<>':
        for read, whole in (
                (cdr.boxes, encode_boxes(((1, 2), 'camera', 0.5, 6, boxes), order)),
                (cdr.boxes, encode_boxes(((1, 2), 'camera', 0.5, 6, boxes[::-1]), order)),
                (cdr.update, encode_update(((1, 2), 'camera', 3, 4, 5, [0.5] * 10), order))):
            read(whole)
            for end in range(len(whole)):
                with pytest.raises(CdrError):
                    read(whole[:end])


def test_the_place_of_a_cut_is_named():
    boxes = [(number, 0.1, 0.2, 0.3, 0.4, 'person', 0.5, 7) for number in range(3)]
    whole = encode_boxes(((1, 2), 'camera', 0.5, 6, boxes), '<')
    for end, field in ((10, 'header'), (26, 'frame_id'), (60, 'boxes[0]'),
                       (len(whole) - 1, 'boxes[2]')):
        with pytest.raises(CdrError, match='cut short') as caught:
            cdr.boxes(whole[:end])
        assert (caught.value.field, caught.value.cause) == (field, 'malformed')
    whole = encode_update(((1, 2), 'camera', 3, 4, 5, [0.5] * 3), '<')
    for end, field in ((50, 'object_id'), (len(whole) - 1, 'feature_map')):
        with pytest.raises(CdrError, match='cut short') as caught:
            cdr.update(whole[:end])
        assert caught.value.field == field


@given(st.binary(max_size=200), st.sampled_from([b'', b'\0\0\0\0', b'\0\1\0\0']))
def test_any_bytes_are_a_message_or_our_error(data, head):
    for read in (cdr.boxes, cdr.update):
        try:
            read(head + data)
        except CdrError:
            pass


def test_flipped_bytes_are_a_message_or_our_error():
    chance = random.Random(1)
    boxes = [(number, 0.1, 0.2, 0.3, 0.4, 'person'[:number], 0.5, 7) for number in range(6)]
    whole = encode_boxes(((1, 2), 'camera', 0.5, 6, boxes), '<')
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            codec.encode_utf8(cdr.boxes(bytes(data))[0])
        except (CdrError, EncodeError):
            pass


def test_other_encodings_are_not_understood():
    for head in b'', b'\0', b'\0\7\0\0', b'\0\3\0\0':
        assert not cdr.understands(head), head
        with pytest.raises(CdrError):
            cdr.boxes(head + bytes(100))


def test_a_length_that_lies():
    whole = bytearray(encode_boxes(ONE_BOX, '<'))
    whole[40:44] = struct.pack('<I', 2**32 - 1)  # number of boxes
    with pytest.raises(CdrError, match=r'boxes\[1\]'):
        cdr.boxes(bytes(whole))
    update = bytearray(encode_update(((1, 2), '', 3, 4, 5, [0.5]), '<'))
    update[-16:-12] = struct.pack('<I', 2**32 - 1)
    with pytest.raises(CdrError, match='feature_map'):
        cdr.update(bytes(update))


def test_bytes_behind_the_end():
    for whole, read in ((encode_boxes(ONE_BOX, '<'), cdr.boxes),
                        (encode_update(((1, 2), '', 3, 4, 5, []), '<'), cdr.update)):
        read(whole + bytes(3))
        with pytest.raises(CdrError, match='bytes instead of'):
            read(whole + bytes(8))


def test_an_object_type_that_does_not_end():
    data = encode_boxes(ONE_BOX, '<')
    with pytest.raises(CdrError, match=r'boxes\[0\].object_type: not ended by a zero byte'):
        cdr.boxes(data.replace(b'person\0', b'persons'))


def test_an_empty_object_type_without_its_zero():
    writer = Writer('<')
    writer.put('i', 1)
    writer.put('I', 2)
    writer.text('', zero=b'')
    writer.put('d', 0.5)
    writer.put('I', 6, 2)
    for object_id in (3, 4):
        writer.put('q', 1)
        writer.put('d', 0.1, 0.2, 0.3, 0.4)
        writer.text('', zero=b'')
        writer.put('d', 0.9)
        writer.put('q', object_id)
    found = cdr.boxes(writer.done())[0]
    assert [(box[6], box[9]) for box in found.boxes] == [(b'', 3), (b'', 4)]
