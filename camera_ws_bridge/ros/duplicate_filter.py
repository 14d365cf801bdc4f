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

"""One message that comes over two ways is passed on once."""

from __future__ import annotations

from collections import OrderedDict

ONE, OTHER = 1, -1  # the two ways


class DuplicateFilter:
    """
    Tells a message's first arrival from its duplicate's, by a key that both have in common.

    As many messages pass as came over that way which brought more of them: a message that is sent
    twice, with the same key, passes twice, whether it came over one way or over both.
    """

    def __init__(self, limit: int) -> None:
        """limit: messages of which the duplicate may be missing that are remembered."""
        self._limit = limit
        self._surplus: OrderedDict[int, int] = OrderedDict()  # by key; above 0: of way ONE

    def is_news(self, way: int, key: int) -> bool:
        """Take note of a message; return whether it is to be passed on."""
        surplus = self._surplus.pop(key, 0)
        if surplus + way:
            self._surplus[key] = surplus + way
            if len(self._surplus) > self._limit:
                self._surplus.popitem(last=False)
        return surplus * way >= 0
