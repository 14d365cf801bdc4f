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

"""When an executable starts ROS: whose transports it takes, and that it tells what was set."""

import os

from camera_ws_bridge.ros import fast_dds, features, starting
import pytest

ASKED = {**features.loopback_only(), 'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Return a function: what rclpy.init sees in the environment, and what is left after it."""
    def look(middleware):
        monkeypatch.chdir(tmp_path)
        found = {}
        with monkeypatch.context() as patch:
            environment = {**ASKED, 'ROS_LOG_DIR': str(tmp_path)}
            patch.setattr(os, 'environ', environment)
            patch.setattr(
                starting.rclpy, 'get_rmw_implementation_identifier', lambda: middleware)
            patch.setattr(starting.rclpy, 'init', lambda **_: found.update(environment))
            starting.init('bridge', [])
        return found, environment
    return look


def test_fast_dds_gets_the_profiles_and_ros_is_told_as_before(seen):
    during, after = seen('rmw_fastrtps_cpp')
    profiles = dict.fromkeys(fast_dds.VARIABLES, str(fast_dds.UDP_PROFILES))
    assert profiles.items() <= during.items() and profiles.items() <= after.items()
    assert features.discovery_range(during) != 'LOCALHOST'
    assert ASKED.items() <= after.items() and features.discovery_range(after) == 'LOCALHOST'


def test_another_middleware_keeps_to_this_machine_by_itself(seen):
    for environment in seen('rmw_cyclonedds_cpp'):
        assert ASKED.items() <= environment.items()
        assert not environment.keys() & {*fast_dds.VARIABLES}
