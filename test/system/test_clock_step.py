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

"""
The wall clock of the whole process moves by a day, by libfaketime: ROS and DDS see it, too.

What libfaketime (0.9.10) does not fake are locks with a deadline: those of Fast DDS's shared
memory time out at once then, which no true clock would bring about, and every second process
crashes at its end (a plain node of rclpy as well). Where these locks are faked too, none does. So
the bridge has to do without shared memory here.
"""

from __future__ import annotations

import pathlib

from camera_ws_bridge_msgs.msg import Status
import pytest
from rigs import process_rig as rigs
from rigs.shared import replace_text

DAY = 86400.0
LIBRARY = next((str(path) for folder in ('/usr/lib', '/usr/lib64') for path in sorted(
    pathlib.Path(folder).glob('**/libfaketimeMT.so.1'))), None)


@pytest.mark.skipif(LIBRARY is None, reason='libfaketime (the package) is not installed')
@pytest.mark.parametrize('days', [-1, 1])
def test_a_running_bridge_does_not_care_and_ends_in_order(tmp_path, days):
    clock = tmp_path / 'clock'
    replace_text(clock, '+0')
    environment = {
        'LD_PRELOAD': LIBRARY, 'FAKETIME_TIMESTAMP_FILE': str(clock), 'FAKETIME_NO_CACHE': '1',
        'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}
    with rigs.serving(landmark=True) as orchestrator, rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        process = rigs.Process(
            domain, tmp_path / 'log', environment=environment,
            orchestrator_url=orchestrator.sim.url, camera_id=rigs.CAMERA_ID, connect_timeout=0.0,
            spool_path=str(tmp_path / 'spool' / 'gate.sqlite'), boxes_max_age=3600.0, **rigs.FAST)
        probe.wait_until_registered()
        assert '/dev/shm/fastrtps' not in pathlib.Path(
            f'/proc/{process.info.pid}/maps').read_text(), 'there is shared memory'
        probe.publish_frames(range(10))
        before = probe.status.header.stamp.sec
        replace_text(clock, f'{days:+d}d')
        probe.publish_frames(range(10, 20))
        probe.wait(lambda: set(orchestrator.frame_ids()) >= set(map(float, range(20))))
        probe.wait_for_status(
            lambda status: days * (status.header.stamp.sec - before) > 0.9 * DAY, 'it has moved')
        assert orchestrator.sim.opened == 1, 'the connection was lost over it'
        orchestrator.die()
        probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        probe.publish_frames(range(20, 30))
        orchestrator.come_back(remembering=True)
        probe.wait(lambda: set(orchestrator.frame_ids()) >= set(map(float, range(30))))
        assert not probe.status.dropped
        assert process.end() == 0, process.log
        assert 'Traceback' not in process.log and 'Error' not in process.log
        probe.close()
