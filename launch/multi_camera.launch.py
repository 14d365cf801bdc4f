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

"""One bridge per camera of a YAML list, each in a namespace of its own."""

import os

from camera_ws_bridge.config import cameras
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare
import yaml

ARGUMENTS = (
    ('cameras_file', PathJoinSubstitution(
        [FindPackageShare('camera_ws_bridge'), 'config', 'cameras.yaml']),
     'YAML file with the list of cameras; the default is an example.'),
    ('orchestrator_url', '', 'For cameras that name none of their own.'),
    ('params_file', PathJoinSubstitution(
        [FindPackageShare('camera_ws_bridge'), 'config', 'bridge.yaml']),
     'Parameters of cameras that name no params_file of their own.'),
    ('log_level', 'info', 'Log level of all bridges.'),
    ('respawn', 'false', 'Start a process anew when it has ended by itself.'),
    ('process', 'separate', 'separate: a process per camera. shared: one for all of them, which '
     'costs less memory and CPU.'),
)
CHOICES = {'process': ['separate', 'shared']}


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the bridges."""
    return LaunchDescription([
        *(DeclareLaunchArgument(
            name, default_value=default, description=description, choices=CHOICES.get(name))
          for name, default, description in ARGUMENTS),
        OpaqueFunction(function=bridges),
    ])


def bridges(context: LaunchContext) -> list[IncludeLaunchDescription] | list[Node]:
    """Return bridge.launch.py once per camera, or one process for all."""
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    found = cameras.load(argument('cameras_file'))
    if argument('process') == 'shared':
        if not os.path.isfile(argument('params_file')):
            raise FileNotFoundError(f'params_file: there is no file {argument("params_file")}')
        url = argument('orchestrator_url')
        return [Node(
            package='camera_ws_bridge',
            executable='multi_bridge',
            parameters=[argument('params_file'), *([{'orchestrator_url': url}] if url else [])],
            arguments=[argument('cameras_file'),
                       '--ros-args', '--log-level', argument('log_level')],
            output='screen',
            respawn=argument('respawn').lower() in ('true', '1'),
            respawn_delay=2.0,
        )]
    source = PathJoinSubstitution(
        [FindPackageShare('camera_ws_bridge'), 'launch', 'bridge.launch.py'])
    return [IncludeLaunchDescription(
        PythonLaunchDescriptionSource(source),
        launch_arguments={
            'orchestrator_url': camera.get('orchestrator_url', argument('orchestrator_url')),
            'camera_id': camera['camera_id'],
            'namespace': camera['namespace'],
            'params_file': camera.get('params_file', argument('params_file')),
            'log_level': argument('log_level'),
            'respawn': argument('respawn'),
            'parameters': yaml.safe_dump(camera.get('parameters', {}), default_flow_style=True),
        }.items()) for camera in found]
