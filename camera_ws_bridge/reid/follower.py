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
Follows one bridge: what has to be told of what arrives, when.

The commands tell what happens; the list of tracked objects is where a late node begins, and what
tells that a command was missed. Without I/O, and told the time.
"""

from __future__ import annotations

from camera_ws_bridge.reid.events import Command, Event, Listed
from camera_ws_bridge.reid.in_order import GAP, InOrder
from camera_ws_bridge.reid.objects import Objects


class Follower:
    """Call it for all that arrives, and tick() some times in a GAP; tell what it returns."""

    def __init__(self) -> None:
        self.objects = Objects()
        self._commands = InOrder()
        self._early: list[Command] = []  # came before the first list
        self._newest_list = -1  # its stamp
        # Not compared with what was told: the oldest and the newest, with their arrival.
        self._lists: list[tuple[Listed, float]] = []
        self._told_until = -1  # the stamp of the last command that had its turn
        self._told_at = 0.0

    def on_command(self, command: Command, now: float) -> list[Event]:
        """Take a command."""
        if self._newest_list < 0:
            self._early.append(command)
            return []
        turns, late = self._commands.add(command, now)
        return self._tell(turns, now) + [
            event for each in late for event in self.objects.follow_late(each)]

    def on_list(self, listed: Listed, now: float) -> list[Event]:
        """Take a list of all that is tracked."""
        before, self._newest_list = self._newest_list, listed.stamp
        if 0 <= before <= listed.stamp:
            # Not at once: the commands that make it true may be on their way.
            oldest = [each for each in self._lists if each[0].stamp >= self._told_until][:1]
            self._lists = [*oldest, (listed, now)]
            return []
        if before > listed.stamp:  # somebody has set back the clock
            self._commands.begin_anew()
            self._lists.clear()
        events = self._compare(listed)
        early, self._early = self._early, []
        return events + [event for each in early for event in self.on_command(each, now)]

    def on_tick(self, now: float) -> list[Event]:
        """Let time go by."""
        events = self._tell(self._commands.tick(now), now)
        if self._lists:
            listed, at = self._lists[0]
            # One that is older than what was told would have had a successor by now: somebody
            # has set back the clock.
            if now - max(at, self._told_at) >= GAP and not (
                    self._commands.waits_until(listed.stamp)):
                del self._lists[0]
                events += self._compare(listed)
        return events

    def _tell(self, turns: list[Command], now: float) -> list[Event]:
        events: list[Event] = []
        for command in turns:
            # All before it had their turn: what was listed by then is what must be true now.
            for listed in reversed([each for each, _ in self._lists]):
                if self._told_until <= listed.stamp < command.stamp:
                    events += self._compare(listed)
                    break
            self._lists = [each for each in self._lists if each[0].stamp >= command.stamp]
            events += self.objects.follow(command)
            self._told_until, self._told_at = command.stamp, now
        return events

    def _compare(self, listed: Listed) -> list[Event]:
        self._commands.begin(listed.stamp)
        doubtful, self._commands.doubtful = self._commands.doubtful, False
        return self.objects.compare(listed, doubtful)
