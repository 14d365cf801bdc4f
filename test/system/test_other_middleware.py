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

"""The middleware that the tests do not run on, where both are installed: Cyclone DDS, Fast DDS."""

import os
import subprocess

from ament_index_python import get_resources
from camera_ws_bridge_msgs.msg import Start, Stop
import pytest
import rclpy
from rigs import process_rig as rigs
from rigs.commands import start, stop
from rigs.installed import executable

KNOWN = {'rmw_cyclonedds_cpp', 'rmw_fastrtps_cpp'}
OTHERS = sorted(
    KNOWN & {*get_resources('rmw_typesupport')} - {rclpy.get_rmw_implementation_identifier()})
FRAMES = [float(number) for number in range(1, 101)]

pytestmark = [
    pytest.mark.skipif(not OTHERS, reason='there is one middleware only'),
    pytest.mark.parametrize('name', OTHERS or ['none'])]


def test_the_demo_loses_nothing(name):
    with rigs.own_domain() as domain:
        done = subprocess.run(
            [executable('demo'), '--duration', '6', '--outage', '1.5'], timeout=100, text=True,
            capture_output=True,
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'RMW_IMPLEMENTATION': name})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == '0 lost: all accounted for'


def test_a_bridge_understands_nodes_on_another(tmp_path, name):
    with rigs.running(tmp_path, environment={'RMW_IMPLEMENTATION': name}) as rig:
        with open(f'/proc/{rig.process.info.pid}/maps') as maps:
            assert f'lib{name}.so' in maps.read()
        rig.probe.publish_frames(FRAMES)
        rig.wait(lambda: rig.orchestrator.frame_ids() == FRAMES)
        rig.orchestrator.send(start(7, frameId=1, boxId=0), stop(7))
        rig.wait(lambda: [command.object_id for command in rig.probe.of(Start)] == [7])
        rig.wait(lambda: [command.object_id for command in rig.probe.of(Stop)] == [7])
