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
Lifecycle cycles while publishers and subscriptions of every QoS come and go, on busy cores.

CAMERA_WS_BRIDGE_STORM: how many cycles, by default enough to crash what has event handlers;
`python3 test/storm` runs thousands.
"""

import os

import pytest
from rigs.storm import storm

CYCLES = int(os.environ.get('CAMERA_WS_BRIDGE_STORM', '150'))


@pytest.mark.timeout(900)
@pytest.mark.parametrize('cameras', [0, 4])
def test_no_life_crashes_and_none_leaves_anything_behind(tmp_path, cameras):
    found = storm(tmp_path, CYCLES // 3 if cameras else CYCLES, cameras=cameras)
    assert found.exit_code == 0, found.log
    assert 'Traceback' not in found.log and 'internal error' not in found.log
    assert not found.grown(), f'{found.settled}; in the end: {found.end}'


@pytest.mark.timeout(300)
def test_a_best_effort_publisher_that_comes_and_goes_crashes_nothing(tmp_path):
    found = storm(tmp_path, CYCLES, kind='one', period=0.3)
    assert found.exit_code == 0, found.log
    assert 'incompatible QoS: nothing arrives from a publisher on /feature_map' in found.log
