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
What the orchestrator has told this camera: which objects are tracked, and their feature maps.

The orchestrator repeats itself (on every registration it replays a feature map per tracked object;
it echoes our own) and it never repeats a missed stop. The session makes of that the commands that
a re-ID node needs: each feature map once, and a stop for what is no longer tracked.
"""

from __future__ import annotations

from dataclasses import dataclass

from camera_ws_bridge.messages import Message, Start, Stop, Update


@dataclass(frozen=True)
class Command:
    """A message for the re-ID node; `sequence` counts up by one over all commands, from 1."""

    sequence: int
    message: Start | Stop | Update
    reconciled: bool = False  # a Stop that was concluded, not received


class Session:
    """
    The state of all tracked objects over the life of the bridge, across connections.

    Order of calls: begin_registration when `identifier` is sent, receive for every message,
    registered when the pong of the ping behind `identifier` is back.
    """

    def __init__(self, reconcile: bool = True) -> None:
        self.reconcile = reconcile
        self.tracked: dict[int, tuple[float, ...]] = {}  # object id to newest feature map
        self._sequence = 0
        # Tracked when the registration began, and not mentioned since.
        self._unconfirmed: set[int] = set()

    def begin_registration(self) -> None:
        """Expect the replay of all objects that are tracked now."""
        self._unconfirmed = set(self.tracked)

    def registered(self) -> list[Command]:
        """Return a stop for every object that the replay did not name."""
        stale = sorted(self._unconfirmed) if self.reconcile else []
        self._unconfirmed = set()
        for object_id in stale:
            del self.tracked[object_id]
        return [self._command(Stop(object_id), reconciled=True) for object_id in stale]

    def receive(self, message: Message) -> list[Command]:
        """Return what the re-ID node has to know of a message: the command, or nothing."""
        if isinstance(message, Start):
            self._unconfirmed.discard(message.object_id)
            self.tracked[message.object_id] = ()
            return [self._command(message)]
        if isinstance(message, Stop):
            self._unconfirmed.discard(message.object_id)
            self.tracked.pop(message.object_id, None)
            return [self._command(message)]
        if isinstance(message, Update):
            self._unconfirmed.discard(message.object_id)
            if self.tracked.get(message.object_id) == message.feature_map:
                return []
            self.tracked[message.object_id] = message.feature_map
            return [self._command(message)]
        return []

    def extracted(self, update: Update) -> None:
        """Remember our own feature map, so that its echo is not taken for news."""
        if update.object_id in self.tracked:
            self.tracked[update.object_id] = update.feature_map

    def _command(self, message: Start | Stop | Update, reconciled: bool = False) -> Command:
        self._sequence += 1
        return Command(self._sequence, message, reconciled)
