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
The buffer of messages on their way to the orchestrator.

A message is accepted, taken (written to the socket, in flight) and acknowledged; a lost connection
puts what is in flight back to the front. At any time, in messages:

    accepted = acknowledged + dropped + queued + in flight

Boxes and updates have a lane each. Within a lane order is kept; updates go first. Memory is
bounded by each lane's policy, and every loss is counted by its cause. Times are seconds of a
monotonic clock that the caller reads.

A message belongs to the session in which it was accepted. What is left of a former one when the
next begins speaks of objects that are no more: updates are dropped, boxes lose their object ids.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Protocol

from camera_ws_bridge.protocol.object_ids import without_object_ids

BOXES = 'boxes'
UPDATES = 'updates'
MAX_REFUSALS = 2  # by the peer, for its size, until a message is given up


@dataclass(frozen=True)
class Policy:
    """Bounds of one lane, in flight included; max_age in seconds, 0: no limit."""

    max_messages: int
    max_bytes: int
    max_age: float = 0.0
    newest_per_object: bool = False  # when full, a superseded update goes before the oldest


class Journal(Protocol):
    """Who keeps a copy of what is in the buffer; ids count up."""

    def added(self, lane_name: str, item: Item) -> None:
        """Keep a message."""

    def gone(self, id: int) -> None:  # noqa: A002
        """Forget a message: it is acknowledged or dropped."""


class Item:
    """One message in the buffer; `payload` is its JSON text in UTF-8; session 0: unknown."""

    __slots__ = ('id', 'payload', 'accepted_at', 'object_id', 'session', 'serial', 'refusals')

    def __init__(
            self, id: int, payload: bytes, accepted_at: float,  # noqa: A002
            object_id: int | None, session: int = 0) -> None:
        self.id = id
        self.payload = payload
        self.accepted_at = accepted_at
        self.object_id = object_id
        self.session = session
        self.serial = 0  # of the write that it is in flight with
        self.refusals = 0  # how often the peer closed because of its size


class Lane:
    """The messages of one type, oldest first: in flight, then queued."""

    def __init__(self, name: str, policy: Policy) -> None:
        self.name = name
        self.policy = policy
        self.queued: deque[Item] = deque()
        self.in_flight: deque[Item] = deque()
        self.bytes = 0
        self.in_flight_bytes = 0
        self.peak = 0
        self.peak_bytes = 0  # since Outbox.take_peak_bytes()
        self.accepted = 0

    def __len__(self) -> int:
        """Return the number of messages, in flight included."""
        return len(self.queued) + len(self.in_flight)

    def oldest_at(self) -> float | None:
        """Return when the oldest message was accepted."""
        for items in (self.in_flight, self.queued):
            if items:
                return items[0].accepted_at
        return None


