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

"""bridge.launch.py in a launch file of a whole site, in each language that launch has."""

import unittest

from camera_ws_bridge_msgs.msg import Status
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, parameters_of, Site
from rigs.process_rig import boxes

NODE = '/site/gate/camera_ws_bridge'
PARENTS = {  # by the suffix: a namespace, parameters and a remapping of the parent's own
    'launch.py': """
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import PushRosNamespace, SetParameter, SetRemap
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    return LaunchDescription([GroupAction([
        PushRosNamespace('site'),
        SetParameter('heartbeat_interval', 3.0),
        SetParameter('reconcile', False),
        SetRemap('boxes', 'detections'),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(PathJoinSubstitution(
                [FindPackageShare('camera_ws_bridge'), 'launch', 'bridge.launch.py'])),
            launch_arguments={
                'orchestrator_url': '%s', 'camera_id': 'gate', 'namespace': 'gate',
            }.items()),
    ])])
""",
    'launch.xml': """
<launch>
  <group>
    <push-ros-namespace namespace="site"/>
    <set_parameter name="heartbeat_interval" value="3.0"/>
    <set_parameter name="reconcile" value="false"/>
    <set_remap from="boxes" to="detections"/>
    <include file="$(find-pkg-share camera_ws_bridge)/launch/bridge.launch.py">
      <arg name="orchestrator_url" value="%s"/>
      <arg name="camera_id" value="gate"/>
      <arg name="namespace" value="gate"/>
    </include>
  </group>
</launch>
""",
    'launch.yaml': """
launch:
- group:
  - push_ros_namespace: {namespace: site}
  - set_parameter: {name: heartbeat_interval, value: '3.0'}
  - set_parameter: {name: reconcile, value: 'false'}
  - set_remap: {from: boxes, to: detections}
  - include:
      file: $(find-pkg-share camera_ws_bridge)/launch/bridge.launch.py
      arg:
      - {name: orchestrator_url, value: '%s'}
      - {name: camera_id, value: gate}
      - {name: namespace, value: gate}
""",
}


@pytest.mark.launch_test
@launch_testing.parametrize('language', [*PARENTS])
def generate_test_description(language):
    site = Site()
    parent = site.write(f'site.{language}', PARENTS[language] % site.orchestrator.sim.url)
    return site.description(site.surrounded(
        IncludeLaunchDescription(AnyLaunchDescriptionSource(parent))))


class TestComposed(unittest.TestCase):

    def setUp(self, site):
        self.site = site
        self.probe = site.probe('site/gate')
        self.probe.wait_for_status(lambda status: status.state == Status.STABLE)

    def test_what_the_parent_sets_holds(self):
        parameters = parameters_of(self.probe, NODE)
        self.assertEqual(parameters['heartbeat_interval'], 3.0)
        self.assertIs(parameters['reconcile'], False)
        self.assertEqual(parameters['connect_timeout'], 60.0, 'set by nobody: the default')

    def test_boxes_arrive_on_the_name_that_the_parent_gives_them(self):
        node = self.probe.node
        publisher = node.create_publisher(type(boxes(0.0)), '/site/gate/detections', 10)
        self.probe.wait(publisher.get_subscription_count, 'it is subscribed')
        self.assertFalse(self.probe.boxes.get_subscription_count())

        def arrived():
            publisher.publish(boxes(7.0))
            self.probe.executor.spin_once(timeout_sec=0.2)
            return 7.0 in self.site.orchestrator.frame_ids()
        self.probe.wait(arrived, 'the orchestrator has them')


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
