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
Whether the websockets library will do; to be asked before anything imports it.

Ubuntu 22.04's is too old: the bridge would start with it, and every attempt to connect would fail.
"""

from __future__ import annotations

import re

OLDEST = (10, 4)
ADVICE = "install one by pip install 'websockets>=10.4,<18'"


def unusable() -> str:
    """Return that it is missing or too old, and what to do; empty: it will do."""
    try:
        from websockets.version import version
    except ImportError:
        return f'the Python library websockets is missing: {ADVICE}'
    return too_old(version)


def too_old(version: str) -> str:
    """Return that a version is too old, and what to do; empty: it is not."""
    if (*map(int, re.findall('[0-9]+', version)[:2]),) >= OLDEST:
        return ''
    return f'websockets {version} is too old, 10.4 is needed: {ADVICE}'
