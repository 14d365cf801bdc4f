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

"""The last step of `check`: who publishes boxes, and whether they arrive."""

from contextlib import contextmanager
import subprocess

from camera_ws_bridge_msgs.msg import Box, Boxes
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rigs.check_rig import Report
from rigs.installed import executable
from rigs.process_rig import own_domain
from rigs.shared import WAIT

BEST_EFFORT = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.BEST_EFFORT)
URL = 'ws://127.0.0.1:1/processor'  # all the same here


@contextmanager
def detector(domain, message_type, profile=QoSProfile(depth=10), period=0.05):
    """Publish on /boxes as long as the block lasts; give what lets ROS work until a condition."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('detector', context=context)
    publisher = node.create_publisher(message_type, 'boxes', profile)
    if period:
        node.create_timer(period, lambda: publisher.publish(message_type()))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield executor
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def check(domain, executor, *arguments, listen=WAIT, monkeypatch):
    """Run the executable; return its last step."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    process = subprocess.Popen(
        [executable('check'), '--json', '--listen', str(listen), '--ros-args',
         '-p', f'orchestrator_url:={URL}', '-p', 'camera_id:=gate', *arguments],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while executor is not None and process.poll() is None:
            executor.spin_once(timeout_sec=0.05)
        stdout, stderr = process.communicate(timeout=WAIT)
    finally:
        process.kill()
        process.wait()
    return Report(process.returncode, stdout, stderr).steps['boxes']


@pytest.mark.parametrize('profile', (QoSProfile(depth=10), BEST_EFFORT))
def test_boxes_arrive(profile, monkeypatch):
    with own_domain() as domain, detector(domain, Boxes, profile) as executor:
        step = check(domain, executor, monkeypatch=monkeypatch)
    assert (step['status'], step['data']['arrived']) == ('ok', True)
    assert step['data']['publishers'] == [{
        'node': '/detector', 'type': 'camera_ws_bridge_msgs/msg/Boxes', 'problem': ''}]


def test_nobody_publishes_and_remaps_count(monkeypatch):
    with own_domain() as domain:
        step = check(domain, None, '-r', 'boxes:=found', listen=0.1, monkeypatch=monkeypatch)
    assert step['status'] == 'warning' and 'detector' in step['advice']
    assert step['data'] == {'topic': '/found', 'publishers': [], 'arrived': False}


@pytest.mark.parametrize('message_type, arguments, part', (
    (Boxes, ['-p', 'qos_overrides./boxes.subscription.reliability:=reliable'],
     'QoS that does not fit'),
    (Box, [], 'instead of camera_ws_bridge_msgs/msg/Boxes')))
def test_publishers_of_which_nothing_arrives(message_type, arguments, part, monkeypatch):
    with own_domain() as domain, detector(domain, message_type, BEST_EFFORT) as executor:
        step = check(domain, executor, *arguments, listen=5, monkeypatch=monkeypatch)
    assert step['status'] == 'failed' and part in step['detail']
    assert part in step['detail'] and step['data']['publishers'][0]['problem']


def test_a_detector_that_sees_nothing(monkeypatch):
    with own_domain() as domain, detector(domain, Boxes, period=0) as executor:
        step = check(domain, executor, listen=5, monkeypatch=monkeypatch)
    assert step['status'] == 'warning' and 'nothing arrived' in step['detail']
