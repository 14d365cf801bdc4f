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

"""What a publisher has sent and a subscription did not get, by the numbers that are missing."""

from __future__ import annotations


class SequenceGaps:
    """
    Counts the messages that never came, of one publisher.

    A message tells its number, not whose it is: where there are several publishers, nothing is
    counted. Neither is a gap around which the publisher has changed: it may be the next one's.
    What came before any was known is of the first that is: messages overtake discovery.
    """

    def __init__(self) -> None:
        self._last: int | None = None  # the greatest number so far
        self._missing = 0  # since the last look
        self._publishers: frozenset[bytes] = frozenset()

    def note(self, number: int | None) -> None:
        """Take note of a message's number; None: the middleware does not tell."""
        if number is None:
            return
        if self._last is None or number > self._last:
            if self._last is not None:
                self._missing += number - self._last - 1
            self._last = number
        elif self._missing and number < self._last:
            self._missing -= 1  # it was only late

    def look(self, publishers: frozenset[bytes]) -> int:
        """Return how many are missing since the last look; publishers: those there are, by gid."""
        if not publishers:
            return 0  # one that is out of sight for a while may come back
        missing, self._missing = self._missing, 0
        known, self._publishers = self._publishers or publishers, publishers
        if len(publishers) == 1 and publishers == known:
            return missing
        self._last = None
        return 0
