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
Whether a peer's silence is suspect, long before its timeout: by what the kernel knows of it.

Nothing is decided here: who is suspect is asked by new connections, and left only if those are
answered at once, one after the other, while the old one stays silent.
"""

from __future__ import annotations

from typing import Protocol

QUIET = 1.25  # seconds; the kernel's own probes of an idle connection come every second
NEAR = 0.2  # seconds; round trips of a link on which so little time says something
UNANSWERED = 2  # tries of the kernel, each later than the one before


class Silence(Protocol):
    """What the kernel knows of it."""

    @property
    def lasts(self) -> float:
        """Return the seconds since anything came from the peer's kernel."""

    @property
    def unanswered(self) -> int:
        """Return how often the same data, or a probe, was sent in vain."""

    @property
    def round_trip_time(self) -> float:
        """Return it in seconds, smoothed."""


def is_suspect(silence: Silence | None) -> bool:
    """Tell whether a peer that used to answer at once should have done so; None: unknown."""
    return (
        silence is not None and silence.round_trip_time <= NEAR
        and silence.lasts > QUIET + silence.round_trip_time
        and silence.unanswered >= UNANSWERED)
