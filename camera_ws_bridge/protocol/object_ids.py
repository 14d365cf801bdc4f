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

"""Boxes that are still true, of objects that are no longer what their ids say."""

from __future__ import annotations

import re

# A quote within a text is always behind a backslash, so this is no part of one.
_OBJECT_ID = re.compile(rb',"objectId":\d+')


def without_object_ids(boxes: bytes) -> bytes:
    """Return an encoded boxes message (as codec writes it) in which no box has an object id."""
    return _OBJECT_ID.sub(b'', boxes) if b'"objectId":' in boxes else boxes
