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

"""The bridge with what other distributions have of rclpy; see the folders beside this file."""

import json
import os
import pathlib
import subprocess
import sys

from camera_ws_bridge_msgs.msg import Boxes, Start, Status
import pytest
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rigs import process_rig as rigs
from rigs.installed import executable
from rigs.lifecycle_rig import managed, Manager

HERE = pathlib.Path(__file__).resolve().parent
DISTRIBUTIONS = ('humble', 'lyrical')
BEST_EFFORT = QoSReliabilityPolicy.BEST_EFFORT


def shimmed(name):
    """Return the environment that makes rclpy look so."""
    return {'PYTHONPATH': f'{HERE / name}:{os.environ.get("PYTHONPATH", "")}'}


def python(name, text, **environment):
    """Return what a program prints with such an rclpy."""
    done = subprocess.run(
        [sys.executable, '-c', text], text=True, capture_output=True, timeout=60,
        env={**os.environ, **shimmed(name), **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=DISTRIBUTIONS, scope='module')
def name(request):
    return request.param


@pytest.fixture(scope='module')
def rig(name, tmp_path_factory):
    with rigs.running(tmp_path_factory.mktemp(name), environment=shimmed(name)) as running:
        yield running


@pytest.mark.parametrize('distribution, statement', [
    ('humble', 'from rclpy.event_handler import PublisherEventCallbacks'),
    ('humble', 'from rclpy.experimental import EventsExecutor'),
    ('humble', 'from rclpy.qos import QoSReliabilityPolicy as Q; Q.BEST_AVAILABLE'),
    ('humble', 'from rclpy.node import Node; Node.add_post_set_parameters_callback'),
    ('humble', 'from rclpy.subscription import Subscription as S; S.get_publisher_count'),
    ('humble', 'import rclpy; rclpy.init(); from rclpy.node import Node; '
               'Node("a", enable_logger_service=True)'),
    ('lyrical', 'from rclpy.topic_endpoint_info import TopicEndpointInfo'),
    ('lyrical', 'from rclpy.qos_event import PublisherEventCallbacks')])
def test_what_is_to_be_missing_is_missing(distribution, statement):
    text = f"""
try:
    {statement}
except (ImportError, AttributeError, TypeError) as error:
    print(type(error).__name__)
"""
    assert python(distribution, text, ROS_DOMAIN_ID='102').strip().endswith('Error')


def test_boxes_and_commands_pass(rig):
    rig.probe.publish_frames(range(50))
    rig.wait(lambda: {*rig.orchestrator.frame_ids()} >= {*range(50)})
    rig.orchestrator.send('{"type": "start", "objectId": 7, "frameId": 1, "boxId": 2}')
    rig.wait(lambda: rig.probe.of(Start))
    assert 'Traceback' not in rig.process.log


def test_a_best_effort_detector_is_heard_as_well(rig):
    publisher = rig.probe.node.create_publisher(
        Boxes, 'boxes', QoSProfile(depth=10, reliability=BEST_EFFORT))

    def arrived():
        publisher.publish(rigs.boxes(1234.5))
        rig.probe.executor.spin_once(timeout_sec=0.2)
        return 1234.5 in rig.orchestrator.frame_ids()
    try:
        rig.wait(arrived)
    finally:
        rig.probe.node.destroy_publisher(publisher)


def test_a_subscription_that_does_not_fit_is_told_of(rig):
    subscription = rig.probe.node.create_subscription(
        Status, 'camera_ws_bridge/status', lambda _: None,
        QoSProfile(depth=1, deadline=Duration(seconds=1)))
    try:
        rig.wait(lambda: 'nothing reaches a subscription on /camera_ws_bridge/status' in (
            rig.process.log))
    finally:
        rig.probe.node.destroy_subscription(subscription)


def test_parameters_change_live_and_only_if_all_agree(rig):
    client = rig.probe.node.create_client(
        SetParametersAtomically, 'camera_ws_bridge/set_parameters_atomically')
    rig.wait(client.service_is_ready)

    def change(**values):
        future = client.call_async(SetParametersAtomically.Request(parameters=[
            Parameter(key, value=value).to_parameter_msg() for key, value in values.items()]))
        rig.wait(future.done)
        return future.result().result.successful
    assert change(heartbeat_interval=2.5)
    rig.wait(lambda: 'parameter heartbeat_interval is now 2.5' in rig.process.log)
    assert not change(heartbeat_interval=3.5, open_timeout=0.0)
    assert change(heartbeat_timeout=7.5)
    rig.wait(lambda: 'parameter heartbeat_timeout is now 7.5' in rig.process.log)
    assert 'heartbeat_interval is now 3.5' not in rig.process.log


def test_its_life_can_be_managed(rig):
    manager = Manager(rig.probe)
    assert manager.change('deactivate', 'cleanup', 'configure', 'activate')
    rig.probe.wait_until_registered()


def test_several_cameras_in_one_process_work(name, tmp_path):
    cameras = tmp_path / 'cameras.yaml'
    cameras.write_text(
        'cameras:\n- {camera_id: a, namespace: a}\n- {camera_id: b, namespace: b}\n')
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', environment=shimmed(name),
            command=('multi_bridge', str(cameras)), orchestrator_url=orchestrator.sim.url)
        for camera in 'ab':
            probe = rigs.Probe(domain, f'/{camera}/camera_ws_bridge', camera)
            probe.wait_until_registered()
            probe.close()
        assert process.end() == 0, process.log


