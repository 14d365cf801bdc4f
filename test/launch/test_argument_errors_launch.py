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

"""Launch arguments that cannot be: nothing is started, and launch says which and what to write."""

import unittest

import launch_testing
import launch_testing.markers
import pytest
from rigs.launch_rig import Afterwards, Site

BRIDGE, CAMERAS = 'bridge.launch.py', 'multi_camera.launch.py'
CASES = {  # what is wrong: the launch file, its arguments, what launch says
    'no space': (
        BRIDGE, {'parameters': '{heartbeat_interval:2}'},
        'parameters: {heartbeat_interval:2} is not a YAML mapping from names to values; write, '
        "with a space after each colon, parameters:='{heartbeat_interval: 2.0}'"),
    'no such params_file': (
        BRIDGE, {'params_file': '/nowhere.yaml'}, 'params_file: there is no file /nowhere.yaml'),
    'no such params_file of cameras': (
        CAMERAS, {'params_file': '/nowhere.yaml'}, 'params_file: there is no file /nowhere.yaml'),
    'log_level': (
        BRIDGE, {'log_level': 'verbose'}, 'Argument "log_level" provided value "verbose"'),
    'log_level of cameras': (
        CAMERAS, {'process': 'shared', 'log_level': 'verbose'},
        'Argument "log_level" provided value "verbose" is not valid. Valid options are'),
    'respawn of cameras': (
        CAMERAS, {'process': 'shared', 'respawn': 'yes'},
        'Argument "respawn" provided value "yes" is not valid. Valid options are'),
}


@pytest.mark.launch_test
@launch_testing.parametrize('case', [*CASES])
@launch_testing.markers.keep_alive
def generate_test_description(case):
    site = Site()
    launch_file, arguments, _ = CASES[case]
    return site.description(site.launch_of_its_own(launch_file, **arguments))


class TestRefused(unittest.TestCase):

    def test_it_names_the_argument(self, site, case, proc_info, proc_output):
        site.assert_refused(CASES[case][2], proc_info, proc_output)


@launch_testing.post_shutdown_test()
class TestAfterwards(Afterwards, unittest.TestCase):
    """It has ended by itself."""
