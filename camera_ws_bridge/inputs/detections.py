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

"""From a detector's messages to boxes, by an adapter: image size and frame ids."""

from __future__ import annotations

from typing import Any

from camera_ws_bridge.bridge import CURRENT
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.errors import CdrError, EncodeError
from camera_ws_bridge.inputs import detection2d, foreign
from camera_ws_bridge.inputs.adapter import FlatBox, NOT_TRACKED, Size
from camera_ws_bridge.inputs.adapters import Adapter, YOLO
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
from camera_ws_bridge.ros.serialized import deserialize
from camera_ws_bridge.ros.shelf import Shelf
from camera_ws_bridge.tracking.frame_stamps import FrameIds, Stamp
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

STAMP_END = 12  # bytes of a serialised message up to its header's stamp, which always differs


class Detections:
    """Decodes the detections of one camera."""

    def __init__(
            self, node: Node, values: Parameters, adapter: Adapter, frame_ids: FrameIds,
            shelf: Shelf) -> None:
        """Subscribe to camera_info, if the size of the image is needed and not given."""
        self.message_type = adapter.message_type
        self._node = node
        self._adapter = adapter
        self._with_ids = values.detection_ids
        self._frame_ids = frame_ids
        self._shelf = shelf
        self._size: Size | None = None
        self._camera_info: AdaptiveSubscription | None = None
        self._seen = b''
        self._warned: set[str] = set()
        if values.image_width:
            self._size = values.image_width, values.image_height
        elif adapter.in_pixels:
            self._camera_info = shelf.subscribe(
                CameraInfo, 'camera_info', self._on_camera_info, qos.CAMERA_INFO)

    def destroy(self) -> None:
        """Subscribe no more."""
        if self._camera_info is not None:
            self._shelf.unsubscribe(self._camera_info)

    def decode(self, message: bytes) -> tuple[Boxes, Stamp, int]:
        """Return boxes, stamp and session of a serialised message; raise MessageError."""
        if self._adapter.in_pixels and self._size is None:
            topic = self._node.resolve_topic_name('camera_info')
            raise EncodeError(
                '', f'the size of the image is not known: nothing came on {topic}; set '
                'image_width and image_height, or remap camera_info', 'no_image_size')
        detections = deserialize(message, self._adapter.message_type)
        stamp = detections.header.stamp.sec, detections.header.stamp.nanosec
        if stamp == (0, 0):
            self._warn_once('detections have no header.stamp: a Start cannot name their frame')
        frame_id = self._frame_ids.of(stamp)
        found = self._boxes(detections)
        if not self._with_ids:
            found = [(*box[:-1], NOT_TRACKED) for box in found]
        return Boxes(frame_id, found), stamp, CURRENT

    def _boxes(self, detections: Any) -> Any:
        adapter = self._adapter
        given = (detections, self._size) if adapter.in_pixels else (detections,)
        if adapter.source:
            return foreign.boxes(adapter.boxes, adapter.source, *given)
        if detection2d.is_rotated(detections):
            self._warn_once('rotated bounding boxes are sent as if they were upright')
        found = adapter.boxes(*given)
        if adapter.type_name == YOLO and self._with_ids and any(map(_is_tracked, found)):
            self._warn_once(
                'ids of detections are sent as those of tracked objects: if they are those of '
                "yolo_ros's own tracker, set detection_ids to false")
        return found

    def _on_camera_info(self, message: bytes) -> None:
        # It comes with every image, and says the same but for its stamp.
        if message[STAMP_END:] == self._seen:
            return
        try:
            size = detection2d.image_size(deserialize(message, CameraInfo))
        except CdrError as error:
            self._warn_once(f'message on camera_info ignored: {error}')
            return
        self._seen = message[STAMP_END:]
        if size is None:
            self._warn_once('camera_info has no width and height: set image_width, image_height')
        elif size != self._size:
            self._size = size
            self._node.get_logger().info(f'images are {size[0]} x {size[1]} pixels')

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._node.get_logger().warning(text)


def _is_tracked(box: FlatBox) -> bool:
    return box[-1] != NOT_TRACKED
