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
The adapter of yolo_ros: its detections to the boxes of a frame.

Takes anything with the fields of yolo_msgs/msg/DetectionArray, so that it needs no yolo_msgs.
"""

from __future__ import annotations

from typing import Any

from camera_ws_bridge.inputs.adapter import flat_box, FlatBox, object_id, rect_around, Size


def boxes(message: Any, size: Size) -> list[FlatBox]:
    """
    Return the boxes of a DetectionArray, each with its index as box id; rotation is ignored.

    size: of the image in whose pixels the detections are. Raises EncodeError for a box with a size
    below 0; whether the values can be sent is checked when they are encoded.
    """
    return [_box(index, detection, size) for index, detection in enumerate(message.detections)]


def _box(index: int, detection: Any, size: Size) -> FlatBox:
    centre, extent = detection.bbox.center.position, detection.bbox.size
    rect = rect_around(
        (centre.x, centre.y), (extent.x, extent.y), size, f'detections[{index}].bbox.size')
    return flat_box(
        index, rect, detection.class_name, detection.score, object_id(detection.id))
