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
Which life of the orchestrator a registration meets: the one that is known, or another one.

An orchestrator that restarts gives its object ids out from 1 again, and says nothing about it. A
connection never outlives it, so the question arises once a connection, and all there is to answer
it is the replay behind `identifier`: each object tracked now, with its newest feature map. Within
a life an id is never given twice, ids only grow, and a feature map is never lost.

    what comes between `identifier` and its pong            what that says
    ------------------------------------------------------  ------------------------------------
    an object without the feature map that was told of it   OTHER: no life loses one
    a start with an id not greater than one seen before     OTHER: no life gives an id twice
    else an object with the very feature map that was told  SAME: a feature map is told of an
    of it last, or that is ours                             object in one life only
    else anything: no object at all, unknown ones only,     UNKNOWN: all stops and new feature
    known ones without or with another feature map          maps may have been missed

What is UNKNOWN counts as another life: a feature map that is lost costs a click, one that reaches
another object misleads every camera. So every restart ends a session but two: one after which
another processor has put the old feature map under the same id in the new life, and one hidden
behind a relay that keeps our connection (until a start with an old id comes).

The price is that a link that was merely lost ends a session, too, where no tracked object had a
feature map to show. Nothing else that an orchestrator says can tell: its ids of the past, GET
/objectIds, are as many after a restart and as many clicks; what was sighted, GET /timelines, may
outlive it in files; and images are told to operators only. But a connection that still answers
was never in another life: link.second_chance asks the former one before there is a new one.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
import enum
import hashlib
from itertools import chain

from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.update import Update

NO_MAP = 0  # the digest of no feature map


class Verdict(enum.Enum):
    """What a replay says of the orchestrator's life."""

    SAME = enum.auto()
    OTHER = enum.auto()
    UNKNOWN = enum.auto()


@dataclass(frozen=True)
class Life:
    """What has to be remembered of a session to know the orchestrator's life again."""

    session: int
    greatest_id: int = -1  # of all objects that were named
    told: Mapping[int, int] = field(default_factory=dict)  # digests of the newest, by object id

    def pack(self) -> bytes:
        """Return this as bytes, for this machine."""
        numbers = [self.session, self.greatest_id, *chain.from_iterable(self.told.items())]
        return array('q', numbers).tobytes()

    @staticmethod
    def unpack(data: bytes) -> Life | None:
        """Return what was packed; None for anything else."""
        try:
            session, greatest_id, *told = array('q', data)
            return Life(session, greatest_id, dict(zip(told[::2], told[1::2], strict=True)))
        except ValueError:
            return None


def digest(feature_map: tuple[float, ...]) -> int:
    """Return 63 bits that stand for a feature map, in every process alike."""
    if not feature_map:
        return NO_MAP
    data = array('d', feature_map).tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), 'big') >> 1 or 1


def judge(life: Life, own: Mapping[int, Collection[int]], replay: Iterable[object]) -> Verdict:
    """
    Return whether the life goes on.

    own: digests of feature maps that we may have sent, by object id. replay: what came between
    `identifier` and its pong; the first feature map of an object is the replayed one.
    """
    verdict = Verdict.UNKNOWN
    named: set[int] = set()
    for message in replay:
        if isinstance(message, Start) and message.object_id <= life.greatest_id:
            return Verdict.OTHER
        if not isinstance(message, Update) or message.object_id in named:
            continue
        named.add(message.object_id)
        shown, told = digest(message.feature_map), life.told.get(message.object_id, NO_MAP)
        if shown == NO_MAP:
            if told != NO_MAP:
                return Verdict.OTHER
        elif shown == told or shown in own.get(message.object_id, ()):
            verdict = Verdict.SAME
    return verdict
