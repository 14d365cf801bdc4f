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

"""A street that a simulated camera looks at: people on two pavements, each of other colours."""

from __future__ import annotations

from camera_ws_bridge.sim.camera.world import View, World
import numpy as np

PAVEMENTS = ((0.08, 0.36), (0.50, 0.45))  # top and height of a person; far, and near
TURNED = (1.0, -1.0)  # which way they walk there
WIDTH = 0.23  # of a person, through the height in shares of the image
WAY = 1.3  # image widths until a person comes round again: some of it is out of sight
SPEED = 0.045  # image widths a second, on the far pavement
SMALLEST = 0.02  # image widths of a person that has to be in sight


class Street(World):
    """
    People who walk by, evenly spaced, so that nobody hides another.

    Who they are is the same on every street; where they are depends on the seed. Not all of them
    are in sight at a time.
    """

    def __init__(self, people: int, seed: int = 0) -> None:
        super().__init__(people, seed)
        self._types = ('person',) * people
        self._phase = np.random.default_rng([seed, 1]).uniform(0.0, WAY, len(PAVEMENTS))

    def view(self, time: float) -> View:
        """Return the boxes of those in sight at a time in seconds."""
        whole = super().view(time)
        seen, rects = [], []
        for person in range(len(whole.types)):
            left, top, right, bottom = self.place(person, time)
            left, right = max(left, 0.0), min(right, 1.0)
            if right - left >= SMALLEST:
                seen.append(person)
                rects.append((left, top, right, bottom))
        return View(
            np.array(rects).reshape(-1, 4), tuple(whole.types[person] for person in seen),
            whole.certainties[seen], tuple(seen))

    def place(self, person: int, time: float) -> tuple[float, float, float, float]:
        """Return the rect of a person, which may be out of the image."""
        pavement = person % len(PAVEMENTS)
        here = len(range(pavement, len(self._types), len(PAVEMENTS)))
        top, height = PAVEMENTS[pavement]
        width = WIDTH * height
        way = (self._phase[pavement] + person // len(PAVEMENTS) * WAY / here
               + TURNED[pavement] * SPEED * height / PAVEMENTS[0][1] * time) % WAY
        left = float(way) - width
        return left, top, left + width, top + height
