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
The least program that could be a bridge: a node with one subscription, and a WebSocket.

The floor of start-up and memory. It registers as the bridge does, then waits until standard input
ends.
"""

from __future__ import annotations

import asyncio
import sys

from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Boxes
import rclpy
from websockets.version import version

if int(version.split('.')[0]) >= 14:
    from websockets.asyncio.client import connect
else:
    from websockets.legacy.client import connect


async def _main() -> None:
    rclpy.init()
    node = rclpy.create_node('bare_node')
    node.create_subscription(Boxes, 'boxes', lambda message: None, qos.BOXES)
    async with connect(sys.argv[1], compression=None) as websocket:
        await websocket.send('{"type":"identifier","id":"bare"}')
        await (await websocket.ping())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == '__main__':
    asyncio.run(_main())
