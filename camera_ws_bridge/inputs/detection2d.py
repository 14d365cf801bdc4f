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
The adapter of vision_msgs: detections to the boxes of a frame.

Takes anything with the fields of vision_msgs/msg/Detection2DArray (vision_msgs 4: Humble and
newer), so that it needs neither ROS nor vision_msgs.
"""

from __future__ import annotations

import math
from typing import Any

from camera_ws_bridge.inputs.adapter import flat_box, FlatBox, object_id, rect_around, Size


def boxes(message: Any, size: Size) -> list[FlatBox]:
    """
    Return the boxes of a Detection2DArray, each with its index as box id; rotation is ignored.

    size: of the image in whose pixels the detections are. Raises EncodeError for a box with a size
    below 0; whether the values can be sent is checked when they are encoded.
    """
    return [_box(index, detection, size) for index, detection in enumerate(message.detections)]


def is_rotated(message: Any) -> bool:
    """Return whether any detection, also one of yolo_ros, has a rotated bounding box."""
    return any(detection.bbox.center.theta for detection in message.detections)


def image_size(camera_info: Any) -> Size | None:
    """Return the size of the images that a CameraInfo speaks of; None: it does not say."""
    width = camera_info.roi.width or camera_info.width
    height = camera_info.roi.height or camera_info.height
    width //= camera_info.binning_x or 1
    height //= camera_info.binning_y or 1
    return (width, height) if width and height else None


def _box(index: int, detection: Any, size: Size) -> FlatBox:
    object_type, certainty = _best(detection.results)
    bbox = detection.bbox
    rect = rect_around(
        (bbox.center.position.x, bbox.center.position.y), (bbox.size_x, bbox.size_y), size,
        f'detections[{index}].bbox.size')
    return flat_box(index, rect, object_type, certainty, object_id(detection.id))


def _best(results: Any) -> tuple[str, float]:
    # A detector without classes gives no hypothesis; its boxes are worth having all the same.
    if not results:
        return '', 0.0
    best = max((result.hypothesis for result in results), key=_score)
    return best.class_id, best.score


def _score(hypothesis: Any) -> float:
    # NaN compares with nothing: it would win or lose by its place in the list.
    return -math.inf if math.isnan(hypothesis.score) else float(hypothesis.score)
