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
How long ROS callbacks of a bridge have to wait, and its memory, measured inside its process.

inside/sitecustomize.py gives the node a timer of 20 ms. When it fires late, something kept the
executor from its callbacks: one of them was blocked, or another thread held Python's lock. What is
asserted is the wait of a message that comes at a random moment. A busy machine makes timers late
too, which is not the bridge's fault: so the time in which the kernel let the main thread, which
runs executor and loop, wait for a processor (second figure of /proc/PID/task/PID/schedstat) is
taken off for `blocked`. On an idle machine the two hardly differ.
"""

from __future__ import annotations

import os
import pathlib
from typing import NamedTuple

CALLBACK_P99 = 0.05  # seconds
CALLBACK_P99_BUSY = 0.5  # the same where the machine has more to do than processors
INSIDE = pathlib.Path(__file__).parent / 'inside'


class Tick(NamedTuple):
    """When a timer fired (monotonic clock), how late, how much of that was the machine's fault."""

    at: float
    late: float
    waited: float
    rss: int  # bytes

    @property
    def blocked(self) -> float:
        """Return the lateness that the bridge is to blame for, in seconds."""
        return self.late - self.waited


def environment(ticks: pathlib.Path, resolver: pathlib.Path | None = None) -> dict[str, str]:
    """Return what makes a bridge measure itself."""
    return {
        'PYTHONPATH': os.pathsep.join(
            filter(None, [str(INSIDE), os.environ.get('PYTHONPATH', '')])),
        'CAMERA_WS_BRIDGE_TICKS': str(ticks),
        'CAMERA_WS_BRIDGE_RESOLVER': str(resolver or '')}


def read(path: pathlib.Path, since: float = 0.0) -> list[Tick]:
    """Return what has been written since then; not a line that is being written."""
    ticks = []
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith('\n'):
            at, late, waited, rss = line.split()
            if float(at) >= since:
                ticks.append(Tick(float(at), float(late), float(waited), int(rss)))
    return ticks


def wait_percentile(late: list[float], duration: float, share: float = 0.99) -> float:
    """
    Return the seconds that so large a share of messages wait at most, if they come at any time.

    late: by how much each tick within the duration was late. Of what comes while the executor is
    late by L, the first waits L and the last not at all: late - x seconds' worth wait more than x.
    """
    allowed = (1 - share) * duration
    spent, above = 0.0, 0  # seconds' worth that wait more than the latest level, ticks above it
    steps = [*sorted((each for each in late if each > 0), reverse=True), 0.0]
    for level, below in zip(steps, steps[1:]):
        above += 1
        if spent + above * (level - below) >= allowed:
            return level - (allowed - spent) / above
        spent += above * (level - below)
    return 0.0


def limit(declared: float) -> float:
    """Return the seconds that callbacks may wait (p99), as busy as the machine is now."""
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return max(declared, CALLBACK_P99_BUSY) if busy else declared
