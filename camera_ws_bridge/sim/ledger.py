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
What was published and what the orchestrator received, compared.

Plain bookkeeping, without ROS or clock, for demo, soak and fault suite. A message is (kind,
number), by which both sides know it; the order is that of the publication.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
import itertools
import threading
from typing import Any, NamedTuple

Message = tuple[str, float]
BOXES, UPDATES = 'boxes', 'updates'  # the kinds; so begin the causes of what the bridge drops

# A killed bridge loses what it had not committed: boxes wait half a second for their batch. The
# rest is for a machine that is busy, and for DDS: these times begin when a message is published.
NOT_COMMITTED_FOR = {BOXES: 2.5, UPDATES: 1.5}  # seconds


def message_of(fields: Mapping[str, Any]) -> Message | None:
    """Return which message this is: by its frame id, or the first number of its feature map."""
    kind, number = None, None
    if fields.get('type') == 'boundingBoxes':
        kind, number = BOXES, fields.get('frameId')
    elif fields.get('type') == 'featureMap' and isinstance(fields.get('featureMap'), list):
        kind, number = UPDATES, next(iter(fields['featureMap']), None)
    return (kind, number) if kind and isinstance(number, (int, float)) else None


class Sent(NamedTuple):
    """What is known of a message that was published."""

    at: float  # seconds of the publisher's clock
    place: int  # in the order of publication
    life: int  # of the orchestrator, that it is meant for


class Ledger:
    """Written by publisher and orchestrator, from any thread; says what is wrong between them."""

    def __init__(self) -> None:
        self.published: dict[Message, Sent] = {}
        self.arrived: dict[Message, float] = {}  # when first
        self.repeated = 0  # arrivals of what had arrived before
        self.out_of_order: list[Message] = []  # first arrivals behind one published later
        self.never_published: list[Message] = []  # and yet arrived
        self.in_another_life: list[Message] = []  # named what is another object there
        self.dropped: Counter[str] = Counter()  # by cause, as the bridges counted
        self.dropped_yet_arrived = 0  # dropped while it was unknown that they had arrived
        self.lost_in_kills: Counter[str] = Counter()  # by kind
        self.oldest_lost_in_a_kill = 0.0  # seconds
        self.unaccounted: list[Message] = []  # lost, and nobody has said so
        self._explained: set[Message] = set()  # did not arrive, and it is known why
        self._newest: dict[str, int] = {}  # the latest place that has arrived, by kind
        self._dropped_before: Counter[str] = Counter()  # in this life of the bridge
        self._lock = threading.Lock()

    def publish(self, message: Message, now: float = 0.0, life: int = 0) -> None:
        """Note that a message is about to be published; life: of the orchestrator."""
        with self._lock:
            self.published[message] = Sent(now, len(self.published), life)

    def receive(
            self, message: Message, now: float = 0.0, life: int = 0,
            names_objects: bool | None = None) -> None:
        """Note that a message has arrived; names_objects: by default each feature map does."""
        with self._lock:
            sent = self.published.get(message)
            if sent is None:
                self.never_published.append(message)
                return
            kind, newest = message[0], self._newest.get(message[0], -1)
            if names_objects is None:
                names_objects = kind == UPDATES
            if names_objects and sent.life != life:
                self.in_another_life.append(message)
            if message in self.arrived:
                self.repeated += 1
                return
            self.arrived[message] = now
            if sent.place < newest:
                self.out_of_order.append(message)
            self._newest[kind] = max(sent.place, newest)

    def has_received_since(self, moment: float) -> bool:
        """Return whether something that was published after the moment has arrived."""
        with self._lock:
            newest_first = reversed(self.published.items())
            return any(message in self.arrived for message, _ in itertools.takewhile(
                lambda item: item[1].at > moment, newest_first))

    def missing(self) -> list[Message]:
        """Return what was published, has not arrived, and is not explained."""
        with self._lock:
            return [message for message in self.published
                    if message not in self.arrived and message not in self._explained]

    def latencies(self, skip: tuple[float, float] | None = None) -> list[float]:
        """Return how long messages took, sorted; skip: not those published in between."""
        return sorted(
            at - sent for message, at in self.arrived.items()
            for sent in [self.published[message].at]
            if skip is None or not skip[0] <= sent <= skip[1])

    def new_life(self) -> None:
        """Note that a bridge begins to count anew."""
        self._dropped_before.clear()

    def kill(self, at: float, committed: Set[Message]) -> None:
        """Explain what was too young to be in the spool at a SIGKILL; the rest has to arrive."""
        for message in self.missing():
            age = at - self.published[message].at
            if message not in committed and age <= NOT_COMMITTED_FOR[message[0]]:
                self._explained.add(message)
                self.lost_in_kills[message[0]] += 1
                self.oldest_lost_in_a_kill = max(age, self.oldest_lost_in_a_kill)

    def settle(
            self, dropped: Mapping[str, int], accepted: Mapping[str, int] | None = None) -> None:
        """
        Compare what is missing with what the bridge has dropped; its buffer is empty now.

        dropped: by cause, since the start of this life; accepted: by kind, if not all that was
        published has reached the bridge.
        """
        news = Counter(dropped) - self._dropped_before
        self._dropped_before = Counter(dropped)
        self.dropped += news
        left = Counter[str]()  # how many messages of a kind may be missing
        for cause, count in news.items():
            left[cause.partition('_')[0]] += count
        for kind, count in (accepted or {}).items():
            left[kind] += sum(1 for message in self.published if message[0] == kind) - count
        for message in self.missing():
            self._explained.add(message)
            if left[message[0]] > 0:
                left[message[0]] -= 1
            else:
                self.unaccounted.append(message)
        self.dropped_yet_arrived += left.total()

    def faults(self) -> dict[str, list[Message]]:
        """Return what must not be, by what is wrong with it; empty: all is well."""
        return {what: found for what, found in {
            'unaccounted': self.unaccounted, 'out of order': self.out_of_order,
            'never published': self.never_published,
            'in another life': self.in_another_life}.items() if found}

    def figures(self) -> dict[str, object]:
        """Return the account, in the order in which it is printed."""
        return {
            'published': len(self.published), 'arrived': len(self.arrived),
            'duplicates': self.repeated, 'dropped': _listed(self.dropped),
            'of these arrived before': self.dropped_yet_arrived,
            'not committed at a kill': _listed(self.lost_in_kills),
            'oldest of these (s)': f'{self.oldest_lost_in_a_kill:.2f}',
            'out of order': len(self.out_of_order), 'unaccounted': len(self.unaccounted),
            'never published': len(self.never_published),
            'feature maps in another life': self._in_another_life(UPDATES),
            'object ids in another life': self._in_another_life(BOXES)}

    def _in_another_life(self, kind: str) -> int:
        return sum(1 for message in self.in_another_life if message[0] == kind)


def _listed(counts: Mapping[str, int]) -> str:
    return ', '.join(f'{name} {count}' for name, count in sorted(counts.items())) or 'none'
