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

"""What comes from the orchestrator, sorted: commands, or counted rejections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
import re
from typing import Any, Protocol

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.link.token_bucket import TokenBucket
from camera_ws_bridge.log import redact
from camera_ws_bridge.log.throttled_log import ThrottledLog
from camera_ws_bridge.protocol import codec, fields, strict_json
from camera_ws_bridge.protocol.message import Message
from camera_ws_bridge.protocol.update import object_of_too_long
from camera_ws_bridge.tracking.tracked_objects import Command, Session, Unreadable

BURST_SECONDS = 20.0  # of the rate at once: a replay of many objects is one burst

# What decides what a message amounts to, by the message's class.
Handlers = Mapping[type[Message], Callable[[Any], list[Command]]]


class Listener(Protocol):
    """Who hears of what comes; raises nothing."""

    def told(self, command: Command) -> None:
        """Take a command."""

    def session_changed(self) -> None:
        """Hear that the session has another number, after the commands that told so."""


class Inbound:
    """The way of the orchestrator's frames to their handlers, and of commands out of them."""

    def __init__(
            self, session: Session, handlers: Handlers, rate: float, limits: codec.Limits,
            log: ThrottledLog, listener: Listener) -> None:
        """rate: messages a second."""
        self.rejected: Counter[str] = Counter()  # messages, or what was left out of them, by cause
        self.shown_token = ''  # the last one; a peer may send it back, and it must not be logged
        self.limits = limits
        self._session = session
        self._handlers = handlers
        self._bucket = TokenBucket(rate, BURST_SECONDS * rate)
        self._log = log
        self._listener = listener
        self._registering = False

    def limit_rate(self, rate: float) -> None:
        """Go by another rate from now on."""
        self._bucket.limit(rate, BURST_SECONDS * rate)

    def begin_registration(self, anew: bool) -> None:
        """Say that what comes may be the replay of a registration; anew: on a new connection."""
        self._registering = True
        if anew:
            # What another server may have poured out must not cost us this one's replay.
            self._bucket.refill()
        self._session.begin_registration(anew)

    def end_registration(self) -> None:
        """Say that the replay is over."""
        self._registering = False
        self._pass_on(self._session.registered)

    def end_connection(self) -> None:
        """Say that nothing more comes on this connection."""
        self._registering = False
        self._pass_on(self._session.broken_off)

    def lacks_proof(self) -> bool:
        """Tell whether no replay could prove that the session goes on, though that matters."""
        return self._session.lacks_proof()

    def handle(self, frame: str | bytes, now: float) -> None:
        """Pass on the commands that a frame amounts to; count what is unusable of it."""
        try:
            if not self._bucket.take(now):
                raise DecodeError('', 'too many messages a second (command_rate)', 'rate')
            if isinstance(frame, bytes):
                raise DecodeError('', 'a binary message; the protocol is text', 'binary')
            message = codec.decode(frame, self.limits)
        except DecodeError as error:
            self._reject(error, frame)
            return
        handler = self._handlers.get(type(message))
        if handler is None:
            self._count(DecodeError(
                message.wire_type, 'the orchestrator never sends this to a camera',
                'unexpected_type'), 'ignored')
            return
        for problem in message.left_out():
            self._count(problem, 'passed on without what is unusable in it')
        self._pass_on(lambda: handler(message))

    def _reject(self, error: DecodeError, frame: str | bytes) -> None:
        consequence = ''
        object_id = _object_id(frame) if error.field.startswith('featureMap') else None
        if object_id is not None:
            consequence = f'; object {object_id} is tracked all the same'
            self._pass_on(lambda: self._session.receive(Unreadable(object_id)))
        elif self._registering and error.cause != 'unknown_type':
            consequence = '; no object is stopped for not being named now'
            self._session.doubt_registration()
        self._count(error, 'ignored', consequence)

    def _count(self, error: DecodeError, outcome: str, consequence: str = '') -> None:
        self.rejected[error.cause] += 1
        # Different faults must not share a line; an index in the field tells none apart.
        subject = f'rejected {error.cause} {re.sub("[0-9]+", "", error.field)}'
        self._log.warning(subject, f'message from the orchestrator {outcome}: '
                          f'{redact.without(self.shown_token, str(error))}{consequence}')

    def _pass_on(self, decide: Callable[[], list[Command]]) -> None:
        number = self._session.number
        for command in decide():
            self._listener.told(command)
        if self._session.number != number:
            self._listener.session_changed()


def _object_id(frame: str | bytes) -> int | None:
    """Return the object that a message names whose feature map cannot be read."""
    object_id = object_of_too_long(frame)
    if object_id is not None:
        return object_id
    try:
        return fields.object_id(strict_json.loads(frame).get('objectId'), 'objectId')
    except fields.BadField:
        return None
