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

import unittest

from camera_ws_bridge_msgs.msg import Status
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, parameters_of, Site
from rigs.lifecycle_rig import Manager


@pytest.mark.launch_test
def generate_test_description():
    site = Site()
    return site.description(site.bridge(lifecycle='manual'))


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
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
