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

"""How a bridge does, in a level and a few words: what `/diagnostics` and health checks go by."""

from __future__ import annotations

from dataclasses import dataclass
import enum

UNREGISTERED_IS_ERROR_AFTER = 30.0  # seconds
NEARLY_FULL = 0.8  # of a buffer's messages or bytes
DROPS_REMEMBERED = 60.0  # seconds


class Level(enum.IntEnum):
    """The levels of diagnostic_msgs/msg/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Figures:
    """What the health is judged by; fault: why the node is not active, if nobody wanted that."""

    active: bool
    registered: bool
    lifecycle: str = 'active'  # the state's name
    fault: str = ''
    cause: str = ''  # why there is no connection
    fill: float = 0.0  # the fuller buffer's share of its bounds
    dropped: int = 0  # messages, so far
    spool_problem: str = ''
    untold: int = 0  # objects for which there is no room


class Health:
    """Judges figures, and remembers since when something is wrong; seconds, monotonic."""

    def __init__(self, now: float) -> None:
        self._unregistered_since: float | None = now
        self._dropped = 0
        self._dropped_at: float | None = None

    def judge(self, figures: Figures, now: float) -> tuple[Level, str]:
        """Return the level, and the sentence that says why."""
        found = [self._of_link(figures, now), *self._of_buffer(figures, now)]
        if figures.untold:
            found.append((Level.WARN, f'{figures.untold} more objects are tracked than are told of'
                          ': stop those that nobody looks for'))
        if figures.spool_problem:
            found.append((Level.ERROR, f'spool {figures.spool_problem}'))
        return max(level for level, _ in found), '; '.join(text for _, text in found)

    def _of_link(self, figures: Figures, now: float) -> tuple[Level, str]:
        if not figures.active:
            self._unregistered_since = None
            if figures.fault:
                return Level.ERROR, f'{figures.lifecycle} ({figures.fault})'
            return Level.OK, figures.lifecycle
        if figures.registered:
            self._unregistered_since = None
            return Level.OK, 'registered'
        if self._unregistered_since is None:
            self._unregistered_since = now
        late = now - self._unregistered_since > UNREGISTERED_IS_ERROR_AFTER
        return (Level.ERROR if late else Level.WARN,
                f'not registered ({figures.cause or "first attempt"})')

    def _of_buffer(self, figures: Figures, now: float) -> list[tuple[Level, str]]:
        found = []
        if figures.fill > NEARLY_FULL:
            found.append((Level.WARN, f'the buffer is {100 * figures.fill:.0f} % full'))
        if figures.dropped > self._dropped:
            self._dropped_at = now
        self._dropped = figures.dropped  # fewer: a new bridge has begun to count
        if self._dropped_at is not None and now - self._dropped_at < DROPS_REMEMBERED:
            found.append((Level.WARN, 'messages were dropped in the last minute'))
        return found
