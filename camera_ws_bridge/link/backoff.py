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
How long to wait before the next connection attempt.

Exponential with jitter: a delay is drawn below a ceiling that doubles with every failure, so that
a site's cameras do not come back all at once (M. Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog, 2015). Unlike there the ceiling stays low, so that nobody notices, and instead a
growing part of it is always waited. scripts/fleet_load.py shows what a fleet makes of that.
"""

from __future__ import annotations

from collections.abc import Callable

# Attempts that no server sees cost nobody anything: the ceiling stays at this many seconds, so
# that a restarted server is found again soon.
UNREACHED_CEILING = 1.0

LONGEST_ASKED = 10.0  # seconds that a server's Retry-After is obeyed at most


class Backoff:
    """Delays in seconds; `random` returns floats from 0 to 1, as random.random does."""

    def __init__(
            self, minimum: float, maximum: float, stable_after: float,
            random: Callable[[], float]) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.stable_after = stable_after
        self._random = random
        self._ceiling = minimum

    def configure(self, minimum: float, maximum: float, stable_after: float) -> bool:
        """Go by other values from now on; return whether they are others."""
        values = minimum, maximum, stable_after
        if values == (self.minimum, self.maximum, self.stable_after):
            return False
        self.minimum, self.maximum, self.stable_after = values
        self._ceiling = max(minimum, min(self._ceiling, maximum))
        return True

    def next_delay(self, *, reached: bool, lasted: float = 0.0) -> float:
        """
        Return the delay after a failure.

        reached: whether a server answered the attempt; lasted: seconds that the connection had
        been registered. Only a connection that lasted `stable_after` resets the back-off: a
        server that accepts and closes at once must not be called in a hot loop.
        """
        if lasted >= self.stable_after:
            self._ceiling = self.minimum
        limit = self.maximum if reached else min(self.maximum, UNREACHED_CEILING)
        ceiling = min(self._ceiling, limit)
        if self._ceiling < limit:
            self._ceiling = min(2 * self._ceiling, limit)
        floor = max(0.0, ceiling - self.minimum) / 2  # none for the first
        return floor + (ceiling - floor) * self._random()

    def asked(self, seconds: float) -> float:
        """
        Return the delay where a server has asked for one, or 0.

        It asks all of a site's cameras, who must not come back all at once: half as long again, by
        chance. Where it asks for more than it gets, they come in the last third of that.
        """
        least = seconds if seconds < LONGEST_ASKED else seconds * 2 / 3
        most = min(1.5 * least, max(seconds, LONGEST_ASKED))
        return least + (most - least) * (self._random() if seconds else 0.0)
