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
What a simulated orchestrator knows, and who gets which message: no I/O.

It behaves as the real one was observed to, its traps included (docs/protocol.md). Messages are
passed on with the fields and numbers that they came with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]
Delivery = tuple[Hashable, Fields]  # to whom, what


class Ignored(Exception):
    """A message that the orchestrator does nothing with; the text says why."""


@dataclass
class State:
    """All registrations, operators and tracked objects; a peer is any hashable."""

    token: str | None = None  # what processors must authenticate with; None: nothing
    processors: dict[str, Hashable] = field(default_factory=dict)  # by camera id
    operators: dict[Hashable, bool] = field(default_factory=dict)  # peer to: uses images
    objects: dict[int, Any] = field(default_factory=dict)  # id to feature map; {}: not known yet
    cameras: dict[Hashable, str] = field(default_factory=dict)  # peer to its camera id
    received: Counter[str] = field(default_factory=Counter)  # messages by type
    registered: Counter[str] = field(default_factory=Counter)  # connections so far by camera id
    _authenticated: set[Hashable] = field(default_factory=set)
    _last_object: int = 0

    # ---- processors

    def from_processor(self, peer: Hashable, message: Fields) -> list[Delivery] | None:
        """Return what to send to whom; None: close this connection (it has shown no token)."""
        kind = message.get('type')
        self.received[str(kind)] += 1
        if self.token is not None and peer not in self._authenticated:
            if kind == 'authenticate':
                # No answer, not even to a bad token: that shows on the next message.
                if message.get('jwt') == self.token:
                    self._authenticated.add(peer)
                return []
            return None
        if kind == 'identifier':
            return self._register(peer, _need(message, 'id'))
        if kind == 'boundingBoxes':
            relayed = {
                'type': kind, 'cameraId': self.cameras.get(peer),
                'frameId': _need(message, 'frameId'), 'boxes': _need(message, 'boxes')}
            return [(operator, relayed) for operator in self.operators]
        if kind == 'featureMap':
            return self._share(_need(message, 'objectId'), _need(message, 'featureMap'))
        if kind == 'authenticate':
            return []
        raise Ignored(f'type {kind!r} is not known')

    def connections_by_camera(self) -> dict[str, dict[str, int]]:
        """Return how many connections of each camera are open, and were ever opened."""
        now = Counter(self.cameras.values())
        return {camera_id: {'open': now[camera_id], 'opened': opened}
                for camera_id, opened in self.registered.items()}

    def processor_closed(self, peer: Hashable) -> None:
        """Forget a processor; by its id, so that a newer connection loses its registration too."""
        self._authenticated.discard(peer)
        camera_id = self.cameras.pop(peer, None)
        if camera_id is not None:
            self.processors.pop(camera_id, None)

    def _register(self, peer: Hashable, camera_id: Any) -> list[Delivery]:
        if not isinstance(camera_id, str):
            raise Ignored(f'id {camera_id!r} is not a string')
        if self.cameras.get(peer) != camera_id:
            self.registered[camera_id] += 1
        self.cameras[peer] = camera_id
        self.processors[camera_id] = peer
        return [(peer, _feature_map(object_id, numbers))
                for object_id, numbers in self.objects.items()]

    def _share(self, object_id: int, numbers: Any) -> list[Delivery]:
        if object_id not in self.objects:
            raise Ignored(f'object {object_id!r} is not tracked')
        self.objects[object_id] = numbers
        return [(processor, _feature_map(object_id, numbers))
                for processor in self.processors.values()]

    # ---- operators

    def operator_opened(self, peer: Hashable) -> None:
        """Add an operator."""
        self.operators[peer] = False

    def operator_closed(self, peer: Hashable) -> None:
        """Forget an operator."""
        self.operators.pop(peer, None)

    def from_operator(self, peer: Hashable, message: Fields) -> list[Delivery]:
        """Return what to send to whom."""
        kind = message.get('type')
        self.received[str(kind)] += 1
        if kind == 'setUsesImages':
            self.operators[peer] = bool(_need(message, 'usesImages'))
            return []
        if kind == 'start':
            return self._start(message)
        if kind == 'stop':
            return self._stop(_need(message, 'objectId'))
        raise Ignored(f'type {kind!r} is not known')

    def _start(self, message: Fields) -> list[Delivery]:
        camera_id = _need(message, 'cameraId')
        processor = self.processors.get(camera_id)
        if processor is None:
            raise Ignored(f'camera {camera_id!r} is not registered')
        self._last_object += 1
        self.objects[self._last_object] = {}
        start: Fields = {'type': 'start', 'objectId': self._last_object}
        start.update({key: message[key] for key in ('frameId', 'boxId', 'image')
                      if key in message})
        return [(processor, start), *(
            (operator, self._new_object(message.get('image') if uses_images else None))
            for operator, uses_images in self.operators.items())]

    def _new_object(self, image: str | None) -> Fields:
        fields: Fields = {'type': 'newObject', 'objectId': self._last_object}
        if image is not None:
            fields['image'] = image
        return fields

    def _stop(self, object_id: int) -> list[Delivery]:
        if self.objects.pop(object_id, None) is None:
            raise Ignored(f'object {object_id!r} is not tracked')
        stop = {'type': 'stop', 'objectId': object_id}
        return [(peer, stop) for peer in (*self.processors.values(), *self.operators)]


def _feature_map(object_id: int, numbers: Any) -> Fields:
    return {'type': 'featureMap', 'objectId': object_id, 'featureMap': numbers}


def _need(message: Fields, key: str) -> Any:
    try:
        return message[key]
    except KeyError:
        raise Ignored(f'{message["type"]} without {key}') from None
