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

"""What both executables have in common: ROS, the loop, signals, the executor, an orderly end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import contextlib
import os
import sys
from traceback import format_exc

from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.node.bridge_node import BridgeNode
from camera_ws_bridge.process.executor import add_nodes, make_executor
from camera_ws_bridge.process.loops import SharedLoop
from camera_ws_bridge.process.monitoring import open_endpoint
from camera_ws_bridge.process.service_manager import ServiceManager
from camera_ws_bridge.process.signals import END_SIGNALS
from camera_ws_bridge.ros import starting
import rclpy
from rclpy.exceptions import InvalidNamespaceException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.signals import SignalHandlerOptions

EXIT_OK = 0
EXIT_BUG = 1
EXIT_CONFIGURATION = 2
EXIT_UNREACHABLE = 3

BUG_LOG_PERIOD = 5.0  # seconds between two tracebacks


def exit_code(fault: LinkFault) -> int:
    """Return what the end of a link for this reason means for its process."""
    if fault.cause == 'internal':
        return EXIT_BUG
    return EXIT_CONFIGURATION if fault.fatal else EXIT_UNREACHABLE


class Process:
    """What the nodes of a process share."""

    def __init__(self) -> None:
        """Call this after rclpy.init."""
        self.host = SharedLoop()
        self.executor = make_executor()
        self.exit_code: int | None = None
        self._nodes: Sequence[BridgeNode] = ()
        self._take_leave = contextlib.ExitStack()

    def add(self, *nodes: BridgeNode) -> None:
        """
        Give the executor all nodes of the process, before any of them starts.

        Raise ConfigurationError if their metrics cannot be shown.
        """
        self._nodes = nodes
        self.executor = add_nodes(self.executor, *nodes)
        endpoint = open_endpoint(nodes)
        if endpoint is not None:
            self._take_leave.callback(endpoint.close)

    def end(self, code: int) -> None:
        """Let the process end, if it is not about to already; called in the loop's thread."""
        if self.exit_code is None:
            self.exit_code = code

    def end_soon(self) -> None:
        """Let the process end with 0, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: it is at its very end
            self.host.loop.call_soon_threadsafe(self.end, EXIT_OK)

    def close(self) -> None:
        """
        Take leave of ROS, however far the process has come.

        Else the middleware's threads could call an executor that Python's end has taken away.
        """
        self._take_leave.close()
        self.executor.shutdown()
        self.host.stop()
        for node in self._nodes:
            node.destroy_node()
        rclpy.try_shutdown()


def run(args: list[str] | None, start: Callable[[Process], Sequence[BridgeNode]]) -> int:
    """
    Run nodes until the process is told to end; return its exit code.

    `start` makes the nodes, adds them and starts them; it may raise ConfigurationError, and what
    rclpy raises for a node that cannot be made.
    """
    starting.init('camera_ws_bridge', args, signal_handler_options=SignalHandlerOptions.NO)
    process = Process()
    END_SIGNALS.on_signal(process.end_soon)
    try:
        nodes = _started(process, start)
        if nodes is None:
            return EXIT_CONFIGURATION
        _spin(process, nodes)
    finally:
        process.close()
    return EXIT_OK if process.exit_code is None else process.exit_code


def _started(
        process: Process,
        start: Callable[[Process], Sequence[BridgeNode]]) -> Sequence[BridgeNode] | None:
    """Return the nodes; or None, having said why there are none."""
    try:
        return start(process)
    except (ConfigurationError, InvalidNamespaceException) as error:
        print(f'camera_ws_bridge: {_line(error)}', file=sys.stderr)
    except rclpy_implementation.RCLError as error:  # e.g. security, and an RMW that has none
        print(f'camera_ws_bridge: ROS refuses the node: {_line(error)}', file=sys.stderr)
    return None


def _spin(process: Process, nodes: Sequence[BridgeNode]) -> None:
    """Let the nodes work until the process is told to end, and end their work in order."""
    def log_bug() -> None:
        # A bug in a callback must not end a bridge that nobody looks after.
        nodes[0].get_logger().error(
            f'internal error, please report:\n{format_exc()}',
            throttle_duration_sec=BUG_LOG_PERIOD)
        if not rclpy.ok():  # nothing works any more, and nothing will
            process.end(EXIT_BUG)

    service_manager = ServiceManager(
        os.environ, nodes[0], process.host.loop,
        lambda: '; '.join(node.describe() for node in nodes))
    service_manager.ready()
    wake_interval = min((node.wake_interval for node in nodes if not node.failed), default=0.0)
    if wake_interval:
        nodes[0].get_logger().info(f'wake-ups are shared over {wake_interval:g} s')
    process.host.spin(
        process.executor, lambda: process.exit_code is not None, log_bug, wake_interval)
    service_manager.stopping()
    process.host.finish(process.executor, log_bug)
    for node in nodes:
        node.begin_to_shut_down()
    for node in nodes:
        try:
            node.shut_down()
        except Exception:  # noqa: B902: the others' flushes matter
            log_bug()


def _line(error: Exception) -> str:
    return str(error).splitlines()[0]
