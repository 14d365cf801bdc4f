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

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare
import yaml

ARGUMENTS = (
    ('orchestrator_url', '', 'WebSocket URL of the orchestrator, (ws|wss)://host:port/processor. '
     'Empty: as the params_file says, else the environment variable ORCHESTRATOR_URL.'),
    ('camera_id', '', 'Id under which the camera registers. '
     'Empty: as the params_file says, else the environment variable CAMERA_ID.'),
    ('namespace', '', 'Namespace of the node; the topics boxes and feature_map are in it.'),
    ('params_file', PathJoinSubstitution(
        [FindPackageShare('camera_ws_bridge'), 'config', 'bridge.yaml']),
     'YAML file with parameters; the default lists them all.'),
    ('log_level', 'info', 'How much the bridge says.'),
    ('respawn', 'false', 'Start the bridge anew when it has ended by itself.'),
    ('lifecycle', 'auto', 'auto: the bridge configures and activates itself. manual: a lifecycle '
     'manager, or ros2 lifecycle set, does that.'),
    ('parameters', '{}', 'Parameters over those of the params_file, as a YAML mapping.'),
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
    """Return the bridge; arguments that were left empty do not override the params_file."""
    params_file = LaunchConfiguration('params_file').perform(context)
    if not os.path.isfile(params_file):
        raise FileNotFoundError(f'params_file: there is no file {params_file}')
    given: dict[str, object] = {
        name: ParameterValue(LaunchConfiguration(name), value_type=str)
        for name in ('orchestrator_url', 'camera_id')
        if LaunchConfiguration(name).perform(context)}
    more = yaml.safe_load(LaunchConfiguration('parameters').perform(context))
    if not isinstance(more, dict):
        raise ValueError('parameters: must be a YAML mapping, e.g. {heartbeat_interval: 2.0}')
    given.update(more)
    manual = LaunchConfiguration('lifecycle').perform(context) == 'manual'
    if manual:
        given['autostart'] = False
    # A LifecycleNode, so that launch's own lifecycle events reach it as well.
    action = LifecycleNode if manual else Node
    return [action(
        package='camera_ws_bridge',
        executable='bridge',
        name='camera_ws_bridge',
        namespace=LaunchConfiguration('namespace'),
        parameters=[params_file, given],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        output='screen',
        respawn=LaunchConfiguration('respawn').perform(context).lower() in ('true', '1'),
        respawn_delay=2.0,
    )]
