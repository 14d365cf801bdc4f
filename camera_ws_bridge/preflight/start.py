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

"""Where the executable `check` begins: to say in one line what its imports would trip over."""

from __future__ import annotations

from importlib import import_module
import sys

from camera_ws_bridge.transport.library import unusable

EXIT_CONFIGURATION = 2  # as of the bridge


def check() -> int:
    """Be the executable `check`."""
    problem = unusable()
    if problem:
        print(f'check: {problem}', file=sys.stderr)
        return EXIT_CONFIGURATION
    code: int = import_module('camera_ws_bridge.preflight.check').main()
    return code
