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

"""Many cameras in one process: what they cost, and what makes them cost less."""

from camera_ws_bridge.ros import fast_dds
from camera_ws_bridge_msgs.msg import Stop
import pytest
from rclpy import get_rmw_implementation_identifier
from rigs.multi_rig import publish, site


def test_eight_cameras_take_less_than_120_mb(tmp_path):
    names = [f'cam{number}' for number in range(8)]
    with site(tmp_path, [{'camera_id': name} for name in names]) as found:
        for name in names:
            found.probe(name).wait_until_registered()
            found.probe(name).publish_frames(range(50))
        memory = found.process.info.memory_info().rss
        print(f'{memory / 1e6:.0f} MB RSS')
        assert memory < 120e6
        assert found.process.end() == 0


def memory_of(tmp_path, cameras, **environment):
    """Return the resident bytes of a process of so many cameras, once the last is registered."""
    names = [f'camera_{number}' for number in range(cameras)]
    with site(tmp_path, [{'camera_id': name} for name in names],
              environment=environment or None) as found:
        found.probe(names[-1]).wait_until_registered()
        memory = int(found.process.info.memory_info().rss)
        assert found.process.end() == 0, found.process.log
        return memory


@pytest.mark.skipif('fastrtps' not in get_rmw_implementation_identifier(), reason='of Fast DDS')
def test_a_further_camera_takes_less_memory_than_with_fast_dds_own_profiles(tmp_path):
    own = tmp_path / 'own.xml'
    own.write_text('<dds xmlns="http://www.eprosima.com"><profiles/></dds>')
    theirs = memory_of(tmp_path, 10, **dict.fromkeys(fast_dds.VARIABLES, str(own)))
    assert memory_of(tmp_path, 10) < theirs - 10 * 0.7 * 2**20


# ---- shared wake-ups

@pytest.mark.parametrize('gate, door, said', [
    (0.02, 0.005, 'wake-ups are shared over 0.005 s'), (0.02, 0.0, '')])
def test_the_process_goes_by_the_smallest_wake_interval(tmp_path, gate, door, said):
    cameras = [{'camera_id': 'gate', 'parameters': {'wake_interval': gate}},
               {'camera_id': 'door', 'parameters': {'wake_interval': door}}]
    with site(tmp_path, cameras) as found:
        for name in ('gate', 'door'):
            found.probe(name).wait_until_registered()
        assert said in found.process.log and found.process.log.count('wake-ups') == bool(said)
        assert found.process.end() == 0, found.process.log


def test_shared_wake_ups_lose_nothing_and_hold_up_no_command(tmp_path):
    names = ['gate', 'door', 'yard']
    with site(tmp_path, [{'camera_id': name} for name in names], wake_interval=0.1) as found:
        for name in names:
            found.probe(name).wait_until_registered()
        frames = [float(number) for number in range(100)]
        for frame in frames:  # one after the other, so that many fall into one interval
            for name in names:
                publish(found.probe(name), name, frame)
        found.orchestrator.do('send', camera='yard', text='{"type": "stop", "objectId": 7}')
        probe = found.probe('yard')
        probe.wait(lambda: [command.object_id for command in probe.of(Stop)] == [7])
        for name in names:
            probe.wait(lambda: found.frames_of(name) == frames)  # noqa: B023
        assert found.process.end() == 0, found.process.log
