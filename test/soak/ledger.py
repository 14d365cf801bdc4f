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
The account of a soak: what was published, what arrived, and what became of the rest.

Plain bookkeeping, without ROS or clock. A message is (kind, number); numbers of a kind count up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
import itertools
import threading

Message = tuple[str, int]

# A killed bridge loses what it had not committed: boxes wait half a second for their batch. The
# rest is for a machine that is busy, and for DDS: these times begin when a message is published.
NOT_COMMITTED_FOR = {'boxes': 2.5, 'updates': 1.5}  # seconds


@dataclass(frozen=True)
class Kill:
    """A SIGKILL: when, and what of the buffer was in the spool then."""

    at: float
    committed: frozenset[Message]


class Ledger:
    """Written by the publisher's thread, the orchestrator's and the director's."""

    def __init__(self) -> None:
        self.published: dict[Message, float] = {}
        self.received: Counter[Message] = Counter()
        self.dropped: Counter[str] = Counter()  # by cause, as the bridges counted
        self.dropped_yet_arrived = 0  # dropped while it was unknown that they had arrived
        self.lost_in_kills: Counter[str] = Counter()  # by kind
        self.oldest_lost_in_a_kill = 0.0  # seconds
        self.out_of_order: list[Message] = []
        self.unaccounted: list[Message] = []
        self._explained: set[Message] = set()  # did not arrive, and it is known why
        self._newest: dict[str, int] = {}
        self._dropped_before: Counter[str] = Counter()  # in this life
        self._lock = threading.Lock()

    def publish(self, message: Message, now: float) -> None:
        """Note that a message is about to be published."""
        with self._lock:
            self.published[message] = now

    def receive(self, message: Message) -> None:
        """Note that a message has arrived; first arrivals have to be in order."""
        with self._lock:
            self.received[message] += 1
            kind, number = message
            if self.received[message] == 1:
                if number < self._newest.get(kind, 0):
                    self.out_of_order.append(message)
                self._newest[kind] = max(number, self._newest.get(kind, 0))

    def has_received_since(self, moment: float) -> bool:
        """Return whether something that was published after the moment has arrived."""
        with self._lock:
            newest_first = reversed(self.published.items())
            return any(self.received[message] for message, _ in itertools.takewhile(
                lambda item: item[1] > moment, newest_first))

    def missing(self) -> list[Message]:
        """Return what was published, has not arrived, and is not explained."""
        with self._lock:
            return [message for message in self.published
                    if not self.received[message] and message not in self._explained]

    def new_life(self) -> None:
        """Note that a bridge begins to count anew."""
        self._dropped_before.clear()

    def kill(self, kill: Kill) -> None:
        """Explain what was too young to be committed; the rest has to arrive."""
        for message in self.missing():
            age = kill.at - self.published[message]
            if message not in kill.committed and age <= NOT_COMMITTED_FOR[message[0]]:
                self._explained.add(message)
                self.lost_in_kills[message[0]] += 1
                self.oldest_lost_in_a_kill = max(age, self.oldest_lost_in_a_kill)

    def settle(self, dropped: dict[str, int]) -> None:
        """
        Hold what is missing against what the bridge has dropped; its buffer is empty now.

        dropped: by cause, since the start of this life.
        """
        news = Counter(dropped) - self._dropped_before
        self._dropped_before = Counter(dropped)
        self.dropped += news
        left = Counter[str]()  # drops by kind that may explain a message
        for cause, count in news.items():
            left[cause.partition('_')[0]] += count
        for message in self.missing():
            self._explained.add(message)
            if left[message[0]]:
                left[message[0]] -= 1
            else:
                self.unaccounted.append(message)
        self.dropped_yet_arrived += left.total()

    def figures(self) -> dict[str, object]:
        """Return the account, in the order in which it is printed."""
        arrived = sum(1 for message in self.published if self.received[message])
        repeats = sum(count - 1 for count in self.received.values())
        return {
            'published': len(self.published), 'arrived': arrived, 'duplicates': repeats,
            'dropped': ', '.join(f'{cause} {count}' for cause, count in sorted(
                self.dropped.items())) or 'none',
            'of these arrived before': self.dropped_yet_arrived,
            'not committed at a kill': ', '.join(f'{kind} {count}' for kind, count in sorted(
                self.lost_in_kills.items())) or 'none',
            'oldest of these (s)': f'{self.oldest_lost_in_a_kill:.2f}',
            'out of order': len(self.out_of_order), 'unaccounted': len(self.unaccounted)}
