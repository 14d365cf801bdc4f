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
import re

Stamp = tuple[int, int]  # seconds, nanoseconds
UNSET = (0, 0)
EPOCH, FIRST_FRAME = 'epoch', 'first_frame'


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
        """Return the stamp of the frame; UNSET if it was not seen lately."""
        return UNSET if frame_id is None else self._stamps.get(frame_id, UNSET)


class FrameIds:
    """Gives frames that have nothing but a stamp an id of their own: seconds since a zero."""

    def __init__(self, limit: int, zero: int | None = 0) -> None:
        """limit: frames that are told apart; zero: as parse_zero returns it."""
        self._frames = FrameStamps(limit)
        self._zero = zero

    def begin_at(self, zero: int | None) -> None:
        """Count from another zero; ids that were given out before are not given out again."""
        self._zero = zero

    def of(self, stamp: Stamp) -> float:
        """
        Return the frame id of a stamp, the same one each time.

        Today's seconds as a double have steps of 0.24 microseconds: of two stamps within one, the
        later comer gets the next double.
        """
        seconds, nanoseconds = stamp
        time = seconds * 10**9 + nanoseconds
        if self._zero is None and stamp != UNSET:
            self._zero = time
        frame_id = (time - (self._zero or 0)) / 10**9  # of integers: rounded once
        while self._frames.find(frame_id) not in (UNSET, stamp):
            frame_id = math.nextafter(frame_id, math.inf)
        self._frames.add(frame_id, stamp)
        return frame_id


def parse_zero(text: str) -> int | None:
    """Return when frame ids are 0, in nanoseconds; None: at the first frame. Or ValueError."""
    if text in (EPOCH, FIRST_FRAME):
        return 0 if text == EPOCH else None
    found = re.fullmatch(r'([0-9]{1,10})(?:\.([0-9]{1,9}))?', text)
    if found is None:
        raise ValueError(f'must be {EPOCH}, {FIRST_FRAME}, or a stamp in seconds with at most '
                         "nine decimals, e.g. '1764000000.25'")
    return int(found[1]) * 10**9 + int((found[2] or '').ljust(9, '0'))
