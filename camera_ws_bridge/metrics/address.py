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

"""Where the endpoint listens."""

from __future__ import annotations

import re


def parse(text: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464; or ValueError."""
    found = re.fullmatch(r'(?:\[([0-9A-Fa-f:.%\w]+)\]|([\w.-]+)):([0-9]{1,5})', text, re.ASCII)
    if found is None or int(found[3]) > 65535:
        raise ValueError(
            f'{text!r} is not HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464; port 0: any that is '
            'free')
    return found[1] or found[2], int(found[3])
