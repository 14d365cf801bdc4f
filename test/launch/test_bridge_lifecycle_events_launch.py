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

import unittest

from launch.actions import EmitEvent, RegisterEventHandler
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
import launch_testing
from lifecycle_msgs.msg import Transition
import pytest
from rigs.launch_rig import AllEndWith0, Site
from rigs.lifecycle_rig import Manager


@pytest.mark.launch_test
def generate_test_description():
    site = Site()

    def change(transition):
        return EmitEvent(event=ChangeState(
            lifecycle_node_matcher=lambda action: True, transition_id=transition))
    # Whoever gets to inactive is activated, as a launch file of a whole robot does it.
    return site.description(
        RegisterEventHandler(OnStateTransition(
            start_state='configuring', goal_state='inactive',
            entities=[change(Transition.TRANSITION_ACTIVATE)])),
        site.bridge(lifecycle='manual'))


class TestEvents(unittest.TestCase):

    def test_launch_hears_of_a_state_and_activates_the_node(self, site):
        probe = site.probe()
        manager = Manager(probe)
        self.assertTrue(manager.change('configure'))
        probe.wait(lambda: manager.state() == 'active', 'launch has activated it')
        probe.wait_until_registered()


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
