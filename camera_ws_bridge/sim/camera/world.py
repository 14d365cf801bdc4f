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

"""What a simulated camera sees: boxes that move about, each with a feature map of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEATURES = 128  # numbers in a feature map
TYPES = ('person', 'person', 'bicycle', 'car')


@dataclass(frozen=True)
class View:
    """The boxes of one frame: rect is an (n, 4) array of left, top, right, bottom, 0 to 1."""

    rects: npt.NDArray[np.float64]
    types: tuple[str, ...]
    certainties: npt.NDArray[np.float64]
    objects: tuple[int, ...]  # which of the world's they are


class World:
    """A number of objects on straight ways, reflected at the image's edges."""

    def __init__(self, objects: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self._size = random.uniform(0.03, 0.2, (objects, 2))
        self._start = random.uniform(0.0, 1.0, (objects, 2))
        self._speed = random.uniform(-0.2, 0.2, (objects, 2))  # image sizes a second
        self._certainty = random.uniform(0.5, 1.0, objects)
        self._types = tuple(TYPES[index % len(TYPES)] for index in range(objects))
        self._features = random.normal(size=(objects, FEATURES))

    def view(self, time: float) -> View:
        """Return the boxes at a time in seconds."""
        # A triangle wave of period 2 folds the straight way into the room that the box has.
        way = np.abs((self._start + self._speed * time) % 2.0 - 1.0)
        corner = way * (1.0 - self._size)
        wobble = 0.02 * np.sin(time + np.arange(len(self._certainty)))
        return View(
            np.hstack([corner, corner + self._size]), self._types,
            np.clip(self._certainty + wobble, 0.0, 1.0), tuple(range(len(self._types))))

    def feature_map(self, index: int) -> npt.NDArray[np.float64]:
        """Return what re-identification would extract of an object: a unit vector."""
        features = self._features[index]
        unit: npt.NDArray[np.float64] = features / np.linalg.norm(features)
        return unit
