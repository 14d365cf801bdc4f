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

"""Which node of a process looks at the graph, and when."""

from camera_ws_bridge.ros.looks import is_due, NODES_A_SECOND
import pytest


@pytest.mark.parametrize('nodes', [1, 2, NODES_A_SECOND])
def test_a_few_nodes_all_look_in_every_second(nodes):
    assert all(is_due(second, place, nodes)
               for second in range(10) for place in range(nodes))


@pytest.mark.parametrize('nodes, rounds', [(17, 2), (64, 4), (100, 7)])
def test_many_nodes_take_turns(nodes, rounds):
    for second in range(10):
        looking = [place for place in range(nodes) if is_due(second, place, nodes)]
        assert len(looking) <= NODES_A_SECOND
    for place in range(nodes):
        assert sum(is_due(second, place, nodes) for second in range(rounds)) == 1
