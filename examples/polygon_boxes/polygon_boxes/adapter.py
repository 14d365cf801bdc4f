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

"""A motion detector's outlines, in pixels, to boxes."""

from camera_ws_bridge.inputs.adapter import flat_box


def boxes(message, size):
    """Return the box around a geometry_msgs/msg/PolygonStamped; no points: nothing moves."""
    width, height = size
    across = [point.x / width for point in message.polygon.points]
    down = [point.y / height for point in message.polygon.points]
    if not across:
        return []
    return [flat_box(0, (min(across), min(down), max(across), max(down)), 'moving', 1.0)]
