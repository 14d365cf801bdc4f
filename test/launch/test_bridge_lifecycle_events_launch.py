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

"""bridge.launch.py lifecycle:=manual in a launch file that drives it by launch's own events."""

import pathlib
import sys
import unittest

import pytest

pytest.importorskip('launch_testing', reason='launch_testing is not installed: no launch tests')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from launch import LaunchDescription  # noqa: E402,I100
from launch.actions import EmitEvent, RegisterEventHandler  # noqa: E402
from launch_rig import Site, text_of  # noqa: E402
from launch_ros.event_handlers import OnStateTransition  # noqa: E402
from launch_ros.events.lifecycle import ChangeState  # noqa: E402
import launch_testing  # noqa: E402
from launch_testing.actions import ReadyToTest  # noqa: E402
import launch_testing.asserts  # noqa: E402
from lifecycle_msgs.msg import Transition  # noqa: E402
from lifecycle_rig import Manager  # noqa: E402


@pytest.mark.launch_test
@pytest.mark.timeout(300)
def generate_test_description():
    site = Site()

    def change(transition):
        return EmitEvent(event=ChangeState(
            lifecycle_node_matcher=lambda action: True, transition_id=transition))
    # Whoever gets to inactive is activated, as a launch file of a whole robot does it.
    return LaunchDescription([
        RegisterEventHandler(OnStateTransition(
            start_state='configuring', goal_state='inactive',
            entities=[change(Transition.TRANSITION_ACTIVATE)])),
        site.launched(
            'bridge.launch.py', orchestrator_url=site.orchestrator.sim.url, camera_id='gate',
            lifecycle='manual', params_file=site.parameters_file()),
        ReadyToTest(),
    ]), {'site': site}


class TestEvents(unittest.TestCase):

    def test_launch_hears_of_a_state_and_activates_the_node(self, site):
        probe = site.probe()
        manager = Manager(probe)
        self.assertTrue(manager.change('configure'))
        probe.wait(lambda: manager.state() == 'active', 'launch has activated it')
        probe.wait_until_registered()


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):

    @classmethod
    def tearDownClass(cls, site):
        site.close()

    def test_it_ends_with_0(self, proc_info, proc_output):
        launch_testing.asserts.assertExitCodes(proc_info)
        self.assertNotIn('Traceback', text_of(proc_output))
