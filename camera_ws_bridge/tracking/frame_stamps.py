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
import struct

Stamp = tuple[int, int]  # seconds, nanoseconds
UNSET = (0, 0)
_RECORD = struct.Struct('<dqI')  # frame id and stamp
_SIZE, _BLANK, _put = _RECORD.size, bytes(_RECORD.size), _RECORD.pack_into
_FRAME_ID = struct.Struct('<d')
EPOCH, FIRST_FRAME = 'epoch', 'first_frame'


class FrameStamps:
    """The newest `limit` frames, in a twelfth of the memory that a dictionary takes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit * _SIZE
        self._records = bytearray()  # grows to the limit, then the oldest are overwritten
        self._at = 0  # where the next one goes

    def add(self, frame_id: float, stamp: Stamp) -> None:
        """Remember a frame."""
        at = self._at
        if at == len(self._records):
            self._records += _BLANK
        _put(self._records, at, frame_id + 0.0, *stamp)  # -0.0 is 0.0 as well
        at += _SIZE
        self._at = at if at < self._limit else 0

    def find(self, frame_id: float | None) -> Stamp:
        """Return the stamp of the frame; UNSET if it was not seen lately."""
        if frame_id is None:
            return UNSET
        wanted = _FRAME_ID.pack(frame_id + 0.0)
        at = self._at or len(self._records)
        for begin, end in ((0, at), (at, len(self._records))):  # the newer ones first
            while (place := self._records.rfind(wanted, begin, end)) >= 0:
                if place % _SIZE == 0:
                    _, seconds, nanoseconds = _RECORD.unpack_from(self._records, place)
                    return seconds, nanoseconds
                end = place + len(wanted) - 1  # of a record's middle
        return UNSET


class FrameIds:
    """Gives frames that have nothing but a stamp an id of their own: seconds since a zero."""

    def __init__(self, limit: int, zero: int | None = 0) -> None:
        """limit: frames that are told apart; zero: as parse_zero returns it."""
        self._limit = limit
        self._frames: OrderedDict[float, Stamp] = OrderedDict()  # asked for every message
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
        frames = self._frames
        while frames.get(frame_id, UNSET) not in (UNSET, stamp):
            frame_id = math.nextafter(frame_id, math.inf)
        frames[frame_id] = stamp
        frames.move_to_end(frame_id)
        if len(frames) > self._limit:
            frames.popitem(last=False)
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
