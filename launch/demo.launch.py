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

"""A whole site on one machine: simulated orchestrator, operator and camera, and a bridge."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

ARGUMENTS = (
    ('port', '8080', 'Port of the simulated orchestrator on the loopback interface.'),
    ('camera_id', 'demo', 'Id under which the camera registers.'),
    ('namespace', '', 'Namespace of bridge and camera.'),
    ('rate', '30', 'Frames a second.'),
    ('boxes', '20', 'Boxes on each frame.'),
    ('click_every', '5', 'Seconds between the clicks of the operator, each a start or a stop.'),
    ('log_level', 'info', 'Log level of the bridge.'),
)
CHOICES = {'log_level': ['debug', 'info', 'warn', 'error', 'fatal']}


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the four processes."""
    port = LaunchConfiguration('port')
    namespace = LaunchConfiguration('namespace')
    camera_id = LaunchConfiguration('camera_id')
    return LaunchDescription([
        *(DeclareLaunchArgument(
            name, default_value=default, description=description, choices=CHOICES.get(name))
          for name, default, description in ARGUMENTS),
        Node(
            package='camera_ws_bridge', executable='orchestrator_sim', output='screen',
            arguments=['--port', port]),
        # Not bridge.launch.py: its arguments would be listed here, and have no effect.
        Node(
            package='camera_ws_bridge', executable='bridge', name='camera_ws_bridge',
            namespace=namespace, output='screen',
            parameters=[{
                'orchestrator_url': ParameterValue(
                    ['ws://127.0.0.1:', port, '/processor'], value_type=str),
                'camera_id': ParameterValue(camera_id, value_type=str)}],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')]),
        Node(
            package='camera_ws_bridge', executable='camera_sim', output='screen',
            namespace=namespace,
            arguments=['--rate', LaunchConfiguration('rate'),
                       '--boxes', LaunchConfiguration('boxes')]),
        Node(
            package='camera_ws_bridge', executable='operator_sim', output='screen',
            arguments=['--url', ['ws://127.0.0.1:', port, '/client'], '--camera', camera_id,
                       '--every', LaunchConfiguration('click_every')]),
    ])
