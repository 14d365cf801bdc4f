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

"""Which header stamp came with which frame id, for as many frames as an operator may look back."""

from __future__ import annotations

from collections import OrderedDict

Stamp = tuple[int, int]  # seconds, nanoseconds


class FrameStamps:
    """The newest `limit` frames."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._stamps: OrderedDict[float, Stamp] = OrderedDict()

    def add(self, frame_id: float, stamp: Stamp) -> None:
        """Remember a frame."""
        self._stamps[frame_id] = stamp
        self._stamps.move_to_end(frame_id)
        if len(self._stamps) > self._limit:
            self._stamps.popitem(last=False)

    def find(self, frame_id: float | None) -> Stamp:
        """Return the stamp of the frame; (0, 0) if it was not seen lately."""
        return (0, 0) if frame_id is None else self._stamps.get(frame_id, (0, 0))
