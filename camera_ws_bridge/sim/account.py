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

"""What came of a demo: the orchestrator's journal held against the camera's report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
import os
from typing import Any

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import codec


@dataclass
class Received:
    """What the orchestrator stand-in has read from one camera."""

    first_at: dict[float, float] = field(default_factory=dict)  # frame id to Unix time
    repeats: int = 0  # frames that came again
    disorder: int = 0  # frames that came first time behind a later one
    feature_maps: int = 0

    @classmethod
    def from_journal(cls, path: str | os.PathLike[str], camera_id: str) -> Received:
        """Read what `orchestrator_sim --record` wrote."""
        result = cls()
        newest = float('-inf')
        for at, message in _read(path, camera_id):
            if message.get('type') == 'featureMap':
                result.feature_maps += 1
            elif message.get('type') == 'boundingBoxes':
                frame_id = message.get('frameId')
                if not isinstance(frame_id, (int, float)):
                    continue
                if frame_id in result.first_at:
                    result.repeats += 1
                    continue
                result.disorder += frame_id < newest
                newest = max(newest, frame_id)
                result.first_at[frame_id] = at
        return result

    def lost(self, published: Iterable[float]) -> list[float]:
        """Return the frame ids that were published and never came."""
        return [frame_id for frame_id in published if frame_id not in self.first_at]

    def latencies(self, skip: tuple[float, float] | None = None) -> list[float]:
        """
        Return how long frames took from camera to orchestrator, in seconds, sorted.

        A frame's id is the Unix time of its publication. skip: leave out those published between
        these two times.
        """
        return sorted(
            at - frame_id for frame_id, at in self.first_at.items()
            if skip is None or not skip[0] <= frame_id <= skip[1])


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the sorted values lies; nan if there is none."""
    if not ordered:
        return float('nan')
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _read(
        path: str | os.PathLike[str], camera_id: str) -> Iterator[tuple[float, dict[str, Any]]]:
    with open(path, 'rb') as journal:  # a kill may have cut off a character
        for line in journal:
            try:
                entry = codec.loads(line)
                if (entry['connection'], entry['direction']) == (camera_id, 'to_orchestrator'):
                    yield entry['t'], codec.loads(entry['text'])
            except DecodeError:
                continue  # a line that a kill cut off, or a frame that was no JSON
