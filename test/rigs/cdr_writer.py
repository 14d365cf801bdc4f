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

"""A reference encoder of what DDS delivers, as plain as can be."""

import struct


class Writer:
    """The bytes of one message, in one byte order."""

    def __init__(self, order):
        self.order = order
        self.bytes = b''

    def put(self, code, *values):
        """Write numbers of one type, each aligned to its size."""
        for value in values:
            size = struct.calcsize('=' + code)
            self.bytes += bytes(-len(self.bytes) % size)
            self.bytes += struct.pack(self.order + code, value)

    def text(self, value, zero=b'\0'):
        """Write a string with its length."""
        data = value.encode() + zero
        self.put('I', len(data))
        self.bytes += data

    def header(self, stamp, camera):
        """Write a std_msgs/msg/Header."""
        self.put('i', stamp[0])
        self.put('I', stamp[1])
        self.text(camera)

    def done(self):
        """Return the bytes, behind the name of their encoding."""
        return (b'\0\1\0\0' if self.order == '<' else b'\0\0\0\0') + self.bytes


def encode_boxes(value, order, writer=Writer):
    """Return a Boxes message: stamp, camera, frame_id, session and boxes."""
    stamp, camera, frame_id, session, boxes = value
    writer = writer(order)
    writer.header(stamp, camera)
    writer.put('d', frame_id)
    writer.put('I', session)
    writer.put('I', len(boxes))
    for box_id, *rect, object_type, certainty, object_id in boxes:
        writer.put('q', box_id)
        writer.put('d', *rect)
        writer.text(object_type)
        writer.put('d', certainty)
        writer.put('q', object_id)
    return writer.done()


def encode_update(value, order, writer=Writer):
    """Return an Update message: stamp, camera, sequence, session, object_id and numbers."""
    stamp, camera, sequence, session, object_id, numbers = value
    writer = writer(order)
    writer.header(stamp, camera)
    writer.put('Q', sequence)
    writer.put('I', session)
    writer.put('q', object_id)
    writer.put('I', len(numbers))
    writer.put('d', *numbers)
    return writer.done()
