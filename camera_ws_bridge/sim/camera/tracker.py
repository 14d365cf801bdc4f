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

"""Which box of a simulated camera is which tracked object."""

from __future__ import annotations


class Tracker:
    """A tracker that is never wrong: an object stays with its box until it is stopped."""

    def __init__(self, boxes: int) -> None:
        self._boxes = boxes
        self._object_of: dict[int, int] = {}  # box to object

    def object_id(self, box: int) -> int | None:
        """Return the id of the tracked object that the box shows."""
        return self._object_of.get(box)

    def track(self, object_id: int, box: int | None = None) -> int | None:
        """
        Track an object: in the given box, or in one that is free.

        Return the box; None if there is no such box, or none that is free.
        """
        self.stop(object_id)
        if box is None:
            box = next((box for box in range(self._boxes) if box not in self._object_of), None)
        if box is None or not 0 <= box < self._boxes:
            return None
        self._object_of[box] = object_id
        return box

    def knows(self, object_id: int) -> bool:
        """Return whether the object is tracked."""
        return object_id in self._object_of.values()

    def stop(self, object_id: int) -> None:
        """Track the object no more."""
        self._object_of = {
            box: tracked for box, tracked in self._object_of.items() if tracked != object_id}
