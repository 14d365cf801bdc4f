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
The messages of the orchestrator's protocol, as values.

They are plain frozen data: the codec turns them into JSON text and back, inputs.from_ros and
outputs.to_ros into ROS messages and back. Only these modules know how a message looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    """What travels over the WebSocket; each subclass is one `type` of the protocol."""


@dataclass(frozen=True)
class Box:
    """
    One object found on a frame.

    rect: left, top, right, bottom as fractions of the image (origin top left); certainty: 0 to 1;
    object_id: the tracked object's id, None where the box is not of a tracked object.
    """

    box_id: int
    rect: tuple[float, float, float, float]
    object_type: str
    certainty: float
    object_id: int | None = None


@dataclass(frozen=True)
class Boxes(Message):
    """All boxes of one frame; frame_id is the frame's time stamp in the stream, in seconds."""

    frame_id: float
    boxes: tuple[Box, ...] = ()


NOT_TRACKED = -1  # ROS's object_id of a box that is not of a tracked object

# A box as it lies in ROS's bytes, to save building a Box: box_id, left, top, right, bottom, the
# length of object_type, object_type in UTF-8, 0, certainty, object_id or NOT_TRACKED. Unchecked.
FlatBox = tuple[int, float, float, float, float, int, bytes, int, float, int]


@dataclass(frozen=True)
class Start(Message):
    """
    Track this object: shown by `image` (a PNG file), by a box of a frame, or by both.

    frame_id and box_id are set together or not at all.
    """

    object_id: int
    frame_id: float | None = None
    box_id: int | None = None
    image: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Stop(Message):
    """Stop tracking this object."""

    object_id: int


@dataclass(frozen=True)
class Update(Message):
    """The feature map of a tracked object; empty: none is known yet."""

    object_id: int
    feature_map: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Identifier(Message):
    """Registers the connection under a camera's id."""

    camera_id: str


@dataclass(frozen=True)
class Authenticate(Message):
    """Shows the orchestrator a JSON Web Token; goes before everything else."""

    jwt: str = field(repr=False)
