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

"""A wait set that is filled time and again with the same entities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import math
from typing import Any

from camera_ws_bridge.process.turns import Turn
from rclpy.context import Context
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.waitable import NumberOfEntities, Waitable


class WaitSet:
    """Waits for entities and waitables, none of which may be destroyed before it is released."""

    def __init__(self, context: Context, wakeup: Any, turns: Sequence[Turn],
                 waitables: Sequence[Waitable] = ()) -> None:
        """`wakeup`: the handle of a guard condition that only ends a wait."""
        self._turns: dict[str, dict[int, Turn]] = {}  # by kind and pointer
        for turn in turns:
            self._turns.setdefault(turn.kind, {})[turn.handle.pointer] = turn
        self._waitables = waitables
        more = sum((waitable.get_num_entities() for waitable in waitables), NumberOfEntities())

        def number(kind: str) -> int:
            return len(self._turns.get(kind, ()))
        with context.handle:
            self._set = rclpy_implementation.WaitSet(
                number('subscription') + more.num_subscriptions,
                number('guard_condition') + more.num_guard_conditions + 1,
                number('timer') + more.num_timers, number('client') + more.num_clients,
                number('service') + more.num_services, more.num_events, context.handle)
        self._adders: list[tuple[Callable[[Any], object], Any]] = [
            (self._set.add_guard_condition, wakeup),
            *((getattr(self._set, f'add_{turn.kind}'), turn.handle) for turn in turns)]

    def fill(self) -> None:
        """Get ready for the next wait."""
        self._set.clear_entities()
        for add, handle in self._adders:
            add(handle)
        for waitable in self._waitables:
            waitable.add_to_wait_set(self._set)

    def wait(self, timeout: float) -> None:
        """Wait until something is ready, for so many seconds at most; math.inf: for ever."""
        self._set.wait(-1 if math.isinf(timeout) else int(timeout * 1e9))

    def ready(self) -> Iterator[Turn]:
        """Yield whose turn it is, after a wait."""
        for kind, turns in self._turns.items():
            for pointer in self._set.get_ready_entities(kind):
                if pointer in turns:
                    yield turns[pointer]

    def ready_waitables(self) -> Iterator[Waitable]:
        """Yield the waitables that are ready, after a wait."""
        return (waitable for waitable in self._waitables if waitable.is_ready(self._set))
