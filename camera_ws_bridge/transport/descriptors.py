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
"""How many files, sockets among them, this process may have open."""

from __future__ import annotations

import resource

# Without so many ROS cannot start; half of them are in use by then. It would say so in many lines,
# and in other words each time.
NEEDED = 64


def shortage() -> str:
    """Return that they are too few to start, and what to do; empty: they are enough."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= NEEDED:
        return ''
    return (f'this process may open no more than {limit} files: raise ulimit -n (LimitNOFILE in '
            f'systemd) to {NEEDED} at least')
