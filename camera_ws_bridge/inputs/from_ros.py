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

"""ROS messages, as rclpy makes them, to the bridge's messages."""

from __future__ import annotations

from camera_ws_bridge.protocol.boxes import Boxes, flat_box, FlatBox
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge_msgs import msg as ros


def boxes_from_ros(message: ros.Boxes) -> tuple[Boxes, tuple[int, int], int]:
    """Return the boxes of a frame, unchecked, their stamp and session."""
    stamp = message.header.stamp
    return (Boxes(message.frame_id, [*map(_box_from_ros, message.boxes)]),
            (stamp.sec, stamp.nanosec), message.session)


def _box_from_ros(box: ros.Box) -> FlatBox:
    return flat_box(
        box.box_id, box.rect.tolist(), box.object_type, box.certainty, box.object_id)


def update_from_ros(message: ros.Update) -> Update:
    """Return a feature map that the re-ID node extracted."""
    return Update(message.object_id, tuple(message.feature_map))
