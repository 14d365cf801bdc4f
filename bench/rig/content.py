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

"""What is sent: frames with boxes as a detector finds them, serialised once and then patched."""

from __future__ import annotations

import random
import struct

from camera_ws_bridge_msgs.msg import Box, Boxes
from rclpy.serialization import serialize_message

TYPES = ('person', 'car', 'bicycle', 'truck', 'dog')
MARK = -3.7e-9


def boxes(count: int, frame_id: float = 0.0) -> Boxes:
    """Return a frame with `count` boxes; always the same for the same count."""
    chance = random.Random(count)
    message = Boxes(frame_id=frame_id)
    message.header.stamp.sec, message.header.stamp.nanosec = 1_760_000_000, 123_456_789
    message.header.frame_id = 'camera'
    for box_id in range(count):
        left, top = chance.uniform(0, 0.9), chance.uniform(0, 0.9)
        message.boxes.append(Box(
            box_id=box_id,
            rect=[left, top, left + chance.uniform(0, 0.1), top + chance.uniform(0, 0.1)],
            object_type=chance.choice(TYPES), certainty=chance.uniform(0.3, 1.0),
            object_id=box_id if box_id % 10 == 9 else -1))
    return message


class Template:
    """The serialised message of a frame, whose frame id can be set without ROS."""

    def __init__(self, count: int) -> None:
        """Serialise a frame with `count` boxes."""
        data = serialize_message(boxes(count, MARK))
        mark = struct.pack('<d', MARK)
        # Where the layout has the frame id need not be known: nothing else looks like this.
        if data.count(mark) != 1:
            raise ValueError('the frame id cannot be found in the serialised message')
        self._at = data.index(mark)
        self._data = bytearray(data)

    def with_frame_id(self, frame_id: float) -> bytes:
        """Return the serialised message of that frame."""
        struct.pack_into('<d', self._data, self._at, frame_id)
        return bytes(self._data)
