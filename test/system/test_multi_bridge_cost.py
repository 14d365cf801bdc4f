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

from camera_ws_bridge.process import fast_dds
import pytest
from rclpy import get_rmw_implementation_identifier
from rigs.multi_rig import site


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
    """Return the resident bytes of a process of so many cameras, once all are registered."""
    names = [f'camera_{number}' for number in range(cameras)]
    with site(tmp_path, [{'camera_id': name} for name in names],
              environment=environment or None) as found:
        for name in names:
            found.probe(name).wait_until_registered()
        memory = int(found.process.info.memory_info().rss)
        assert found.process.end() == 0, found.process.log
        return memory


@pytest.mark.skipif('fastrtps' not in get_rmw_implementation_identifier(), reason='of Fast DDS')
def test_a_further_camera_takes_less_memory_than_with_fast_dds_own_profiles(tmp_path):
    own = tmp_path / 'own.xml'
    own.write_text('<dds xmlns="http://www.eprosima.com"><profiles/></dds>')
    theirs = memory_of(tmp_path, 10, **dict.fromkeys(fast_dds.VARIABLES, str(own)))
    assert memory_of(tmp_path, 10) < theirs - 10 * 0.7 * 2**20
