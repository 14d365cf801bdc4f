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
Less memory for the endpoints of many nodes in one process, where Fast DDS is the middleware.

Fast DDS reserves memory for 100 messages at each reader and writer. A bridge has some forty, most
of them services that are asked once in a while: that is half of what a further camera takes. With
fast_dds.xml each reserves one, and more when it needs more.
"""

from __future__ import annotations

from collections.abc import Mapping
import pathlib

PROFILES = pathlib.Path(__file__).with_suffix('.xml')
# Fast DDS 2 and 3. Either, or a file of one of the names in the working directory, is the user's.
VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
FILES = ('DEFAULT_FASTRTPS_PROFILES.xml', 'DEFAULT_FASTDDS_PROFILES.xml')


def spare(environment: Mapping[str, str], folder: pathlib.Path) -> dict[str, str]:
    """Return what to add to the environment of a process in this folder, before rclpy.init."""
    if any(environment.get(name) for name in VARIABLES) or any(
            (folder / name).exists() for name in FILES):
        return {}
    return dict.fromkeys(VARIABLES, str(PROFILES))
