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
Where the executables begin: to end in order, too, while Python still imports.

Importing ROS takes most of the start. Without this, a signal in that time would end the process
with a traceback, or with an exit code that launch takes for a failure.
"""

from __future__ import annotations

from importlib import import_module
import sys

from camera_ws_bridge.errors import exhausted
from camera_ws_bridge.process.signals import END_SIGNALS
from camera_ws_bridge.transport.descriptors import shortage
from camera_ws_bridge.transport.library import unusable

EXIT_CONFIGURATION = 2  # as in run, which must not be imported yet


def bridge() -> int:
    """Be the executable `bridge`."""
    return _run('bridge')


def multi_bridge() -> int:
    """Be the executable `multi_bridge`."""
    return _run('multi_bridge')


def _run(name: str) -> int:
    END_SIGNALS.hold_back()
    problem = shortage() or unusable()
    if not problem:
        try:
            code: int = import_module(f'camera_ws_bridge.process.{name}').main()
            return code
        except (OSError, MemoryError) as error:
            fault = exhausted(error)
            if fault is None:
                raise
            problem = fault.reason
    print(f'camera_ws_bridge: {problem}', file=sys.stderr)
    return EXIT_CONFIGURATION
