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

from camera_ws_bridge import convert, qos, wire
from camera_ws_bridge.errors import MessageError
from camera_ws_bridge.frame_stamps import Stamp
from camera_ws_bridge.messages import Boxes
from camera_ws_bridge.node.adaptive_subscription import AdaptiveSubscription
from camera_ws_bridge.node.detections import Detections
from camera_ws_bridge.parameters import DETECTION2D, Parameters
from camera_ws_bridge.runtime import Bridge
from camera_ws_bridge_msgs import msg as ros
from rclpy.node import Node
from rclpy.serialization import deserialize_message

Decode = Callable[[bytes], tuple[Boxes, Stamp]]


class BoxesInput:
    """Hands every frame that the protocol can carry to the bridge."""

    def __init__(self, node: Node, bridge: Bridge, values: Parameters) -> None:
        """Subscribe; raise ConfigurationError if vision_msgs is asked for and not there."""
        self._bridge = bridge
        self._detections: Detections | None = None
        self._decode: Decode = _decode
        message_type: type = ros.Boxes
        if values.boxes_type == DETECTION2D:
            self._detections = Detections(node, values)
            self._decode = self._detections.decode
            message_type = self._detections.message_type
        self._subscription = AdaptiveSubscription(
            node, message_type, 'boxes', self._on_boxes, qos.BOXES)

    def destroy(self) -> None:
        """Subscribe no more."""
        self._subscription.destroy()
        if self._detections is not None:
            self._detections.destroy()

    def _on_boxes(self, message: bytes) -> None:
        try:
            boxes, stamp = self._decode(message)
            payload = wire.encode_utf8(boxes)
        except MessageError as error:
            self._bridge.reject('boxes', error)
            return
        self._bridge.submit_boxes(boxes.frame_id, stamp, payload)


def _decode(message: bytes) -> tuple[Boxes, Stamp]:
    boxes = deserialize_message(message, ros.Boxes)
    stamp = boxes.header.stamp
    return convert.boxes_from_ros(boxes), (stamp.sec, stamp.nanosec)
