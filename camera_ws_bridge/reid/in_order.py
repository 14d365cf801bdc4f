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

"""Restores the order of the commands, which come on three topics."""

from __future__ import annotations

from camera_ws_bridge.reid.events import Command

GAP = 0.5  # seconds to wait for a command that later ones have overtaken
REMEMBERED = 1000  # commands that are known to have had their turn


class InOrder:
    """
    The commands of one bridge, by `sequence`; of a restarted one they count from 1 again.

    Each has its turn once. The stamps tell a bridge that was restarted from a command that comes
    late: in one life of a bridge both sequence and stamp only grow.
    """

    def __init__(self) -> None:
        self.doubtful = False  # whether something was missed
        self.newest = -1  # the stamp of the last that had its turn
        self._next: int | None = None  # None: not known yet
        self._known_until = -1  # a stamp; what is not newer is known without it
        self._former_until = -1  # a stamp; what is not newer is of a former life
        self._had_their_turn: dict[int, int] = {}  # sequence to stamp
        self._waiting: dict[int, tuple[Command, float]] = {}  # by sequence, with its arrival

    def begin(self, known_until: int) -> None:
        """Know everything up to a stamp from elsewhere."""
        self._known_until = known_until

    def begin_anew(self) -> None:
        """Know nothing; for a clock that was set back."""
        self.__init__()  # type: ignore[misc]
        self.doubtful = True

    def waits_until(self, stamp: int) -> bool:
        """Whether a command that is not newer than this still waits."""
        return any(command.stamp <= stamp for command, _ in self._waiting.values())

    def add(self, command: Command, now: float) -> tuple[list[Command], list[Command]]:
        """Take a command; return those whose turn it is, and those that come too late for one."""
        sequence, stamp = command.sequence, command.stamp
        before = self._stamp_of(sequence)
        if stamp == before or stamp <= self._former_until:
            return [], []  # a repeat, or of a former life
        if before is not None and stamp < before:  # of a former life, of which nothing is known
            self._former_until = stamp
            return [], [command]
        turns: list[Command] = []
        if self._is_of_next_life(command, before):
            turns = self._end_life(stamp)
        if sequence == self._next and stamp < self.newest:  # somebody has set back the clock
            self.newest, self._known_until, self.doubtful = stamp, -1, True
        # Of the same moment: a clock that stands still must not make all of it known.
        known = stamp < self._known_until or (
            stamp == self._known_until and sequence != self._next)
        if known or (self._next is not None and sequence < self._next):
            if self._next is None or sequence >= self._next:
                self._next = sequence + 1
            self._had_their_turn[sequence] = stamp
            return turns + self._take_turns(), [command]
        if self._next is None and sequence == 1:
            self._next = 1
        self._waiting[sequence] = command, now
        return turns + self._take_turns(), []

    def tick(self, now: float) -> list[Command]:
        """Return what need not wait any longer for those before it."""
        if not self._waiting:
            return []
        first = min(self._waiting)
        if now - self._waiting[first][1] < GAP:
            return []
        self.doubtful = True
        self._next = first
        return self._take_turns()

    def _stamp_of(self, sequence: int) -> int | None:
        """Return the stamp of the command of this number, if it is known."""
        if sequence in self._waiting:
            return self._waiting[sequence][0].stamp
        return self._had_their_turn.get(sequence)

    def _is_of_next_life(self, command: Command, before: int | None) -> bool:
        if before is not None:  # there is one of this number already
            return command.stamp > before
        return (self._next is not None and command.sequence < self._next
                and command.stamp > max(self.newest, self._known_until))

    def _end_life(self, began: int) -> list[Command]:
        """Let the rest of a life have its turn; what is newer belongs to the next one."""
        self.doubtful = True
        rest = [self._waiting.pop(sequence)[0] for sequence in sorted(self._waiting)
                if self._waiting[sequence][0].stamp < began]
        stamps = {*self._had_their_turn.values(), *(command.stamp for command in rest), -1}
        self._former_until = max(stamp for stamp in stamps if stamp < began)
        self._had_their_turn = {
            sequence: stamp for sequence, stamp in self._had_their_turn.items() if stamp >= began}
        self._next = 1
        return rest

    def _take_turns(self) -> list[Command]:
        turns = []
        while self._next in self._waiting or self._next in self._had_their_turn:
            assert self._next is not None
            if self._next in self._waiting:
                command, _ = self._waiting.pop(self._next)
                self._had_their_turn[self._next] = command.stamp
                self.newest = command.stamp
                turns.append(command)
            self._next += 1
        while len(self._had_their_turn) > REMEMBERED:
            del self._had_their_turn[next(iter(self._had_their_turn))]
        return turns
