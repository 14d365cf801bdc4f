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

"""bridge.launch.py lifecycle:=manual: the bridge waits for a manager."""

import pathlib
import sys
import unittest

import pytest

pytest.importorskip('launch_testing', reason='launch_testing is not installed: no launch tests')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from camera_ws_bridge_msgs.msg import Status  # noqa: E402,I100
from launch import LaunchDescription  # noqa: E402
from launch_rig import parameters_of, Site  # noqa: E402
import launch_testing  # noqa: E402
from launch_testing.actions import ReadyToTest  # noqa: E402
import launch_testing.asserts  # noqa: E402
from lifecycle_rig import Manager  # noqa: E402


@pytest.mark.launch_test
@pytest.mark.timeout(300)
def generate_test_description():
    site = Site()
    return LaunchDescription([
        site.launched(
            'bridge.launch.py', orchestrator_url=site.orchestrator.sim.url, camera_id='gate',
            lifecycle='manual', params_file=site.parameters_file()),
        ReadyToTest(),
    ]), {'site': site}


class TestManaged(unittest.TestCase):

    def test_a_life(self, site):
        probe = site.probe()
        manager = Manager(probe)
        self.assertEqual(manager.state(), 'unconfigured')
        self.assertIs(parameters_of(probe)['autostart'], False)
        self.assertEqual(site.orchestrator.sim.opened, 0)
        self.assertTrue(manager.change('configure', 'activate'))
        probe.wait_until_registered()
        probe.publish_frames([5.0])
        probe.wait(lambda: 5.0 in site.orchestrator.frame_ids())
        self.assertTrue(manager.change('deactivate'))
        probe.wait_for_status(lambda status: status.lifecycle == Status.INACTIVE)
        self.assertFalse(site.orchestrator.sim.connections)
        self.assertTrue(manager.change('activate'))
        probe.wait_until_registered()


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):

    @classmethod
    def tearDownClass(cls, site):
        site.close()

    def test_it_ends_with_0(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info, process='bridge')
