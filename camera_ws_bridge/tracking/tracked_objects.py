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

What is told is bounded: the objects with the greatest ids, which are the newest, as far as there
is room. What has to stand back is the same each time: where nothing changes, nothing is said.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Union

from camera_ws_bridge.protocol.message import Message
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking.life import digest, judge, Life, NO_MAP, Verdict

OWN_REMEMBERED = 8  # feature maps of ours, per object, whose echo may still come
# What is told, whatever the orchestrator names; see Session.untold.
MAX_TRACKED = 1000  # objects
MAX_NUMBERS = 2**21  # of all their feature maps
MAX_UNTOLD = 100_000  # ids that are remembered as tracked
MAX_NUMBER = 2**32 - 1  # of a session


@dataclass(frozen=True)
class Unreadable:
    """A feature map that could not be read; its object is tracked all the same."""

    object_id: int


@dataclass(frozen=True)
class Command:
    """A message for the re-ID node; `sequence` counts up by one over all commands, from 1."""

    sequence: int
    message: Start | Stop | Update
    session: int = 1  # within which the object id means the same object
    reconciled: bool = False  # a Stop that was concluded, not received


@dataclass
class Tracked:
    """One object that is tracked now."""

    since: int = 0  # nanoseconds of the session's clock
    feature_map: tuple[float, ...] = ()  # the newest known; empty: none
    told: int = NO_MAP  # the digest of the newest that the orchestrator has told
    # The digests of those of ours whose echo may still come.
    own: deque[int] = field(default_factory=lambda: deque(maxlen=OWN_REMEMBERED))


Said = Union[Start, Stop, Update, Unreadable]


