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

"""When wake-ups of a process are shared: one for all that comes within an interval."""

from __future__ import annotations

import math

CLOSE = 3  # wake-ups in a row, each within the interval of the one before: then more will come
ASLEEP = 5e-5  # seconds; who waits for less was hardly asleep


class WakeUps:
    """
    Decides whether to rest before the next wake-up; is told the time, in seconds.

    Where little comes, each wake-up is on its own, at once, and nobody rests in vain.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval  # 0: they are never shared
        self.shared = False  # whether to rest before the next one
        self._close = 0  # in a row
        self._woken_at = -math.inf

    def rest(self, now: float, due: float) -> float:
        """Return for how long to rest; due: when there is something else to do."""
        until = max(now, min(self._woken_at + self._interval, due))
        self._woken_at = until
        return until - now

    def woken(self, now: float, slept: float) -> None:
        """Hear that something was done, and for how long it had been waited for."""
        if slept < ASLEEP:
            return  # it was there already: no wake-up
        self._close = self._close + 1 if now - self._woken_at < self._interval else 0
        self._woken_at = now
        self.shared = self._close >= CLOSE

    def done(self, things: int) -> None:
        """Hear how many things there were to do when the rest was over."""
        self.shared = things > 1
        self._close = 0