class Outbox:
    """
    Both lanes, and the window of what is in flight.

    At most window_messages and window_bytes are in flight at one time (but always one message),
    and at most half of a lane's bound, so that a full lane still has something to drop that has
    not been written. A message larger than the window goes alone, in its turn: nothing overtakes
    it while the window empties for it.

    The window narrows on a link too slow to have it acknowledged in time, or such a link would
    get the same messages again and again, and never one acknowledged.
    """

    def __init__(
            self, boxes: Policy, updates: Policy, *, window_messages: int = 1000,
            window_bytes: int = 256 * 1024) -> None:
        self.boxes = Lane(BOXES, boxes)
        self.updates = Lane(UPDATES, updates)
        self.window_messages = self._widest_messages = window_messages
        self.window_bytes = self._widest_bytes = window_bytes
        self.dropped: Counter[str] = Counter()  # by cause, e.g. 'boxes_overflow'
        self.sent = 0  # also the serial of the newest write
        self.acknowledged = 0
        self.session = 0  # in which messages are accepted now
        self.boxes_ids_former_session = 0  # boxes messages that have lost their object ids
        self.journal: Journal | None = None
        self.next_id = 1
        self._lanes = (self.updates, self.boxes)

    def put(self, lane: Lane, payload: bytes, now: float, object_id: int | None = None) -> None:
        """Accept a message; the lane makes room by its policy."""
        lane.accepted += 1
        if len(payload) > lane.policy.max_bytes:
            self._count_drop(lane, 'too_big')
            return
        item = Item(self.next_id, payload, now, object_id, self.session)
        self.next_id += 1
        if self.journal is not None:
            self.journal.added(lane.name, item)
        self._enqueue(lane, [item])

    def put_back(self, lane: Lane, items: list[Item]) -> None:
        """Accept messages of an earlier life, in order, before all that is queued."""
        lane.accepted += len(items)
        later = list(lane.queued)
        lane.queued.clear()
        lane.bytes -= sum(len(item.payload) for item in later)
        self._enqueue(lane, items + later)

    def begin_session(self, number: int) -> None:
        """Drop what must not be sent in this session, which may go on from an earlier life."""
        self.session = number
        self._drop_former()

    def without_object_ids(self, payload: bytes) -> bytes:
        """Return boxes without object ids, which are of a former session; count it if they had."""
        bare = without_object_ids(payload)
        self.boxes_ids_former_session += len(bare) < len(payload)
        return bare

    def take(self, now: float) -> list[Item]:
        """Return what may be written now, in order; it counts as sent and in flight."""
        batch: list[Item] = []
        self.expire(now)
        self._drop_former()
        for lane in self._lanes:
            if lane.queued and len(lane.queued[0].payload) > self.window_bytes:
                return [] if self.in_flight else [self._take_from(lane)]
        for lane in self._lanes:
            while lane.queued and self._fits(lane, lane.queued[0]):
                batch.append(self._take_from(lane))
            if lane.queued and not self._window_has_room(lane.queued[0]):
                break  # smaller messages of the next lane would keep the room from it for ever
        return batch

    def narrow(self) -> None:
        """Halve the window: what is in flight takes too long to be acknowledged."""
        self.window_messages = max(1, self.window_messages // 2)
        self.window_bytes = max(1, self.window_bytes // 2)

    def widen(self) -> None:
        """Double the window, up to what it was: what is in flight is acknowledged soon."""
        self.window_messages = min(self._widest_messages, 2 * self.window_messages)
        self.window_bytes = min(self._widest_bytes, 2 * self.window_bytes)

    def acknowledge(self, serial: int) -> None:
        """Forget all that was written up to this serial: the orchestrator has handled it."""
        for lane in self._lanes:
            while lane.in_flight and lane.in_flight[0].serial <= serial:
                item = lane.in_flight.popleft()
                lane.bytes -= len(item.payload)
                lane.in_flight_bytes -= len(item.payload)
                self.acknowledged += 1
                self._forget(item)

    def restore(self) -> int:
        """
        Put everything in flight back to the front: the connection is lost.

        Return how many messages these are; each may have arrived, and will be sent again.
        """
        count = 0
        for lane in self._lanes:
            count += len(lane.in_flight)
            lane.queued.extendleft(reversed(lane.in_flight))
            lane.in_flight.clear()
            lane.in_flight_bytes = 0
            self._make_room(lane)  # the limit may have been lowered meanwhile
        return count

    def refused_as_too_big(self) -> Item | None:
        """
        Note that the peer closed the connection over the size of a message: call before restore.

        It is the greatest in flight. Return it if it has been given up, for the second refusal.
        """
        in_flight = [(lane, item) for lane in self._lanes for item in lane.in_flight]
        if not in_flight:
            return None
        lane, item = max(in_flight, key=lambda candidate: len(candidate[1].payload))
        item.refusals += 1
        if item.refusals < MAX_REFUSALS:
            return None
        lane.in_flight.remove(item)
        lane.bytes -= len(item.payload)
        lane.in_flight_bytes -= len(item.payload)
        self._count_drop(lane, 'refused_by_peer', item)
        return item

    def limit(self, boxes: Policy, updates: Policy, now: float) -> None:
        """Go by other policies from now on; what does not fit any more is dropped and counted."""
        self.boxes.policy, self.updates.policy = boxes, updates
        self.expire(now)
        for lane in self._lanes:
            self._make_room(lane)

    def expire(self, now: float) -> None:
        """Drop what is too old to be worth sending."""
        for lane in self._lanes:
            self._expire(lane, now)

    def clear(self, cause: str) -> int:
        """Drop all that is queued (what is in flight is on its way); return how many."""
        count = 0
        for lane in self._lanes:
            while lane.queued:
                self._drop_oldest(lane, cause)
                count += 1
        return count

    def __len__(self) -> int:
        """Return the number of messages, in flight included."""
        return len(self.boxes) + len(self.updates)

    @property
    def in_flight(self) -> int:
        """Return the number of messages written but not acknowledged."""
        return len(self.boxes.in_flight) + len(self.updates.in_flight)

    @property
    def in_flight_bytes(self) -> int:
        """Return the bytes of what is in flight."""
        return self.boxes.in_flight_bytes + self.updates.in_flight_bytes

    @property
    def wants_acknowledgement(self) -> bool:
        """Return whether half the window is in flight, or what take() left waits for that."""
        in_flight = self.in_flight
        return in_flight > 0 and (
            2 * in_flight >= self.window_messages
            or 2 * self.in_flight_bytes >= self.window_bytes
            or bool(self.boxes.queued or self.updates.queued))

    def take_peak_bytes(self) -> int:
        """Return the most bytes that the lanes have held, each, since this was last called."""
        peak = sum(lane.peak_bytes for lane in self._lanes)
        for lane in self._lanes:
            lane.peak_bytes = lane.bytes
        return peak

    def fill(self) -> float:
        """Return how full the fuller lane is, of its messages or its bytes; 1 is full."""
        return max(max(len(lane) / lane.policy.max_messages, lane.bytes / lane.policy.max_bytes)
                   for lane in self._lanes)

    def oldest_age(self, now: float) -> float:
        """Return the age of the oldest message in seconds; 0 if there is none."""
        times = [at for lane in self._lanes if (at := lane.oldest_at()) is not None]
        return now - min(times) if times else 0.0

    def _take_from(self, lane: Lane) -> Item:
        item = lane.queued.popleft()
        if item.session != self.session:
            self._forget_object_ids(lane, item)
        self.sent += 1
        item.serial = self.sent
        lane.in_flight.append(item)
        lane.in_flight_bytes += len(item.payload)
        return item

    def _drop_former(self) -> None:
        # They are at the front: what is put back is older than what is queued.
        queued = self.updates.queued
        while queued and queued[0].session != self.session:
            self._drop_oldest(self.updates, 'former_session')

    def _forget_object_ids(self, lane: Lane, item: Item) -> None:
        """Do so not before it is sent: to rewrite all that is queued would hold up the loop."""
        lane.bytes -= len(item.payload)
        item.payload = self.without_object_ids(item.payload)
        lane.bytes += len(item.payload)
        item.session = self.session

    def _window_has_room(self, item: Item) -> bool:
        in_flight = self.in_flight
        return in_flight == 0 or (
            in_flight < self.window_messages
            and self.in_flight_bytes + len(item.payload) <= self.window_bytes)

    def _fits(self, lane: Lane, item: Item) -> bool:
        return self._window_has_room(item) and (not lane.in_flight or (
            2 * (len(lane.in_flight) + 1) <= lane.policy.max_messages
            and 2 * (lane.in_flight_bytes + len(item.payload)) <= lane.policy.max_bytes))

    def _enqueue(self, lane: Lane, items: list[Item]) -> None:
        for item in items:
            lane.queued.append(item)
            lane.bytes += len(item.payload)
            self._make_room(lane)
        lane.peak = max(lane.peak, len(lane))
        lane.peak_bytes = max(lane.peak_bytes, lane.bytes)

    def _make_room(self, lane: Lane) -> None:
        if lane.policy.newest_per_object and _is_too_full(lane):
            self._drop_superseded(lane)
        while lane.queued and _is_too_full(lane):
            self._drop_oldest(lane, 'overflow')

    def _drop_superseded(self, lane: Lane) -> None:
        """Drop updates whose object has a newer one in the queue, the oldest first."""
        queued = list(lane.queued)
        newest = {item.object_id: item for item in queued}
        lane.queued.clear()
        for place, item in enumerate(queued):
            # In what is counted, the lane is as full as with the rest of the list in its queue.
            if not _is_too_full(lane, len(queued) - place):
                lane.queued.extend(queued[place:])
                return
            if newest[item.object_id] is item:
                lane.queued.append(item)
                continue
            lane.bytes -= len(item.payload)
            self._count_drop(lane, 'superseded', item)

    def _expire(self, lane: Lane, now: float) -> None:
        max_age = lane.policy.max_age
        if max_age > 0:
            while lane.queued and now - lane.queued[0].accepted_at > max_age:
                self._drop_oldest(lane, 'too_old')

    def _drop_oldest(self, lane: Lane, cause: str) -> None:
        item = lane.queued.popleft()
        lane.bytes -= len(item.payload)
        self._count_drop(lane, cause, item)

    def _count_drop(self, lane: Lane, cause: str, item: Item | None = None) -> None:
        self.dropped[f'{lane.name}_{cause}'] += 1
        if item is not None:
            self._forget(item)

    def _forget(self, item: Item) -> None:
        if self.journal is not None:
            self.journal.gone(item.id)


def _is_too_full(lane: Lane, more: int = 0) -> bool:
    """Return whether the lane is beyond its bounds, with so many messages more."""
    policy = lane.policy
    return len(lane) + more > policy.max_messages or lane.bytes > policy.max_bytes