class Session:
    """
    The state of all tracked objects over the life of the bridge, across connections.

    Order of calls: begin_registration when `identifier` is sent, receive for every message,
    registered when the pong of the ping behind `identifier` is back, or broken_off if the
    connection ends before. What comes between is judged as a whole (see tracking.life) on a new
    connection; on one that goes on, where it can only be the life that is known, nothing waits.

    `number` stays while one object id means one object. `untold` are the ids of objects that the
    orchestrator names and that are more than MAX_TRACKED and MAX_NUMBERS allow to tell.
    """

    def __init__(
            self, reconcile: bool = True, clock: Callable[[], int] = lambda: 0,
            number: int = 1) -> None:
        """
        Know nothing yet; number: the first session's.

        Without `reconcile` nothing is concluded from what a replay does not say. `clock` returns
        nanoseconds; it only stamps what is tracked.
        """
        self.reconcile = reconcile
        self.tracked: dict[int, Tracked] = {}  # by object id
        self.untold: set[int] = set()
        self.number = number
        self._next_number = _after(number)
        self._clock = clock
        self._sequence = 0
        self._life = Life(number)  # what is remembered, until a replay is judged
        self._greatest_id = -1  # that was named in this session
        self._in_use = False  # whether an object was
        self._ids: list[int] = []  # of `tracked`, in order
        self._numbers = 0  # of all feature maps in `tracked`
        # Of ours, whose object nobody else has named: digests by object id.
        self._unheard: dict[int, deque[int]] = {}
        # Named when the registration began, and not since.
        self._unconfirmed: set[int] = set()
        self._held: list[Said] | None = None  # until it is judged
        self._held_numbers = 0

    def resume(self, life: Life) -> None:
        """Remember a life of before this bridge's first registration, which may go on."""
        self._next_number, self.number = self.number, life.session
        self._life = life
        self._greatest_id = life.greatest_id
        self._in_use = True

    # ---- registrations

    def begin_registration(self, anew: bool = True) -> None:
        """Expect the replay of all objects that are tracked now; anew: on a new connection."""
        self._unconfirmed = {*self.tracked} | self.untold
        self._held = [] if anew else None
        self._held_numbers = 0

    def doubt_registration(self) -> None:
        """Stop nothing because of this replay: what could not be read may have named any."""
        self._unconfirmed = set()

    def registered(self) -> list[Command]:
        """Return what follows from the replay, e.g. a stop for all that it did not name."""
        commands = self._judge()
        stale = sorted(self._unconfirmed & self.tracked.keys()) if self.reconcile else []
        self.untold -= self._unconfirmed
        self._unconfirmed = set()
        return commands + [self._conclude_stop(object_id) for object_id in stale]

    def broken_off(self) -> list[Command]:
        """
        Return what has to be told of a registration whose pong did not come.

        The next one replays all but a start: if there was one, this is judged by what has come.
        """
        self._unconfirmed = set()
        if not any(isinstance(message, Start) for message in self._held or ()):
            self._held = None
        return self._judge()

    def life(self) -> Life:
        """Return what has to be remembered of the session."""
        told = {id_: known.told for id_, known in self.tracked.items() if known.told != NO_MAP}
        return Life(self.number, self._greatest_id, {**self._life.told, **told})

    def lacks_proof(self) -> bool:
        """Tell whether objects are tracked, and no replay could prove that they still are."""
        return bool(self.reconcile and self.tracked) and not any(self.life().told.values())

    def _judge(self) -> list[Command]:
        held, self._held = self._held, None
        if held is None:
            return []
        own = {**self._unheard, **{id_: known.own for id_, known in self.tracked.items()}}
        verdict = judge(self.life(), own, held)
        if verdict is Verdict.UNKNOWN and self._in_use and self.reconcile:
            verdict = Verdict.OTHER
        commands = self._end() if verdict is Verdict.OTHER else []
        self._life = Life(self.number)
        for message in held:
            commands += self._take_in(message)
        return commands

    def _end(self) -> list[Command]:
        """Begin the next session; return a stop for each object of the one that is over."""
        stops = [self._conclude_stop(object_id) for object_id in [*self._ids]]
        self.number, self._next_number = self._next_number, _after(self._next_number)
        self.untold.clear()
        self._unheard.clear()
        self._unconfirmed = set()
        self._greatest_id = -1
        self._in_use = False
        return stops

    # ---- messages

    def receive(self, message: Message | Unreadable) -> list[Command]:
        """Return what the re-ID node has to know of a message: commands, or nothing."""
        if not isinstance(message, (Start, Stop, Update, Unreadable)):
            return []
        if self._held is None:
            return self._take_in(message)
        self._held.append(message)
        self._held_numbers += _size(message)
        return self._judge() if self._held_numbers > MAX_NUMBERS else []

    def extracted(self, update: Update) -> None:
        """Remember our own feature map, so that its echo is not taken for news."""
        self._in_use = True
        known = self.tracked.get(update.object_id)
        if known is None:
            own = self._unheard.setdefault(update.object_id, Tracked().own)
            if len(self._unheard) > OWN_REMEMBERED:
                del self._unheard[next(iter(self._unheard))]
        else:
            own = known.own
            grows = len(update.feature_map) - len(known.feature_map)
            if self._numbers + grows <= MAX_NUMBERS:
                self._know(known, update.feature_map)
        own.append(digest(update.feature_map))

    def _take_in(self, message: Said) -> list[Command]:
        object_id = message.object_id
        self._unconfirmed.discard(object_id)
        commands: list[Command] = []
        if isinstance(message, Stop):
            self._forget(object_id)
            commands = [self._command(message)]
        elif isinstance(message, Update):
            commands = self._update(message)
        elif isinstance(message, Unreadable):
            if object_id in self.tracked:
                self.tracked[object_id].told = NO_MAP
            else:
                commands = self._update(Update(object_id))
        else:
            if object_id <= self._greatest_id:
                commands = self._end()
            self._forget(object_id)
            self._track(object_id)
            commands.append(self._command(message))
        if not isinstance(message, Stop):
            self._greatest_id = max(self._greatest_id, object_id)
        self._in_use = True
        return commands + self._make_room()

    def _update(self, update: Update) -> list[Command]:
        """Take in a feature map; return it if the re-ID node has not seen it."""
        object_id = update.object_id
        known = self.tracked.get(object_id)
        if not self._may_have_room(object_id, len(update.feature_map)):
            if known is not None:
                return [self._stand_back(object_id)]
            if len(self.untold) < MAX_UNTOLD:
                self.untold.add(object_id)
            return []
        shown = digest(update.feature_map)
        if known is None:
            known = self._track(object_id)
            news = shown not in known.own
        elif shown == NO_MAP:
            news = known.told != NO_MAP  # else ours may still be on its way
        else:
            news = shown not in known.own and update.feature_map != known.feature_map
        if shown in known.own:
            known.own.remove(shown)
        if news or shown != NO_MAP:
            self._know(known, update.feature_map)
        known.told = shown
        return [self._command(update)] if news else []

    # ---- what is tracked

    def _track(self, object_id: int) -> Tracked:
        known = self.tracked[object_id] = Tracked(self._clock())
        known.own = self._unheard.pop(object_id, known.own)
        insort(self._ids, object_id)
        self.untold.discard(object_id)
        return known

    def _know(self, known: Tracked, feature_map: tuple[float, ...]) -> None:
        self._numbers += len(feature_map) - len(known.feature_map)
        known.feature_map = feature_map

    def _forget(self, object_id: int) -> None:
        self.untold.discard(object_id)
        self._unheard.pop(object_id, None)
        known = self.tracked.pop(object_id, None)
        if known is not None:
            self._numbers -= len(known.feature_map)
            del self._ids[bisect_left(self._ids, object_id)]

    def _may_have_room(self, object_id: int, size: int) -> bool:
        """Return whether so large a feature map can be kept, if smaller ids stand back."""
        known = self.tracked.get(object_id)
        count, numbers = len(self.tracked), self._numbers
        if known is not None:
            count, numbers = count - 1, numbers - len(known.feature_map)
        for smaller in self._ids:
            if count < MAX_TRACKED and numbers + size <= MAX_NUMBERS:
                break
            if smaller >= object_id:
                return False
            count, numbers = count - 1, numbers - len(self.tracked[smaller].feature_map)
        return size <= MAX_NUMBERS

    def _make_room(self) -> list[Command]:
        commands = []
        while len(self.tracked) > MAX_TRACKED or self._numbers > MAX_NUMBERS:
            commands.append(self._stand_back(self._ids[0]))
        return commands

    def _stand_back(self, object_id: int) -> Command:
        """Stop an object that is tracked, for want of room."""
        stop = self._conclude_stop(object_id)
        self.untold.add(object_id)
        return stop

    def _conclude_stop(self, object_id: int) -> Command:
        self._forget(object_id)
        return self._command(Stop(object_id), reconciled=True)

    def _command(self, message: Start | Stop | Update, reconciled: bool = False) -> Command:
        self._sequence += 1
        return Command(self._sequence, message, self.number, reconciled)


def _after(number: int) -> int:
    return number % MAX_NUMBER + 1


def _size(message: Said) -> int:
    """Return how many numbers take as much memory as the message."""
    if isinstance(message, Update):
        return len(message.feature_map)
    return len(message.image or b'') // 8 if isinstance(message, Start) else 0
