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
What the orchestrator has told this camera: which objects are tracked, and their feature maps.

The orchestrator repeats itself (on every registration it replays a feature map per tracked object;
it echoes our own) and it never repeats a missed stop. The session makes of that the commands that
a re-ID node needs: each feature map once, and a stop for what is no longer tracked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from camera_ws_bridge.protocol.messages import Message, Start, Stop, Update

OWN_REMEMBERED = 8  # feature maps of ours, per object, whose echo may still come
# What is kept, whatever the orchestrator names: beyond it the oldest object is stopped.
MAX_TRACKED = 1000  # objects
MAX_NUMBERS = 2**21  # of all their feature maps


@dataclass(frozen=True)
class Command:
    """A message for the re-ID node; `sequence` counts up by one over all commands, from 1."""

    sequence: int
    message: Start | Stop | Update
    session: int = 1  # number of the orchestrator's life
    reconciled: bool = False  # a Stop that was concluded, not received


@dataclass
class Tracked:
    """One object that is tracked now."""

    since: int = 0  # nanoseconds of the session's clock
    feature_map: tuple[float, ...] = ()  # the newest known; empty: none
    shared: bool = False  # whether the orchestrator has ever named a feature map of it
    own: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=OWN_REMEMBERED))

    def numbers_for_echoes(self) -> int:
        """Return how many numbers are kept only because their echo may still come."""
        return sum(len(own) for own in self.own if own is not self.feature_map)

    def numbers(self) -> int:
        """Return how many numbers are kept."""
        return len(self.feature_map) + self.numbers_for_echoes()


class Session:
    """
    The state of all tracked objects over the life of the bridge, across connections.

    Order of calls: begin_registration when `identifier` is sent, receive for every message,
    registered when the pong of the ping behind `identifier` is back.

    `number` counts the orchestrator's lives. It never gives an id twice in one life, so a start
    with an old id, or an object that has lost the feature map it had, tells of a restart.
    """

    def __init__(
            self, reconcile: bool = True, clock: Callable[[], int] = lambda: 0) -> None:
        """`clock` returns nanoseconds; it only stamps what is tracked."""
        self.reconcile = reconcile
        self.tracked: dict[int, Tracked] = {}  # by object id
        self._unheard: dict[int, Tracked] = {}  # of which there are only feature maps of ours
        self.number = 1
        self._clock = clock
        self._newest_start = -1  # the greatest object id started in this life
        self._sequence = 0
        self._numbers = 0  # that are kept, or fewer are; see _count_numbers
        # Tracked when the registration began, and not mentioned since.
        self._unconfirmed: set[int] = set()

    def begin_registration(self) -> None:
        """Expect the replay of all objects that are tracked now."""
        self._unconfirmed = set(self.tracked)

    def doubt_registration(self) -> None:
        """Conclude nothing from this replay: a part of it could not be understood."""
        self._unconfirmed = set()

    def registered(self) -> list[Command]:
        """Return a stop for every object that the replay did not name."""
        stale = sorted(self._unconfirmed) if self.reconcile else []
        self._unconfirmed = set()
        for object_id in stale:
            del self.tracked[object_id]
        return [self._command(Stop(object_id), reconciled=True) for object_id in stale]

    def receive(self, message: Message) -> list[Command]:
        """Return what the re-ID node has to know of a message: commands, or nothing."""
        return self._take_in(message) + self._make_room()

    def _take_in(self, message: Message) -> list[Command]:
        if isinstance(message, Update):
            self._unconfirmed.discard(message.object_id)
            return [self._command(message)] if self._is_news(message) else []
        if isinstance(message, Start):
            self._unconfirmed.discard(message.object_id)
            if message.object_id <= self._newest_start:
                self.number += 1
            self._newest_start = message.object_id
            self.tracked.pop(message.object_id, None)  # now the youngest, whatever it was before
            self._unheard.pop(message.object_id, None)
            self.tracked[message.object_id] = Tracked(self._clock())
            return [self._command(message)]
        if isinstance(message, Stop):
            self._unconfirmed.discard(message.object_id)
            self.tracked.pop(message.object_id, None)
            self._unheard.pop(message.object_id, None)
            return [self._command(message)]
        return []

    def _make_room(self) -> list[Command]:
        """Forget echoes, then objects, of what has been tracked longest: as few as possible."""
        self._forget_echoes()
        stopped = []
        while len(self.tracked) > MAX_TRACKED or self._numbers > MAX_NUMBERS:
            oldest = next(iter(self.tracked))
            self._numbers -= self.tracked.pop(oldest).numbers()
            self._unconfirmed.discard(oldest)
            stopped.append(self._command(Stop(oldest), reconciled=True))
        return stopped

    def _count_numbers(self) -> None:
        """Count anew: what comes is always added, what goes is not always subtracted."""
        self._numbers = sum(
            known.numbers() for objects in (self.tracked, self._unheard)
            for known in objects.values())

    def _forget_echoes(self) -> None:
        """Forget what is kept for echoes only, as far as there is too much."""
        if self._numbers <= MAX_NUMBERS:
            return
        self._count_numbers()
        if self._numbers > MAX_NUMBERS:
            self._unheard.clear()
            self._count_numbers()
        for known in self.tracked.values():
            if self._numbers <= MAX_NUMBERS:
                return
            self._numbers -= known.numbers_for_echoes()
            known.own.clear()

    def extracted(self, update: Update) -> None:
        """Remember our own feature map, so that its echo is not taken for news."""
        known = self.tracked.get(update.object_id)
        if known is None:
            known = self._unheard.setdefault(update.object_id, Tracked())
            if len(self._unheard) > OWN_REMEMBERED:
                del self._unheard[next(iter(self._unheard))]
        known.feature_map = update.feature_map
        known.own.append(update.feature_map)
        self._numbers += len(update.feature_map)
        self._forget_echoes()

    def _is_news(self, update: Update) -> bool:
        """Take in a feature map; return whether the re-ID node has not seen it."""
        self._numbers += len(update.feature_map)
        known = self.tracked.get(update.object_id)
        if known is None and update.object_id in self._unheard:
            known = self.tracked[update.object_id] = self._unheard.pop(update.object_id)
            known.since = self._clock()
        if known is None:
            self.tracked[update.object_id] = Tracked(
                self._clock(), update.feature_map, bool(update.feature_map))
            return True
        if not update.feature_map:
            # None known yet: ours may still be on its way. But if it had one already, the
            # orchestrator has restarted, and the id is now another object's.
            if known.shared:
                self.number += 1
                self._newest_start = -1
                self.tracked[update.object_id] = Tracked(self._clock())
            return known.shared
        echo = update.feature_map in known.own
        if echo:
            known.own.remove(update.feature_map)
        news = not echo and update.feature_map != known.feature_map
        known.feature_map, known.shared = update.feature_map, True
        return news

    def _command(self, message: Start | Stop | Update, reconciled: bool = False) -> Command:
        self._sequence += 1
        return Command(self._sequence, message, self.number, reconciled)
