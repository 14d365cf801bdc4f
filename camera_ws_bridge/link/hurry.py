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

"""How often this machine's network, which may flap, makes the link hurry."""

from __future__ import annotations

FIRST_GAP = 0.25  # seconds
LONGEST_GAP = 10.0  # seconds; what a server asks for is waited for at most as long


class Hurry:
    """
    When to try at once because something has changed: at once, and the rarer the more changes.

    A machine on which containers come and go has a change every second. Without gaps no attempt
    would ever be left the time it takes, and no server the pause that it has asked for.
    """

    def __init__(self) -> None:
        self._at = float('-inf')  # when it last was
        self._gap = FIRST_GAP

    def delay(self, now: float) -> float:
        """Return the seconds from a change until the link hurries, which this counts as done."""
        if now - self._at >= 2 * self._gap:
            self._gap = FIRST_GAP
            self._at = now
            return 0.0
        self._at = max(now, self._at + self._gap)
        self._gap = min(2 * self._gap, LONGEST_GAP)
        return self._at - now
