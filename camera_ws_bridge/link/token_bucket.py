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

"""How much may come in at once and in the long run, without a queue."""

from __future__ import annotations


class TokenBucket:
    """`burst` messages at once, then `rate` a second; times are seconds of a monotonic clock."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at: float | None = None

    def limit(self, rate: float, burst: float) -> None:
        """Go by other limits from now on."""
        self.rate = rate
        self.burst = burst
        self._tokens = min(self._tokens, burst)

    def refill(self) -> None:
        """Have a whole burst again."""
        self._tokens = self.burst

    def take(self, now: float) -> bool:
        """Return whether one more message is within the limits, and count it if so."""
        if self._at is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
