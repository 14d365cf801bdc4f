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
What the page shows and no operator is told by the protocol: no I/O.

Who is registered, what the bridge of each camera did about an outage, which cameras have a feature
map of an object, and who saw it when. Times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

LATE = 0.5  # seconds: a frame that takes so much longer than others has waited
SLACK = 0.1  # seconds that a frame may take as well without having waited
RELAX = 0.01  # seconds a second by which the fastest time may grow
REMEMBERED = 5000  # frame ids of a camera
GAP = 1.5  # seconds without a sighting that end a span
SPANS = 200  # of an object


@dataclass
class Camera:
    """What is known of one camera."""

    frames: int = 0  # received, the following two included
    again: int = 0  # of them were received before
    buffered: int = 0  # of them were taken while the orchestrator was away, or did not read
    outages: int = 0  # how often it was registered and is not any more
    away_since: float | None = None  # None: it is registered, or never was
    back_after: float | None = None  # seconds that the last outage took
    registered_since: float | None = None
    _ids: dict[Any, None] = field(default_factory=dict)  # of frames, newest last
    _newest: float | None = None
    _fastest: float = 0.0  # from a frame's time to its arrival; of two clocks
    _last: float = 0.0  # arrival

    def present(self, here: bool, now: float) -> None:
        """Note whether it is registered now."""
        if here and self.registered_since is None:
            if self.away_since is not None:
                self.back_after = now - self.away_since
            self.registered_since, self.away_since = now, None
        elif not here and self.registered_since is not None:
            self.registered_since, self.away_since = None, now
            self.outages += 1

    def frame(self, frame_id: Any, now: float) -> None:
        """Note that a frame has arrived; its id is its time in seconds, of whatever clock."""
        self.frames += 1
        if not isinstance(frame_id, (int, float)) or isinstance(frame_id, bool):
            return
        if frame_id in self._ids:
            self.again += 1
            return
        self._ids[frame_id] = None
        if len(self._ids) > REMEMBERED:
            del self._ids[next(iter(self._ids))]
        took = now - frame_id
        if self._newest is None or frame_id < self._newest:  # a stream begins
            self._fastest = took
        self._newest = frame_id
        slower = RELAX * min(now - self._last, 1.0)  # a detector may become slower for good
        self._last = now
        self._fastest = min(took, self._fastest + slower)
        on_time = frame_id + self._fastest  # when it would have come, had nothing been in the way
        self.buffered += on_time < now - LATE or (
            self.back_after is not None and self.registered_since is not None
            and on_time < self.registered_since - SLACK)

    def shown(self, now: float) -> dict[str, Any]:
        """Return what the page is told."""
        return {
            'registered': self.registered_since is not None, 'frames': self.frames,
            'again': self.again, 'buffered': self.buffered, 'outages': self.outages,
            'awayFor': None if self.away_since is None else round(now - self.away_since, 1),
            'backAfter': None if self.back_after is None else round(self.back_after, 2)}


@dataclass
class Tracked:
    """What is known of a tracked object."""

    extracted_by: str | None = None  # the camera whose feature map it is
    maps: dict[str, None] = field(default_factory=dict)  # cameras that have it, in order
    spans: list[list[Any]] = field(default_factory=list)  # camera, from, to

    def seen(self, camera: str, now: float) -> None:
        """Note that a camera sees it."""
        for span in reversed(self.spans):
            if span[0] == camera:
                if now - span[2] <= GAP:
                    span[2] = now
                    return
                break
        self.spans.append([camera, now, now])
        del self.spans[:-SPANS]

    def shown(self) -> dict[str, Any]:
        """Return what the page is told."""
        return {
            'extractedBy': self.extracted_by, 'maps': list(self.maps),
            'seen': [[camera, round(begin, 2), round(end, 2)]
                     for camera, begin, end in self.spans]}


class Watch:
    """Is told what the server does."""

    def __init__(self) -> None:
        self.cameras: dict[str, Camera] = {}
        self.objects: dict[int, Tracked] = {}

    def presence(self, registered: Collection[Any], now: float) -> None:
        """Note which cameras are registered now."""
        here = {*map(str, registered)}
        for camera_id in here - {*self.cameras}:
            self.cameras[camera_id] = Camera()
        for camera_id, camera in self.cameras.items():
            camera.present(camera_id in here, now)

    def frame(self, camera_id: Any, frame_id: Any, now: float) -> None:
        """Note that boxes have come."""
        if camera_id is not None:
            self.cameras.setdefault(str(camera_id), Camera()).frame(frame_id, now)

    def seen(self, object_id: int, camera_id: Any, now: float) -> None:
        """Note that a camera sees an object."""
        self.objects.setdefault(object_id, Tracked()).seen(str(camera_id), now)

    def extracted(self, object_id: int, camera_id: Any) -> None:
        """Note that a camera has sent a feature map."""
        found = self.objects.setdefault(object_id, Tracked())
        found.extracted_by = str(camera_id)
        found.maps = {found.extracted_by: None}  # the others are about to be told

    def told(self, object_id: int, camera_id: Any) -> None:
        """Note that a camera was sent the feature map."""
        self.objects.setdefault(object_id, Tracked()).maps[str(camera_id)] = None

    def shown(self, tracked: Mapping[int, Any], now: float) -> dict[str, Any]:
        """Return what the page is told; tracked: feature map by object; the others are gone."""
        self.objects = {
            object_id: self.objects.get(object_id, Tracked()) for object_id in tracked}
        return {
            'now': round(now, 2),
            'cameras': {name: camera.shown(now) for name, camera in self.cameras.items()},
            'objects': {
                str(object_id): found.shown() for object_id, found in self.objects.items()}}
