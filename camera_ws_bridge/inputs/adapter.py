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
What an adapter is made of: a function from a detector's message to the boxes of a frame.

An adapter takes the message and, if its boxes are in pixels, the size of the image as well; it
returns flat boxes, see `flat_box`. It keeps nothing and has no I/O. docs/detector.md shows one and
how it is installed.
"""

from __future__ import annotations

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.protocol.boxes import flat_box, FlatBox, NOT_TRACKED
from camera_ws_bridge.protocol.fields import INT64_MAX

__all__ = ['flat_box', 'FlatBox', 'NOT_TRACKED', 'object_id', 'rect_around', 'Size']

Size = tuple[int, int]  # width, height; pixels


def rect_around(
        centre: tuple[float, float], extent: tuple[float, float], size: Size,
        field: str = '') -> tuple[float, float, float, float]:
    """
    Return the normalised left, top, right and bottom of an upright box.

    centre: x, y; extent: width, height; both in the pixels of an image of that size. Raises
    EncodeError for an extent below 0, with the name of its field.
    """
    (x, y), (width, height) = centre, extent
    if width < 0 or height < 0:
        raise EncodeError(field, f'{width:g} x {height:g} is below 0')
    return ((x - width / 2) / size[0], (y - height / 2) / size[1],
            (x + width / 2) / size[0], (y + height / 2) / size[1])


def object_id(text: str) -> int:
    """Return the id of a tracked object that a text is; NOT_TRACKED if it is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return NOT_TRACKED
    number = int(text)
    return number if number <= INT64_MAX else NOT_TRACKED
