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

"""The node itself: what it has, and who is told of what."""

from __future__ import annotations

from collections.abc import Callable

from camera_ws_bridge import convert, parameters, qos
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.frame_stamps import Stamp
from camera_ws_bridge.link import State
from camera_ws_bridge.loops import LoopHost
from camera_ws_bridge.node.assembly import assemble
from camera_ws_bridge.node.boxes_input import BoxesInput
from camera_ws_bridge.node.endpoints import create_publisher
from camera_ws_bridge.node.feature_map_input import subscribe_feature_map
from camera_ws_bridge.node.reporter import Reporter
from camera_ws_bridge.session import Command
from camera_ws_bridge_msgs.msg import Start, Stop, TrackedObjects, Update
from rclpy.node import Node
from std_srvs.srv import Trigger


class BridgeNode(Node):
    """One camera's bridge. Raises ConfigurationError for parameters that can never work."""

    def __init__(
            self, host: LoopHost, on_end: Callable[[LinkFault], None],
            **node_arguments: object) -> None:
        """`on_end` is called, in the loop's thread, when the link has given up."""
        super().__init__('camera_ws_bridge', **node_arguments)
        self.parameters = parameters.declare(self)
        commands = qos.commands(self.parameters.command_queue_depth)
        self._publishers_of = {
            Start: create_publisher(self, Start, '~/start', commands),
            Stop: create_publisher(self, Stop, '~/stop', commands),
            Update: create_publisher(self, Update, '~/update', commands),
        }
        self._tracked_publisher = create_publisher(
            self, TrackedObjects, '~/tracked_objects', qos.STATUS)
        self._reporter = Reporter(self)
        self.bridge = assemble(
            self.parameters, host, self.get_logger(),
            lambda: self.get_clock().now().nanoseconds,
            publish=self._publish_command, publish_tracked=self._publish_tracked,
            report=lambda state_changed: self._reporter.report(self.bridge, state_changed),
            on_end=on_end)
        self._boxes_input = BoxesInput(self, self.bridge, self.parameters)
        subscribe_feature_map(self, self.bridge)
        self.create_service(Trigger, '~/reconnect', self._on_reconnect)
        self.create_service(Trigger, '~/clear_buffer', self._on_clear_buffer)

    def start(self) -> None:
        """Begin to connect."""
        self.bridge.begin()
        self.bridge.connect()

    def shut_down(self) -> None:
        """Flush and close; destroy the node after this."""
        self.bridge.shut_down()

    # ---- called in the executor's thread

    def _on_reconnect(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.bridge.reconnect()
        response.success = True
        response.message = 'connecting anew'
        return response

    def _on_clear_buffer(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        count = self.bridge.clear_buffer()
        response.success = True
        response.message = f'{count} messages dropped'
        return response

    # ---- called in the loop's thread

    def describe(self) -> str:
        """Return how the link does, in a few words."""
        link = self.bridge.link
        text = f'{link.settings.camera_id}: {link.state.name.lower()}'
        if link.state in (State.REGISTERED, State.STABLE):
            return text
        queued = len(link.outbox.boxes) + len(link.outbox.updates)
        return f'{text}, {queued} messages wait; {link.cause or "first attempt"}'

    def _publish_command(self, command: Command, frame_stamp: Stamp) -> None:
        message = convert.command_to_ros(command, self.get_clock().now().to_msg(), frame_stamp)
        self._publishers_of[type(message)].publish(message)

    def _publish_tracked(self) -> None:
        self._tracked_publisher.publish(convert.tracked_to_ros(
            self.bridge.link.session, self.get_clock().now().to_msg()))
