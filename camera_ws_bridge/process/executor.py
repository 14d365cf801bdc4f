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
The executor: events where they work, a wait set where they do not.

rclpy's EventsExecutor is made to cost less per message than the others: it builds no wait set. It
is experimental, not in every rclpy, and not every middleware can call back; `spin` of some builds
never delivers anything. So it has to prove itself with the node that it is meant for.
"""

from __future__ import annotations

import time

from camera_ws_bridge.process.wait_set_executor import WaitSetExecutor
from camera_ws_bridge.ros import features
from rclpy.executors import Executor
from rclpy.node import Node

PROBE_TIMEOUT = 2.0  # seconds; it takes a millisecond where it works


def make_executor() -> Executor:
    """Return an executor without nodes. Call this before signal handlers are installed."""
    events_executor = features.events_executor()
    if events_executor is None:
        return WaitSetExecutor()
    try:
        return events_executor()  # it installs handlers of its own
    except (AttributeError, RuntimeError):  # the latter: there is no standard error
        return WaitSetExecutor()


def add_nodes(executor: Executor, *nodes: Node) -> Executor:
    """Give the nodes to the executor, or to another if it does not work with them; return it."""
    for node in nodes:
        executor.add_node(node)
    if is_known(executor) or works(executor, nodes[0]):
        return executor
    nodes[0].get_logger().info('the EventsExecutor does not work here: another one is used')
    fallback = WaitSetExecutor()
    for node in nodes:
        executor.remove_node(node)
        fallback.add_node(node)
    executor.shutdown()
    return fallback


def is_known(executor: Executor) -> bool:
    """Tell whether the executor needs no probe."""
    return isinstance(executor, WaitSetExecutor)


def works(executor: Executor, node: Node) -> bool:
    """Try whether spin_once delivers tasks, which wake it, and a node's entities."""
    delivered = []
    timer = node.create_timer(0.001, lambda: delivered.append('timer'))
    try:
        executor.create_task(lambda: delivered.append('task'))
        end = time.monotonic() + PROBE_TIMEOUT
        while {*delivered} != {'timer', 'task'}:
            if time.monotonic() > end:
                return False
            executor.spin_once(timeout_sec=0.1)
        return True
    except Exception:  # noqa: B902
        return False  # it could not register itself with the middleware
    finally:
        node.destroy_timer(timer)
