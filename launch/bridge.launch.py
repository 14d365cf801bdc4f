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

"""One bridge for one camera: ros2 launch camera_ws_bridge bridge.launch.py camera_id:=gate."""

import os
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
import yaml

ARGUMENTS = (
    ('orchestrator_url', '', 'WebSocket URL of the orchestrator, (ws|wss)://host:port/processor. '
     'Empty: as the params_file says, else the environment variable ORCHESTRATOR_URL.'),
    ('camera_id', '', 'Id under which the camera registers. '
     'Empty: as the params_file says, else the environment variable CAMERA_ID.'),
    ('namespace', '', 'Namespace of the node; the topics boxes and feature_map are in it.'),
    ('params_file', '', 'YAML file with parameters; config/bridge.yaml is an example with all of '
     'them. Empty: none, so what a parent launch file sets holds.'),
    ('log_level', 'info', 'How much the bridge says.'),
    ('respawn', 'false', 'Start the bridge anew when it has ended by itself.'),
    ('lifecycle', 'auto', 'auto: the bridge configures and activates itself. manual: a lifecycle '
     'manager, or ros2 lifecycle set, does that.'),
    ('parameters', '{}', 'Parameters over those of the params_file, as a YAML mapping, e.g. '
     "'{heartbeat_interval: 2.0}'."),
)
CHOICES = {
    'log_level': ['debug', 'info', 'warn', 'error', 'fatal'],
    'respawn': ['true', 'false', 'True', 'False', '1', '0'],
    'lifecycle': ['auto', 'manual'],
}


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the bridge."""
    return LaunchDescription([
        *(DeclareLaunchArgument(
            name, default_value=default, description=description, choices=CHOICES.get(name))
          for name, default, description in ARGUMENTS),
        OpaqueFunction(function=bridge),
    ])


def bridge(context: LaunchContext) -> list[Node]:
    """Return the bridge; arguments that were left empty override nothing."""
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    params_file = argument('params_file')
    if params_file and not os.path.isfile(params_file):
        raise FileNotFoundError(f'params_file: there is no file {params_file}')
    given = {name: argument(name) for name in ('orchestrator_url', 'camera_id') if argument(name)}
    given.update(mapping(argument('parameters')))
    manual = argument('lifecycle') == 'manual'
    if manual:
        given['autostart'] = False
    # A LifecycleNode, so that launch's own lifecycle events reach it as well.
    action = LifecycleNode if manual else Node
    return [action(
        package='camera_ws_bridge',
        executable='bridge',
        name='camera_ws_bridge',
        namespace=argument('namespace'),
        parameters=[*filter(None, (params_file, typed(given)))],
        arguments=['--ros-args', '--log-level', argument('log_level')],
        output='screen',
        respawn=argument('respawn').lower() in ('true', '1'),
        respawn_delay=2.0,
    )]


def mapping(text: str) -> dict[str, Any]:
    """Return the argument `parameters` as a mapping; raise ValueError that says what to write."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or None in found.values():
        raise ValueError(f'parameters: {text} is not a YAML mapping from names to values; write, '
                         "with a space after each colon, parameters:='{heartbeat_interval: 2.0}'")
    return found


def typed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters of which launch takes no text for a number."""
    return {name: ParameterValue(value, value_type=str) if isinstance(value, str) else value
            for name, value in parameters.items()}