def test_one_that_waits_to_be_managed_works(name, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', shimmed(name)['PYTHONPATH'])
    with managed(tmp_path) as rig:
        assert rig.manager.change('configure', 'activate', 'deactivate', 'cleanup')


def test_a_demo_talks_to_this_machine_only(name):
    assert python(name, """
import os
from camera_ws_bridge.ros import features
from camera_ws_bridge.sim.demo import main
with main._environment():
    print(features.discovery_range(os.environ))
""", ROS_DOMAIN_ID='102', ROS_LOCALHOST_ONLY='0').strip() == 'LOCALHOST'


@pytest.mark.parametrize('distribution, discovery, localhost_only', [
    ('humble', '', '1'), ('humble', 'LOCALHOST', '1'), ('humble', 'SUBNET', ''),
    ('jazzy', '', '')])
def test_a_shell_for_development_talks_to_this_machine_only(
        distribution, discovery, localhost_only):
    own = {'CAMERA_WS_BRIDGE_VENV', 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY'}
    done = subprocess.run(
        ['bash', '-c', f'source {HERE.parents[1] / "scripts/env.bash"}\n'
                       'echo "$ROS_AUTOMATIC_DISCOVERY_RANGE,$ROS_LOCALHOST_ONLY"'],
        text=True, capture_output=True, timeout=60, env={
            **{key: value for key, value in os.environ.items() if key not in own},
            'ROS_DISTRO': distribution,
            **({'ROS_AUTOMATIC_DISCOVERY_RANGE': discovery} if discovery else {})})
    assert done.stdout.split() == [f'{discovery or "LOCALHOST"},{localhost_only}'], done.stderr


@pytest.mark.parametrize('environment, told', [
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, 'SUBNET'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_LOCALHOST_ONLY': '1'}, 'LOCALHOST'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF', 'ROS_LOCALHOST_ONLY': '1'}, 'LOCALHOST')])
def test_check_tells_who_really_can_be_found_where_the_range_is_not_known(environment, told):
    with rigs.own_domain() as domain:
        done = subprocess.run(
            [executable('check'), '--json', '--listen', '0', '--ros-args', '-p', 'camera_id:=a',
             '-p', 'orchestrator_url:=ws://127.0.0.1:1/processor'], text=True, capture_output=True,
            timeout=60, env={**os.environ, **shimmed('humble'), 'ROS_DOMAIN_ID': str(domain),
                             **environment})
    report = json.loads(done.stdout)
    (step,) = [step for step in report['steps'] if step['name'] == 'ros']
    assert step['data']['discovery_range'] == told
    assert ('ROS_LOCALHOST_ONLY=1' in step['advice']) == (told == 'SUBNET')
