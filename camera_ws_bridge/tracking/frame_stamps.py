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

"""Which stamp belongs to which frame id, for as many frames as an operator may look back."""

from __future__ import annotations

from collections import OrderedDict
import math

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


class FrameIds:
    """Gives frames that have nothing but a stamp an id of their own: their stamp in seconds."""

    def __init__(self, limit: int) -> None:
        """limit: frames that are told apart."""
        self._frames = FrameStamps(limit)

    def of(self, stamp: Stamp) -> float:
        """
        Return the frame id of a stamp, the same one each time.

        Today's seconds as a double have steps of 0.24 microseconds: of two stamps within one, the
        later comer gets the next double.
        """
        seconds, nanoseconds = stamp
        frame_id = (seconds * 10**9 + nanoseconds) / 10**9  # of integers: rounded once
        while self._frames.find(frame_id) not in ((0, 0), stamp):
            frame_id = math.nextafter(frame_id, math.inf)
        self._frames.add(frame_id, stamp)
        return frame_id
