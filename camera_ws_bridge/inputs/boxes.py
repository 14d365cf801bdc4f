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

"""The `boxes` topic: what a detector found on each frame."""

from __future__ import annotations

from collections.abc import Callable

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.inputs import cdr, from_ros
from camera_ws_bridge.inputs.detections import Detections
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.serialized import deserialize
from camera_ws_bridge.ros.shelf import Shelf
from camera_ws_bridge.tracking.frame_stamps import Stamp
from camera_ws_bridge_msgs import msg as ros

Decode = Callable[[bytes], tuple[Boxes, Stamp, int]]  # to boxes, their stamp and session


class BoxesInput:
    """Hands every frame that the protocol can carry to the bridge."""

    def __init__(self, bridge: Bridge, detections: Detections | None, shelf: Shelf) -> None:
        """
        Subscribe; raise ConfigurationError for QoS overrides that are none.

        detections: what decodes messages of another type than Boxes.
        """
        self._bridge = bridge
        self._decode: Decode = decode if detections is None else detections.decode
        self._shelf = shelf
        self._subscription = shelf.subscribe(
            ros.Boxes if detections is None else detections.message_type, 'boxes',
            self._on_boxes, qos.BOXES)

    def look(self) -> None:
        """Follow the topic's publishers; call this every second or so."""
        self._bridge.lost['boxes'] += self._subscription.look()

    def destroy(self) -> None:
        """Subscribe no more."""
        self._shelf.unsubscribe(self._subscription)

    def _on_boxes(self, message: bytes) -> None:
        try:
            boxes, stamp, session = self._decode(message)
            self._bridge.submit_boxes(
                boxes.frame_id, stamp, codec.encode_utf8(boxes), session)
        except Exception as error:
            self._bridge.reject('boxes', error)


def decode(message: bytes) -> tuple[Boxes, Stamp, int]:
    """Return the boxes of a serialised Boxes, their stamp and session; raise MessageError."""
    if cdr.understands(message):
        return cdr.boxes(message)
    return from_ros.boxes_from_ros(deserialize(message, ros.Boxes))
