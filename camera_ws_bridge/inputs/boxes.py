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

"""The `boxes` topic: what a detector found on each frame, in one of two message types."""

from __future__ import annotations

from collections.abc import Callable

from camera_ws_bridge.bridge import Bridge, CURRENT
from camera_ws_bridge.config.parameters import DETECTION2D, Parameters
from camera_ws_bridge.inputs import cdr, from_ros
from camera_ws_bridge.inputs.detections import Detections
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
from camera_ws_bridge.ros.serialized import deserialize
from camera_ws_bridge.tracking.frame_stamps import Stamp
from camera_ws_bridge_msgs import msg as ros
from rclpy.node import Node

Encoded = tuple[float, Stamp, bytes, int]  # frame id, stamp, JSON and session
Encode = Callable[[bytes], Encoded]


class BoxesInput:
    """Hands every frame that the protocol can carry to the bridge."""

    def __init__(self, node: Node, bridge: Bridge, values: Parameters) -> None:
        """Subscribe; raise ConfigurationError if vision_msgs is asked for and not there."""
        self._bridge = bridge
        self._detections: Detections | None = None
        self._encode: Encode = encode
        message_type: type = ros.Boxes
        if values.boxes_type == DETECTION2D:
            self._detections = Detections(node, values)
            self._encode = self._encode_detections
            message_type = self._detections.message_type
        self._subscription = AdaptiveSubscription(
            node, message_type, 'boxes', self._on_boxes, qos.BOXES)

    def look(self) -> None:
        """Follow the topic's publishers; call this every second or so."""
        self._subscription.look()

    def configure(self, values: Parameters) -> None:
        """Go by other values of the live parameters from now on."""
        if self._detections is not None:
            self._detections.configure(values)

    def destroy(self) -> None:
        """Subscribe no more."""
        self._subscription.destroy()
        if self._detections is not None:
            self._detections.destroy()

    def _on_boxes(self, message: bytes) -> None:
        try:
            self._bridge.submit_boxes(*self._encode(message))
        except Exception as error:
            self._bridge.reject('boxes', error)

    def _encode_detections(self, message: bytes) -> Encoded:
        assert self._detections is not None
        boxes, stamp = self._detections.decode(message)
        return boxes.frame_id, stamp, codec.encode_utf8(boxes), CURRENT


def encode(message: bytes) -> Encoded:
    """Return what a serialised Boxes holds; raise MessageError."""
    if cdr.understands(message):
        stamp, frame_id, session, boxes = cdr.boxes(message)
        return frame_id, stamp, codec.encode_boxes(frame_id, boxes), session
    found = deserialize(message, ros.Boxes)
    header = found.header.stamp
    return (found.frame_id, (header.sec, header.nanosec),
            codec.encode_utf8(from_ros.boxes_from_ros(found)), found.session)
