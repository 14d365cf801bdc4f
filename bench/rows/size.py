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

"""Cost against size: CPU time a message for 1 to 500 boxes, as fast as they go."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from typing import Any

from rows.cpu import CpuBed, describe, FAST, measure

BOXES = (1, 5, 20, 50, 100, 200, 500)


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    lines = []
    with contextlib.ExitStack() as stack:
        bed = CpuBed(stack)
        bed.measure_idle(1.0 if quick else 3.0)
        for boxes in (100,) if quick else BOXES:
            count = max(50, min(500, 20_000 // boxes))
            lines.append(measure(bed, FAST, boxes, rounds, count))
            say(describe(lines[-1]))
    return {'lines': lines}
