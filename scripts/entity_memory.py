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
What nodes and their endpoints keep in memory, with Fast DDS's own profiles and multi_bridge's.

Run it in the built environment: python3 scripts/entity_memory.py
Plain rclpy, no bridge; KiB of RSS for each, the mean of some at the end of a row of them.
"""

from __future__ import annotations

from collections.abc import Callable
import gc
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from camera_ws_bridge.ros import fast_dds, features, qos
from camera_ws_bridge_msgs.msg import Boxes, Start
import psutil
import rclpy
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from std_srvs.srv import Trigger

COUNT = 32
FIRST = 4  # are made before, and not counted
BARE = {'start_parameter_services': False, 'enable_rosout': False}


def kib_each(make: Callable[[int], Any], kept: list[Any]) -> float:
    """Return what each takes of those that `make` returns."""
    kept += [make(number) for number in range(FIRST)]
    gc.collect()
    before = psutil.Process().memory_info().rss
    kept += [make(number) for number in range(FIRST, FIRST + COUNT)]
    gc.collect()
    return float(psutil.Process().memory_info().rss - before) / COUNT / 1024


def measure() -> dict[str, float]:
    """Return what each kind takes, by name."""
    rclpy.init()
    kept: list[Any] = []
    one = Node('one', **BARE)

    def nodes(kind: type, **arguments: Any) -> Callable[[int], Any]:
        space = f'kind{len(kept)}'
        return lambda number: kind('node', namespace=f'/{space}/of{number}', **arguments)

    kinds: dict[str, Callable[[], Callable[[int], Any]]] = {
        'node': lambda: nodes(Node, **BARE),
        'node with parameter services and `/rosout`': lambda: nodes(Node),
        'lifecycle node with these': lambda: nodes(LifecycleNode),
        'lifecycle node with these and the logger services': lambda: nodes(
            LifecycleNode, **features.node_arguments(enable_logger_service=True)),
        'service': lambda: lambda number: one.create_service(
            Trigger, f'service{number}', lambda request, response: response),
        'subscription, depth 100': lambda: lambda number: one.create_subscription(
            Boxes, f'boxes{number}', lambda message: None, qos.FEATURE_MAP, raw=True,
            event_callbacks=features.NO_SUBSCRIPTION_EVENTS),
        'publisher, depth 32, transient local': lambda: lambda number: one.create_publisher(
            Start, f'start{number}', qos.commands(32),
            event_callbacks=features.NO_PUBLISHER_EVENTS)}
    return {name: kib_each(kind(), kept) for name, kind in kinds.items()}


def main() -> int:
    """Print the table; a process of its own for each column."""
    if 'measure' in sys.argv:
        print(json.dumps(measure()), flush=True)
        os._exit(0)  # to take down so many endpoints one by one would take its time
    own, ours = (json.loads(subprocess.run(
        [sys.executable, __file__, 'measure'], env={**os.environ, **added}, check=True, text=True,
        stdout=subprocess.PIPE).stdout) for added in (
            {}, fast_dds.spare({}, pathlib.Path('/nonexistent'))))
    print("| each | Fast DDS's own profiles [KiB] | those of `multi_bridge` [KiB] |")
    print('| --- | --- | --- |')
    for name in own:
        print(f'| {name} | {own[name]:.0f} | {ours[name]:.0f} |')
    return 0


if __name__ == '__main__':
    sys.exit(main())
