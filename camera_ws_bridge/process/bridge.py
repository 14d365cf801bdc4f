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
The `bridge` executable: one camera.

Exit codes: 0 stopped by a signal; 1 a bug; 2 a parameter that can never work, the URL included, or
a node that ROS refuses; 3 the orchestrator could not be reached for connect_timeout. With
autostart:=false, 2 is for parameters of the wrong type and a refused node only; all else is
between the node and who manages it.
"""

from __future__ import annotations

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.node.bridge_node import BridgeNode
from camera_ws_bridge.process.run import exit_code, Process, run


def main(args: list[str] | None = None) -> int:
    """Run one bridge until a signal comes or its link gives up; return the exit code."""
    return run(args, _start)


def _start(process: Process) -> list[BridgeNode]:
    def on_end(fault: LinkFault) -> None:
        if node.autostart:
            process.end(exit_code(fault))
        else:
            node.give_up()

    node = BridgeNode(process.host, on_end)
    process.add(node)
    node.start()
    return [node]
