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

"""A whole site on one machine: orchestrator stand-in, bridge and camera stand-in."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = (
    ('port', '8080', 'Port of the orchestrator stand-in on the loopback interface.'),
    ('camera_id', 'demo', 'Id under which the camera registers.'),
    ('namespace', '', 'Namespace of bridge and camera.'),
    ('rate', '30', 'Frames a second.'),
    ('boxes', '20', 'Boxes on each frame.'),
    ('log_level', 'info', 'Log level of the bridge.'),
)


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the three processes."""
    port = LaunchConfiguration('port')
    namespace = LaunchConfiguration('namespace')
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, default, description in ARGUMENTS),
        Node(
            package='camera_ws_bridge', executable='orchestrator_sim', output='screen',
            arguments=['--port', port]),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(PathJoinSubstitution(
                [FindPackageShare('camera_ws_bridge'), 'launch', 'bridge.launch.py'])),
            launch_arguments={
                'orchestrator_url': ['ws://127.0.0.1:', port, '/processor'],
                'camera_id': LaunchConfiguration('camera_id'),
                'namespace': namespace,
                'log_level': LaunchConfiguration('log_level'),
            }.items()),
        Node(
            package='camera_ws_bridge', executable='camera_sim', output='screen',
            namespace=namespace,
            arguments=['--rate', LaunchConfiguration('rate'),
                       '--boxes', LaunchConfiguration('boxes')]),
    ])
