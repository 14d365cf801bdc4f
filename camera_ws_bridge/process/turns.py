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

"""What an entity of a node does when it is ready: take what there is, and call back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from camera_ws_bridge.ros import features
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node


class Turn:
    """The turns of one entity; each takes one thing, unless the entity has been destroyed."""

    kind: ClassVar[str]  # as wait sets call it
    rare: ClassVar[bool] = False

    def __init__(self, entity: Any) -> None:
        self.handle = entity.handle
        self.in_line = False  # it is about to have a turn
        self._entity = entity

    def __call__(self) -> bool:
        """Return whether there was something to do."""
        self.in_line = False
        try:
            with self.handle:
                taken = self.take()
        except InvalidHandle:
            return False
        if taken is None:
            return False
        self.do(taken)
        return True

    def take(self) -> Any:
        """Return what there is; None: nothing any more."""
        return ()

    def do(self, taken: Any) -> None:
        """Call back with it."""
        self._entity.callback()


class Subscription(Turn):
    """A message."""

    kind = 'subscription'

    def __init__(self, entity: Any, again: Callable[[Turn], None]) -> None:
        """`again` lets it have another turn."""
        super().__init__(entity)
        self._again = again
        self._with_info = features.wants_info(entity.callback)

    def take(self) -> Any:
        """Return a message and what is known of it."""
        entity = self._entity
        return self.handle.take_message(entity.msg_type, entity.raw)

    def do(self, taken: Any) -> None:
        """Call back; where one message was there may be more, and to take is less than to wait."""
        self._again(self)
        if self._with_info:
            self._entity.callback(*taken)
        else:
            self._entity.callback(taken[0])


class Timer(Turn):
    """A period that is over."""

    kind = 'timer'

    def take(self) -> Any:
        """Begin the next period."""
        if not self.handle.is_timer_ready():
            return None  # cancelled, or reset
        self.handle.call_timer()
        return ()


class Guard(Turn):
    """A guard condition; having waited for it has reset it."""

    kind = 'guard_condition'


class Service(Turn):
    """A request."""

    kind = 'service'
    rare = True

    def take(self) -> Any:
        """Return a request and whose it is."""
        request, header = self.handle.service_take_request(self._entity.srv_type.Request)
        return None if header is None else (request, header)

    def do(self, taken: Any) -> None:
        """Call back and answer."""
        request, header = taken
        service = self._entity
        service.send_response(service.callback(request, service.srv_type.Response()), header)


class Client(Turn):
    """An answer."""

    kind = 'client'
    rare = True

    def take(self) -> Any:
        """Return an answer and what it answers."""
        header, response = self.handle.take_response(self._entity.srv_type.Response)
        return None if header is None else (header, response)

    def do(self, taken: Any) -> None:
        """Give it to whom has asked, if anybody still waits for it."""
        header, response = taken
        try:
            future = self._entity.get_pending_request(header.request_id.sequence_number)
        except KeyError:
            return
        future.set_result(response)


def frequent(node: Node, again: Callable[[Turn], None]) -> Iterator[Turn]:
    """Yield the turns of those entities of a node that wake a process all the time."""
    yield from (Subscription(entity, again) for entity in node.subscriptions)
    yield from map(Timer, node.timers)
    yield from map(Guard, node.guards)


def rare(node: Node) -> Iterator[Turn]:
    """Yield the turns of those that hardly ever have something to do, and are many."""
    yield from map(Service, node.services)
    yield from map(Client, node.clients)
