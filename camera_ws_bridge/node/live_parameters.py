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

"""Parameters that change while the node runs: all of one request, or none."""

from __future__ import annotations

from typing import Any, Protocol

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.config.parameters import BY_NAME, check_change, Parameters
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.node.assembly import settings
from camera_ws_bridge.ros import features
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter


class BridgeHolder(Protocol):
    """What is needed of the node."""

    parameters: Parameters | None  # as the bridge goes by them
    bridge: Bridge | None

    def add_on_set_parameters_callback(self, callback: Any) -> None:
        """Ask before parameters are set."""

    def get_parameter(self, name: str) -> Any:
        """Return a parameter."""

    def has_parameter(self, name: str) -> bool:
        """Return whether it is declared."""

    def get_logger(self) -> Any:
        """Return the node's logger."""

    def configure_inputs(self, values: Parameters) -> None:
        """Let the topics that are read go by these values."""


def follow(node: BridgeHolder) -> None:
    """
    Refuse changes of the node's parameters that are none, and let its bridge go by the others.

    Two steps, as ROS has it: other callbacks may still refuse what this one would accept, and
    until all have agreed nothing may change. A node without a bridge reads its parameters when it
    gets one.
    """
    def judge(parameters: list[Parameter]) -> SetParametersResult:
        current = {
            name: node.get_parameter(name).value for name in BY_NAME if node.has_parameter(name)}
        # The others are just being declared.
        changes = {name: value for name, value in _ours(parameters).items() if name in current}
        try:
            check_change(current, changes)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def apply(parameters: list[Parameter]) -> None:
        changes = _ours(parameters)
        if not changes or node.bridge is None or node.parameters is None:
            return
        old = vars(node.parameters)
        news = {name: value for name, value in changes.items() if value != old[name]}
        node.parameters = Parameters(**{**old, **news})
        node.bridge.configure(settings(node.parameters))
        if 'frame_id_zero' in news:
            node.configure_inputs(node.parameters)
        for name, value in news.items():
            node.get_logger().info(f'parameter {name} is now {value}')

    node.add_on_set_parameters_callback(judge)
    features.after_set_parameters(node, apply)


def _ours(parameters: list[Parameter]) -> dict[str, Any]:
    return {parameter.name: parameter.value for parameter in parameters
            if parameter.name in BY_NAME}
