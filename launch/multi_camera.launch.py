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
from typing import Any

from camera_ws_bridge.config import cameras
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = (
    ('cameras_file', PathJoinSubstitution(
        [FindPackageShare('camera_ws_bridge'), 'config', 'cameras.yaml']),
     'YAML file with the list of cameras; the default is an example.'),
    ('orchestrator_url', '', 'For cameras that name none of their own.'),
    ('params_file', '', 'Parameters of cameras that name no params_file of their own. '
     'Empty: none, so what a parent launch file sets holds.'),
    ('log_level', 'info', 'Log level of all bridges.'),
    ('respawn', 'false', 'Start a process anew when it has ended by itself.'),
    ('process', 'separate', 'separate: a process per camera. shared: one for all of them, which '
     'costs less memory and CPU.'),
)
CHOICES = {
    'log_level': ['debug', 'info', 'warn', 'error', 'fatal'],
    'respawn': ['true', 'false', 'True', 'False', '1', '0'],
    'process': ['separate', 'shared'],
}
# After a power cut of the whole site, the orchestrator may come up long after the cameras. It
# stands in front, so that whatever else sets this parameter wins.
FOR_EVER = ['-p', 'connect_timeout:=0.0']


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the bridges."""
    return LaunchDescription([
        *(DeclareLaunchArgument(
            name, default_value=default, description=description, choices=CHOICES.get(name))
          for name, default, description in ARGUMENTS),
        OpaqueFunction(function=bridges),
    ])


def bridges(context: LaunchContext) -> list[Node]:
    """Return a process per camera, or one for all."""
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    def process(
            executable: str, params_file: str, parameters: dict[str, Any], *arguments: str,
            **names: str) -> Node:
        if params_file and not os.path.isfile(params_file):
            raise FileNotFoundError(f'params_file: there is no file {params_file}')
        return Node(
            package='camera_ws_bridge',
            executable=executable,
            parameters=[*filter(None, (params_file, typed(parameters)))],
            arguments=[*arguments, '--ros-args', *FOR_EVER, '--log-level', argument('log_level')],
            output='screen',
            respawn=argument('respawn').lower() in ('true', '1'),
            respawn_delay=2.0,
            **names)

    found = cameras.load(argument('cameras_file'))
    url, params_file = argument('orchestrator_url'), argument('params_file')
    for_all = {'orchestrator_url': url} if url else {}
    if argument('process') == 'shared':
        return [process('multi_bridge', params_file, for_all, argument('cameras_file'))]
    return [
        process(
            'bridge', camera.get('params_file', params_file), {
                **for_all,
                **{key: camera[key] for key in ('orchestrator_url', 'camera_id') if key in camera},
                **camera.get('parameters', {})},
            name='camera_ws_bridge', namespace=camera['namespace'])
        for camera in found]


def typed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters of which launch takes no text for a number."""
    return {name: ParameterValue(value, value_type=str) if isinstance(value, str) else value
            for name, value in parameters.items()}
