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

"""A client of a node's parameter services; rclpy has one since Jazzy only."""

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.srv import (
    DescribeParameters, GetParameters, ListParameters, SetParameters, SetParametersAtomically)
from rclpy.node import Node
from rclpy.parameter import Parameter

NAMES = {
    DescribeParameters: 'describe_parameters', GetParameters: 'get_parameters',
    ListParameters: 'list_parameters', SetParameters: 'set_parameters',
    SetParametersAtomically: 'set_parameters_atomically'}


class ParameterClient:
    """Every method that asks returns a future of the service's response."""

    def __init__(self, node: Node, remote: str) -> None:
        self._clients = {service: node.create_client(service, f'{remote}/{name}')
                         for service, name in NAMES.items()}

    def services_are_ready(self) -> bool:
        """Return whether all services are there."""
        return all(client.service_is_ready() for client in self._clients.values())

    def set_parameters(self, parameters: Sequence[Parameter]) -> Any:
        """Set one after the other."""
        return self._ask(SetParameters, parameters=_messages(parameters))

    def set_parameters_atomically(self, parameters: Sequence[Parameter]) -> Any:
        """Set all or none."""
        return self._ask(SetParametersAtomically, parameters=_messages(parameters))

    def get_parameters(self, names: Sequence[str]) -> Any:
        """Get values."""
        return self._ask(GetParameters, names=[*names])

    def describe_parameters(self, names: Sequence[str]) -> Any:
        """Get descriptors."""
        return self._ask(DescribeParameters, names=[*names])

    def list_parameters(self) -> Any:
        """Get the names of all."""
        return self._ask(ListParameters)

    def _ask(self, service: Any, **fields: Any) -> Any:
        return self._clients[service].call_async(service.Request(**fields))


def _messages(parameters: Sequence[Parameter]) -> list[Any]:
    return [parameter.to_parameter_msg() for parameter in parameters]
