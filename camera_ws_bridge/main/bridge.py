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
The `bridge` executable.

Exit codes: 0 stopped by a signal; 1 a bug; 2 a parameter that can never work, the URL included;
3 the orchestrator could not be reached for connect_timeout.
"""

from __future__ import annotations

import os
import sys
from traceback import format_exc

from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.loops import SharedLoop
from camera_ws_bridge.main.executor import add_nodes, make_executor
from camera_ws_bridge.main.service_manager import ServiceManager
from camera_ws_bridge.main.signals import on_end_signal
from camera_ws_bridge.node import BridgeNode
import rclpy
from rclpy.exceptions import InvalidNamespaceException
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

EXIT_OK = 0
EXIT_CONFIGURATION = 2
EXIT_UNREACHABLE = 3


def main(args: list[str] | None = None) -> int:
    """Run one bridge until a signal comes or its link gives up; return the exit code."""
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy's own types for this differ between distributions
        print(f'camera_ws_bridge: ROS arguments: {str(error).splitlines()[0]}', file=sys.stderr)
        return EXIT_CONFIGURATION
    loop = SharedLoop()
    executor = make_executor()
    end: Future = Future()  # of the exit code

    def give_up(fault: LinkFault) -> None:
        node.get_logger().error(
            f'{node.parameters.camera_id}: no connection to {node.bridge.link.settings.peer}: '
            f'{fault.reason}')
        end.set_result(EXIT_CONFIGURATION if fault.fatal else EXIT_UNREACHABLE)

    def stop() -> None:
        if not end.done():
            end.set_result(EXIT_OK)

    def log_bug() -> None:
        # A bug in a callback must not end a bridge that nobody looks after.
        node.get_logger().error(f'internal error, please report:\n{format_exc()}')

    on_end_signal(loop.loop, stop)
    try:
        node = BridgeNode(loop, give_up)
    except (ConfigurationError, InvalidNamespaceException) as error:
        print(f'camera_ws_bridge: {str(error).splitlines()[0]}', file=sys.stderr)
        return EXIT_CONFIGURATION
    executor = add_nodes(executor, node)
    node.start()
    service_manager = ServiceManager(os.environ, node, loop.loop, node.describe)
    service_manager.ready()
    try:
        loop.spin(executor, end.done, log_bug)
        service_manager.stopping()
        node.shut_down()
    finally:
        executor.shutdown()
        loop.stop()
        node.destroy_node()
        rclpy.try_shutdown()
    return int(end.result())
