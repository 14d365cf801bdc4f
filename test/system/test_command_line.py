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

"""The bridge under ROS 2's own command line; the process tests check the same without it."""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import time

from ament_index_python import get_package_share_directory
import pytest
from rigs import process_rig as rigs
import yaml

pytestmark = pytest.mark.skipif(
    shutil.which('ros2') is None, reason='the ros2 command line is not installed')

NODE = '/camera_ws_bridge'


@pytest.fixture(scope='module', name='ros2')
def command_line(tmp_path_factory):
    """Run a bridge; return a function that runs a `ros2` command beside it."""
    with rigs.running(tmp_path_factory.mktemp('ros2')) as running:
        def ros2(*arguments):
            environment = {
                **os.environ, 'ROS_DOMAIN_ID': str(running.domain),
                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
            return _until_done(['ros2', *arguments], environment)
        ros2.rig = running
        yield ros2


def test_param_dump_is_the_documented_file(ros2):
    dumped = yaml.safe_load(ros2('param', 'dump', NODE, '--no-daemon', '--spin-time', '2'))
    values = dumped[NODE]['ros__parameters']
    path = pathlib.Path(get_package_share_directory('camera_ws_bridge')) / 'config/bridge.yaml'
    documented = yaml.safe_load(path.read_text(encoding='utf-8'))['/**']['ros__parameters']
    given = {'orchestrator_url': ros2.rig.orchestrator.sim.url, 'camera_id': rigs.CAMERA_ID}
    assert {name: values.get(name) for name in documented} == {
        **documented, **given, **rigs.FAST}
    others = {*values} - {*documented}
    assert others <= {'use_sim_time', 'start_type_description_service', 'qos_overrides'}


def test_param_describe_tells_what_the_table_tells(ros2):
    text = ros2('param', 'describe', NODE, 'boxes_max_age', '--no-daemon',
                '--spin-time', '2')
    assert 'Seconds after which a buffered boxes message is dropped' in text
    assert 'Max value: 86400.0' in text


def test_param_set_changes_what_is_live_and_nothing_else(ros2):
    options = ('--no-daemon', '--spin-time', '2', NODE)

    def value_after(name, value):
        ros2('param', 'set', *options, name, value)
        return ros2('param', 'get', *options, name).rpartition(': ')[2].strip()
    assert value_after('heartbeat_interval', '2.5') == '2.5'
    assert value_after('heartbeat_interval', '9999.0') == '2.5', 'out of its range'
    assert value_after('heartbeat_interval', '5.0') == '5.0'
    assert value_after('camera_id', 'another') == rigs.CAMERA_ID, 'read-only'


def test_topic_echo_shows_the_status(ros2):
    text = ros2('topic', 'echo', '--once', '--no-daemon', '--spin-time', '2', f'{NODE}/status')
    status = yaml.safe_load(text.partition('\n---')[0])
    assert status['camera_id'] == rigs.CAMERA_ID
    assert status['state'] in (2, 3)


def test_node_info_names_the_interfaces(ros2):
    text = ros2('node', 'info', '--no-daemon', '--spin-time', '2', NODE)
    for line in ('/boxes: camera_ws_bridge_msgs/msg/Boxes',
                 '/feature_map: camera_ws_bridge_msgs/msg/Update',
                 f'{NODE}/start: camera_ws_bridge_msgs/msg/Start',
                 f'{NODE}/tracked_objects: camera_ws_bridge_msgs/msg/TrackedObjects',
                 f'{NODE}/reconnect: std_srvs/srv/Trigger'):
        assert line in text


def test_service_call_reconnects(ros2):
    reconnects = ros2.rig.probe.status.reconnects
    assert 'success=True' in ros2('service', 'call', f'{NODE}/reconnect', 'std_srvs/srv/Trigger')
    ros2.rig.probe.wait_for_status(lambda status: status.reconnects > reconnects)


def test_pkg_executables_are_the_public_ones(ros2):
    names = ros2('pkg', 'executables', 'camera_ws_bridge').split()
    assert {'bridge', 'camera_sim', 'demo', 'orchestrator_sim'} <= {*names}


@pytest.mark.parametrize('launch_file', ['bridge', 'demo', 'multi_camera'])
def test_launch_shows_the_arguments(ros2, launch_file):
    text = ros2('launch', 'camera_ws_bridge', f'{launch_file}.launch.py', '--show-args')
    assert "'log_level':" in text


def test_run_ends_with_the_exit_code_of_the_bridge(ros2):
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('ORCHESTRATOR_URL', 'CAMERA_ID')}
    result = subprocess.run(
        ['ros2', 'run', 'camera_ws_bridge', 'bridge'], text=True, capture_output=True,
        env=environment, timeout=90)
    assert result.returncode == 2
    assert 'orchestrator_url: is not set' in result.stderr


def test_lifecycle_drives_the_node(ros2):
    options = (NODE, '--no-daemon', '--spin-time', '2')

    def change(transition):
        assert 'Transitioning successful' in ros2(
            'lifecycle', 'set', *options[:1], transition, *options[1:])
    assert ros2('lifecycle', 'get', *options).startswith('active')
    change('deactivate')
    assert ros2('lifecycle', 'get', *options).startswith('inactive')
    change('activate')
    ros2.rig.probe.wait_until_registered()


def test_the_documented_life_of_a_managed_node(tmp_path):
    document = pathlib.Path(__file__).resolve().parents[2] / 'docs/lifecycle.md'
    block = document.read_text(encoding='utf-8').split('```')[1].replace('\\\n', ' ')
    launch, *commands = [
        shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]
    assert len(commands) == 5
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain),
                       'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        launch = [word.replace('ws://localhost:8080/processor', orchestrator.sim.url)
                  for word in launch]
        with open(tmp_path / 'log', 'w', encoding='utf-8') as log:
            process = subprocess.Popen(launch, env=environment, stdout=log, stderr=log)
        try:
            probe = rigs.Probe(domain)
            states = []
            for command in commands:
                states.append(_until_done(
                    [*command, '--no-daemon', '--spin-time', '2'], environment))
                if 'activate' in command:
                    probe.wait_until_registered()
            assert states[:4] == ['Transitioning successful'] * 4
            assert states[4].startswith('unconfigured'), states
        finally:  # an interrupt, so that launch ends what it has started
            process.send_signal(signal.SIGINT)
            assert process.wait(rigs.PATIENCE) == 0, (tmp_path / 'log').read_text()


def _until_done(command, environment):
    """Run a command again until it has found its node; return what it says."""
    end = time.monotonic() + 2 * rigs.PATIENCE
    while True:
        result = subprocess.run(
            command, env=environment, text=True, capture_output=True, timeout=rigs.PATIENCE)
        if not result.returncode:
            return result.stdout.strip()
        # Without a daemon, it may have looked before it had discovered anything.
        assert time.monotonic() < end, result.stderr
