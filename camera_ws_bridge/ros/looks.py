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
When a node of many in one process looks at the graph.

To look means to go through all endpoints in reach a dozen times, and each node brings forty more:
all of 64 nodes in each second took several percent of a core, and held up what came meanwhile.
"""

NODES_A_SECOND = 16


def is_due(second: int, place: int, nodes: int) -> bool:
    """Tell whether the node at this place, of so many, looks in this second; they take turns."""
    rounds = -(-nodes // NODES_A_SECOND)
    return rounds < 2 or (second + place) % rounds == 0
