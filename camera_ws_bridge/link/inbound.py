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
from collections.abc import Callable

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.link.token_bucket import TokenBucket
from camera_ws_bridge.log import redact
from camera_ws_bridge.log.throttled_log import ThrottledLog
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.tracking.tracked_objects import Command, Session

BURST_SECONDS = 20.0  # of the rate at once: a replay of many objects is one burst


class Inbound:
    """The way of the orchestrator's frames into the session, and of commands out of it."""

    def __init__(
            self, session: Session, rate: float, limits: codec.Limits, log: ThrottledLog,
            on_command: Callable[[Command], None]) -> None:
        """rate: messages a second; on_command must not raise."""
        self.rejected: Counter[str] = Counter()  # messages, by cause
        self.shown_token = ''  # the last one; a peer may send it back, and it must not be logged
        self.limits = limits
        self._session = session
        self._bucket = TokenBucket(rate, BURST_SECONDS * rate)
        self._log = log
        self._on_command = on_command

    def limit_rate(self, rate: float) -> None:
        """Go by another rate from now on."""
        self._bucket.limit(rate, BURST_SECONDS * rate)

    def begin_registration(self) -> None:
        """Say that what comes from now on may be the replay of a registration."""
        self._session.begin_registration()

    def end_registration(self) -> None:
        """Say that the replay is over."""
        self._pass_on(self._session.registered())

    def handle(self, frame: str | bytes, now: float) -> None:
        """Pass on the commands that a frame amounts to; count it if it is no message."""
        try:
            if not self._bucket.take(now):
                raise DecodeError('', 'too many messages a second (command_rate)', 'rate')
            if isinstance(frame, bytes):
                raise DecodeError('', 'a binary message; the protocol is text', 'binary')
            message = codec.decode(frame, self.limits)
        except DecodeError as error:
            self._reject(error)
            return
        self._pass_on(self._session.receive(message))

    def _reject(self, error: DecodeError) -> None:
        self.rejected[error.cause] += 1
        # It may have been the one that names an object.
        self._session.doubt_registration()
        self._log.warning(
            'rejected ' + error.cause, 'message from the orchestrator ignored: '
            + redact.without(self.shown_token, str(error)))

    def _pass_on(self, commands: list[Command]) -> None:
        for command in commands:
            self._on_command(command)
