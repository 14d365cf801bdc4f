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

"""Which objects a re-ID node has been told of, and what it has to be told next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from camera_ws_bridge.reid.events import Command, Event, Kind, Listed


class Objects:
    """
    The objects that were told, with the newest feature map of each.

    An object is stopped once, before its session ends; nobody hears of a stop of what was never
    told.
    """

    def __init__(self) -> None:
        self.session: int | None = None  # None: nothing was told yet
        self._told: dict[int, Sequence[float]] = {}  # by object id

    def follow(self, command: Command) -> list[Event]:
        """Return what to tell of a command whose turn it is."""
        events = self._enter(command.session)
        if command.kind is not Kind.STOP:
            # A start that comes after all does not undo what is known.
            known = self._told.get(command.object_id, ())
            self._told[command.object_id] = (
                known if command.kind is Kind.START else command.feature_map)
        elif self._told.pop(command.object_id, None) is None:
            return events
        return [*events, Event(
            command.kind, command.session, command.object_id, command.feature_map,
            command.message)]

    def follow_late(self, command: Command) -> list[Event]:
        """Return what to tell of a command whose effect is known: a start that is of use still."""
        open_ = (command.session == self.session and command.object_id in self._told
                 and not len(self._told[command.object_id]))
        return self.follow(command) if command.kind is Kind.START and open_ else []

    def compare(self, listed: Listed, maps: bool) -> list[Event]:
        """Return what to tell so that all is as in the list; maps: compare feature maps, too."""
        events = self._enter(listed.session)
        events += self._stop(listed.objects)
        for object_id, feature_map in listed.objects.items():
            known = self._told.get(object_id)
            if known is None or maps and len(feature_map) and [*known] != [*feature_map]:
                self._told[object_id] = feature_map
                events.append(Event(Kind.UPDATE, listed.session, object_id, feature_map))
        return events

    def extracted(self, session: int, object_id: int, feature_map: Sequence[float]) -> bool:
        """Remember a feature map of the node's own; return whether that object is tracked."""
        if not self.is_tracked(session, object_id):
            return False
        self._told[object_id] = feature_map
        return True

    def is_tracked(self, session: int, object_id: int) -> bool:
        """Tell whether that object is."""
        return session == self.session and object_id in self._told

    def _enter(self, session: int) -> list[Event]:
        if session == self.session:
            return []
        events = [*self._stop({}), Event(Kind.SESSION, session)]
        self.session = session
        return events

    def _stop(self, others: Mapping[int, object]) -> list[Event]:
        """Stop all but those."""
        assert self.session is not None or not self._told
        gone = [object_id for object_id in self._told if object_id not in others]
        for object_id in gone:
            del self._told[object_id]
        return [Event(Kind.STOP, self.session or 0, object_id) for object_id in sorted(gone)]
