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

"""The QoS profiles of all topics, by name."""

from __future__ import annotations

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

# Frames are many, and each is worth having: reliable, with room for a hiccup of the process.
BOXES = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)

FEATURE_MAP = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)

# Latched: the newest status for whoever looks.
STATUS = QoSProfile(
    depth=1, reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)

DIAGNOSTICS = QoSProfile(depth=10)


def commands(depth: int) -> QoSProfile:
    """Return the profile of start, stop and update: remembered for a node that comes up later."""
    return QoSProfile(
        depth=depth, reliability=QoSReliabilityPolicy.RELIABLE,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
