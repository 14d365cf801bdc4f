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

It behaves as the real one was observed to, its quirks included (docs/protocol.md): ids may be any
JSON value, and what would break a loop there ends it here. test/data/orchestrator-answers.jsonl
holds it to that. Messages are passed on with the values that they came with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
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
    operator_token: str | None = None  # likewise
    tracking_timeout: float | None = None  # seconds from a start to a stop by itself
    clock: Callable[[], float] = lambda: 0.0
    saw: Callable[[int, Any], None] = lambda object_id, camera_id: None  # a tracked object
    processors: dict[Hashable, Hashable] = field(default_factory=dict)  # by camera id
    cameras: dict[Hashable, Any] = field(default_factory=dict)  # open peer to its camera id
    operators: dict[int, Hashable] = field(default_factory=dict)  # by number
    objects: dict[int, Any] = field(default_factory=dict)  # id to feature map; {}: not known yet
    images: dict[int, Any] = field(default_factory=dict)  # of tracked objects; None: none
    last_object: int = 0  # its id
    received: Counter[str] = field(default_factory=Counter)  # messages by type
    registered: Counter[Hashable] = field(default_factory=Counter)  # connections by camera id
    _authenticated: set[Hashable] = field(default_factory=set)
    _numbers: dict[Hashable, int] = field(default_factory=dict)  # of operators that are open
    _uses_images: dict[Hashable, Any] = field(default_factory=dict)
    _due: dict[int, float] = field(default_factory=dict)  # when a tracked object times out

    # ---- processors

    def from_processor(self, peer: Hashable, message: Fields) -> list[Delivery] | None:
        """Return what to send to whom; None: close this connection (it has shown no token)."""
        kind = _need(message, 'type')
        self.received[str(kind)] += 1
        if kind == 'authenticate':
            self._authenticate(peer, message, self.token)
            return []
        if self.token is not None and peer not in self._authenticated:
            return None
        if kind == 'identifier':
            return self._register(peer, _need(message, 'id'))
        if kind == 'boundingBoxes':
            relayed = {
                'type': kind, 'cameraId': self.cameras.get(peer),
                'frameId': _need(message, 'frameId'), 'boxes': _need(message, 'boxes')}
            self._look_at(relayed['boxes'], relayed['cameraId'])
            return [(operator, relayed) for operator in self.operators.values()]
        if kind == 'featureMap':
            object_id, numbers = _need(message, 'objectId'), _need(message, 'featureMap')
            self.objects[self._tracked(object_id)] = numbers
            return self._to_processors(_feature_map(object_id, numbers))
        raise Ignored(f'type {kind!r} is not known')

    def connections_by_camera(self) -> dict[str, dict[str, int]]:
        """Return how many connections of each camera are open, and were ever opened."""
        now = Counter(map(str, self.cameras.values()))
        return {str(camera_id): {'open': now[str(camera_id)], 'opened': opened}
                for camera_id, opened in self.registered.items()}

    def processor_closed(self, peer: Hashable) -> None:
        """Forget a processor; by its id, so that a newer connection loses its registration too."""
        self._authenticated.discard(peer)
        camera_id = self.cameras.pop(peer, None)
        if _hashable(camera_id):
            self.processors.pop(camera_id, None)

    def time_out(self) -> list[Delivery]:
        """Return the stops of objects that were started too long ago; operators get none."""
        now = self.clock()
        return [delivery for object_id in [each for each, due in self._due.items() if due <= now]
                for delivery in self._forget(object_id)]

    def _authenticate(self, peer: Hashable, message: Fields, token: str | None) -> bool:
        # No answer, not even to a bad token: that shows on the next message.
        if token is not None and _need(message, 'jwt') == token:
            self._authenticated.add(peer)
        return peer in self._authenticated

    def _register(self, peer: Hashable, camera_id: Any) -> list[Delivery]:
        first = peer not in self.cameras or self.cameras[peer] != camera_id
        self.cameras[peer] = camera_id
        if not _hashable(camera_id):
            raise Ignored(f'id {camera_id!r} cannot be registered')
        self.registered[camera_id] += first
        self.processors[camera_id] = peer
        return [(peer, _feature_map(object_id, numbers))
                for object_id, numbers in self.objects.items()]

    def _to_processors(self, message: Fields) -> list[Delivery]:
        """Return a message for all, or for those up to the first whose connection is closed."""
        deliveries: list[Delivery] = []
        for processor in self.processors.values():
            if processor not in self.cameras:
                break  # it had two ids, and has left one behind
            deliveries.append((processor, message))
        return deliveries

    def _all_open(self) -> bool:
        return all(processor in self.cameras for processor in self.processors.values())

    def _look_at(self, boxes: Any, camera_id: Any) -> None:
        for box in boxes if isinstance(boxes, list) else ():
            if not isinstance(box, dict) or not _hashable(box.get('objectId')):
                return
            if box.get('objectId') in self.objects:
                self.saw(int(box['objectId']), camera_id)

    # ---- operators

    def operator_opened(self, peer: Hashable) -> None:
        """Add an operator, at once if it needs no token."""
        # So two that come before either has shown its token get the same number.
        self._numbers[peer] = max(self.operators, default=0) + 1
        if self.operator_token is None:
            self.operators[self._numbers[peer]] = peer

    def operator_closed(self, peer: Hashable) -> None:
        """Forget an operator; by its number."""
        self._authenticated.discard(peer)
        self._uses_images.pop(peer, None)
        self.operators.pop(self._numbers.pop(peer, 0), None)

    def from_operator(self, peer: Hashable, message: Fields) -> list[Delivery] | None:
        """Return what to send to whom; None: close this connection (it has shown no token)."""
        kind = _need(message, 'type')
        self.received[str(kind)] += 1
        if kind == 'authenticate':
            if self._authenticate(peer, message, self.operator_token):
                self.operators[self._numbers[peer]] = peer
            return []
        if self.operator_token is not None and peer not in self._authenticated:
            return None
        if kind == 'setUsesImages':
            self._uses_images[peer] = _need(message, 'usesImages')
            return [(peer, _new_object(object_id, image))
                    for object_id, image in self.images.items()
                    if image is not None and self._uses_images[peer] is True]
        if kind == 'start':
            return self._start(message)
        if kind == 'stop':
            return self._stop(_need(message, 'objectId'))
        raise Ignored(f'type {kind!r} is not known')

    def _start(self, message: Fields) -> list[Delivery]:
        camera_id, image = _need(message, 'cameraId'), message.get('image')
        shown = {key: message[key] for key in ('frameId', 'boxId', 'image')
                 if message.get(key) is not None}
        if image is None and not {'frameId', 'boxId'} <= {*shown}:
            raise Ignored('start without image, or frameId and boxId')
        if not _hashable(camera_id) or camera_id not in self.processors:
            raise Ignored(f'camera {camera_id!r} is not registered')
        self.last_object += 1
        object_id = self.last_object
        self.objects[object_id], self.images[object_id] = {}, image
        if self.tracking_timeout is not None:
            self._due[object_id] = self.clock() + self.tracking_timeout
        processor = self.processors[camera_id]
        if processor not in self.cameras:
            return []
        return [(processor, {'type': 'start', 'objectId': object_id, **shown}), *(
            (operator, _new_object(object_id, image)) for operator in self.operators.values()
            if self._uses_images.get(operator))]

    def _stop(self, object_id: Any) -> list[Delivery]:
        deliveries = self._forget(self._tracked(object_id), object_id)
        if self._all_open():
            stop = {'type': 'stop', 'objectId': object_id}
            deliveries += [(operator, stop) for operator in self.operators.values()
                           if self._uses_images.get(operator) is True]
        return deliveries

    # ---- objects

    def _tracked(self, object_id: Any) -> int:
        """Return the id of a tracked object, which may be written as 1.0 or true."""
        if not _hashable(object_id) or object_id not in self.objects:
            raise Ignored(f'object {object_id!r} is not tracked')
        return int(object_id)

    def _forget(self, object_id: int, written: Any = None) -> list[Delivery]:
        del self.objects[object_id]
        self.images.pop(object_id, None)
        self._due.pop(object_id, None)
        return self._to_processors(
            {'type': 'stop', 'objectId': object_id if written is None else written})


def _feature_map(object_id: int, numbers: Any) -> Fields:
    return {'type': 'featureMap', 'objectId': object_id, 'featureMap': numbers}


def _new_object(object_id: int, image: Any) -> Fields:
    fields: Fields = {'type': 'newObject', 'objectId': object_id}
    if image is not None:
        fields['image'] = image
    return fields


def _need(message: Fields, key: str) -> Any:
    try:
        return message[key]
    except KeyError:
        raise Ignored(f'{message.get("type")} without {key}') from None


def _hashable(value: Any) -> bool:
    return not isinstance(value, (list, dict))
