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
from launch.actions import DeclareLaunchArgument, GroupAction
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

ARGUMENTS = (
    ('port', '8080', 'Port of the simulated orchestrator on the loopback interface.'),
    ('page', 'false', "A live show for the operator's page: two cameras with pictures, on the "
     'next two ports, the example of a re-ID node each, and no operator but you.'),
    ('camera_id', 'demo', 'Id under which the camera registers; with a page: entrance and yard.'),
    ('namespace', '', 'Namespace of bridge and camera; with a page: above those of both.'),
    ('rate', '30', 'Frames a second; with a page: 15.'),
    ('boxes', '20', 'Boxes on each frame; with a page: of six people.'),
    ('click_every', '5', 'Seconds between the clicks of the operator, each a start or a stop.'),
    ('log_level', 'info', 'Log level of the bridge.'),
)
CHOICES = {'log_level': ['debug', 'info', 'warn', 'error', 'fatal'], 'page': ['true', 'false']}
STREETS = ('entrance', 'yard')  # what the cameras of the live show look at


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the processes."""
    page = LaunchConfiguration('page')
    return LaunchDescription([
        *(DeclareLaunchArgument(
            name, default_value=default, description=description, choices=CHOICES.get(name))
          for name, default, description in ARGUMENTS),
        GroupAction(one_camera(), condition=UnlessCondition(page)),
        GroupAction(live_show(), condition=IfCondition(page)),
    ])


def one_camera() -> list[Node]:
    """Return orchestrator, operator, camera and bridge."""
    port = LaunchConfiguration('port')
    namespace = LaunchConfiguration('namespace')
    camera_id = LaunchConfiguration('camera_id')
    return [
        Node(
            package='camera_ws_bridge', executable='orchestrator_sim', output='screen',
            arguments=['--port', port]),
        bridge(camera_id, namespace),
        Node(
            package='camera_ws_bridge', executable='camera_sim', output='screen',
            namespace=namespace,
            arguments=['--rate', LaunchConfiguration('rate'),
                       '--boxes', LaunchConfiguration('boxes')]),
        Node(
            package='camera_ws_bridge', executable='operator_sim', output='screen',
            arguments=['--url', ['ws://127.0.0.1:', port, '/client'], '--camera', camera_id,
                       '--every', LaunchConfiguration('click_every')]),
    ]


def live_show() -> list[Node]:
    """Return orchestrator, and camera, bridge and re-ID node of each street."""
    port = LaunchConfiguration('port')
    ports = {street: PythonExpression([port, f' + {number}'])
             for number, street in enumerate(STREETS, 1)}
    pictures = []
    for street in STREETS:
        pictures += ['--picture', [f'{street}=http://127.0.0.1:', ports[street], '/']]
    nodes = [Node(
        package='camera_ws_bridge', executable='orchestrator_sim', output='screen',
        arguments=['--port', port, *pictures])]
    for number, street in enumerate(STREETS, 1):
        namespace = [LaunchConfiguration('namespace'), f'/{street}']
        nodes += [
            bridge(street, namespace),
            Node(
                package='camera_ws_bridge', executable='camera_sim', output='screen',
                namespace=namespace, remappings=[('boxes', 'detections')],
                arguments=['--pictures', '--picture-port', ports[street], '--detector',
                           '--rate', '15', '--boxes', '6', '--seed', str(number)]),
            Node(
                package='camera_ws_bridge', executable='reid_node.py', output='screen',
                namespace=namespace),
        ]
    return nodes


def bridge(camera_id: object, namespace: object) -> Node:
    """Return a camera's bridge."""
    # Not bridge.launch.py: its arguments would be listed here, and have no effect.
    return Node(
        package='camera_ws_bridge', executable='bridge', name='camera_ws_bridge',
        namespace=namespace, output='screen',
        parameters=[{
            'orchestrator_url': ParameterValue(
                ['ws://127.0.0.1:', LaunchConfiguration('port'), '/processor'], value_type=str),
            'camera_id': ParameterValue(camera_id, value_type=str)}],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')])
