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

"""The topics `~/start`, `~/stop`, `~/update` and `~/tracked_objects`."""

from __future__ import annotations

from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.outputs import to_ros
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.endpoints import create_publisher
from camera_ws_bridge.tracking.frame_stamps import Stamp
from camera_ws_bridge.tracking.tracked_objects import Command, Session
from camera_ws_bridge_msgs.msg import Start, Stop, TrackedObjects, Update
from rclpy.node import Node


class Commands:
    """Publishes what the re-ID node has to know."""

    is_calm = True  # they can be destroyed at any time

    def __init__(self, node: Node, queue_depth: int) -> None:
        """Create the publishers; raise ConfigurationError for QoS overrides that are none."""
        self.queue_depth = queue_depth
        self.has_told = False  # whoever comes late hears of it from these publishers
        self._node = node
        self._clock = node.get_clock()
        self._publishers: dict[type, Any] = {}
        commands = qos.commands(queue_depth)
        try:
            for message_type, topic, profile in (
                    (Start, '~/start', commands), (Stop, '~/stop', commands),
                    (Update, '~/update', commands),
                    (TrackedObjects, '~/tracked_objects', qos.STATUS)):
                self._publishers[message_type] = create_publisher(
                    node, message_type, topic, profile)
        except ConfigurationError:
            self.destroy()
            raise

    def publish(self, command: Command, frame_stamp: Stamp) -> None:
        """Publish a command; frame_stamp: of the frame that it speaks of."""
        self.has_told = True
        message = to_ros.command_to_ros(command, self._clock.now().to_msg(), frame_stamp)
        self._publishers[type(message)].publish(message)

    def publish_tracked(self, session: Session) -> None:
        """Publish what is tracked now."""
        self._publishers[TrackedObjects].publish(
            to_ros.tracked_to_ros(session, self._clock.now().to_msg()))

    def look(self) -> None:
        """Do nothing: what is on a shelf is asked to."""

    def destroy(self) -> None:
        """Publish no more."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers.clear()
