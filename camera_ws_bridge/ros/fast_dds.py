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
What the environment of a process tells Fast DDS before rclpy.init, where it is the middleware.

Less memory for the endpoints of many nodes in one process: Fast DDS reserves memory for 100
messages at each reader and writer. A bridge has some forty, most of them services that are asked
once in a while: that is half of what a further camera takes. With fast_dds.xml each reserves one,
and more when it needs more.

No shared memory: what one user or container has there, another cannot open, and Fast DDS does not
notice: nothing arrives. FASTDDS_BUILTIN_TRANSPORTS=UDPv4 is how one does without. But where ROS
keeps to this machine, rmw_fastrtps chooses the transports itself, shared memory among them. It
leaves them to fast_dds_udp.xml, which keeps to this machine as well, if it is told that how far to
look is Fast DDS's matter. Two processes share memory only if both offer it: one of them is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
import pathlib

PROFILES = pathlib.Path(__file__).with_suffix('.xml')
UDP_PROFILES = PROFILES.with_name('fast_dds_udp.xml')
# Fast DDS 2 and 3. Either, or a file of one of the names in the working directory, is the user's.
VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
FILES = ('DEFAULT_FASTRTPS_PROFILES.xml', 'DEFAULT_FASTDDS_PROFILES.xml')
# Who names others by address; they may be on other machines.
NAMED = ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS2_EASY_MODE')
# How far ROS looks. Humble knows the second only, later ones complain of it.
AS_FAST_DDS_HAS_IT = {
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SYSTEM_DEFAULT', 'ROS_LOCALHOST_ONLY': '0'}


def spare(environment: Mapping[str, str], folder: pathlib.Path) -> dict[str, str]:
    """Return what to add to the environment of a process in this folder, for less memory."""
    if _has_profiles(environment, folder):
        return {}
    return dict.fromkeys(VARIABLES, str(PROFILES))


def by_udp(
        environment: Mapping[str, str], folder: pathlib.Path, discovery: str) -> dict[str, str]:
    """
    Return what to add if UDP alone is wanted, and ROS with this discovery range would not obey.

    Nothing where the user has profiles, which say it themselves, or names others.
    """
    if (environment.get('FASTDDS_BUILTIN_TRANSPORTS') != 'UDPv4' or discovery != 'LOCALHOST'
            or any(environment.get(name) for name in NAMED)
            or _has_profiles(environment, folder)):
        return {}
    return {**dict.fromkeys(VARIABLES, str(UDP_PROFILES)), **{
        name: value for name, value in AS_FAST_DDS_HAS_IT.items() if name in environment}}


def _has_profiles(environment: Mapping[str, str], folder: pathlib.Path) -> bool:
    """Return whether there are some of the user's; ours may be those of a parent process."""
    given = {environment.get(name, '') for name in VARIABLES}
    return bool(given - {'', str(PROFILES), str(UDP_PROFILES)}) or any(
        (folder / name).exists() for name in FILES)
