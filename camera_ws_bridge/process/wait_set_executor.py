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
An executor whose wait sets are made anew only when there are other entities.

rclpy's own makes wait set, generator and task for every message, which is most of what a message
costs. Here what is ready gets its turn directly. All callbacks run in one thread, one after the
other, each to its end: so callback groups have nothing to decide, and a callback that is a
coroutine function has no place here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import contextlib
import math
import time
from typing import Any

from camera_ws_bridge.process.turns import frequent, rare, Turn
from camera_ws_bridge.process.wait_set import WaitSet
import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.waitable import Waitable

LOOK_AFTER = 16  # turns without a look at what else is ready
# A wait costs by the number of entities, and most of a node's are services. While one message
# follows the other, requests are looked for only now and then.
BUSY = 8  # looks in a row, none of which had to wait for RARE_AFTER
RARE_AFTER = 0.1  # seconds from one look for requests to the next
RARE_AFTER_AT_ONCE = 0.001  # seconds; the same, if there must be no wait for anything
RARE_FOR = 1.0  # seconds after a request: another may follow it


class WaitSetExecutor:
    """What a process needs of an executor, for nodes of the default context."""

    def __init__(self) -> None:
        self._context = rclpy.get_default_context()
        self._wakeup = GuardCondition(None, None, self._context)
        self._nodes: list[Node] = []
        self._line: deque[Callable[[], bool]] = deque()  # whose turn it is next
        self._turns = 0  # since the last look
        self._changed = True  # there are other entities than those in the wait sets
        self._waiting = False  # news has to end a wait
        self._shut = False
        self._frequent: WaitSet | None = None
        self._all: WaitSet | None = None
        self._held = contextlib.ExitStack()  # what is in them is not destroyed meanwhile
        self._busy = 0  # looks in a row
        self._looked_at_all = -math.inf  # monotonic time
        self._rare_until = -math.inf  # monotonic time; always at all until then
        self._context.on_shutdown(self.wake)

    # ---- what nodes ask of an executor

    def add_node(self, node: Node) -> bool:
        """Look after a node from now on; return whether that is news."""
        if node in self._nodes:
            return False
        self._nodes.append(node)
        node.executor = self
        self.wake()
        return True

    def remove_node(self, node: Node) -> None:
        """Look after a node no longer."""
        if node in self._nodes:
            self._nodes.remove(node)
            self.wake()

    def get_nodes(self) -> list[Node]:
        """Return the nodes."""
        return [*self._nodes]

    def wake(self) -> None:
        """Take note of other entities; from any thread."""
        self._changed = True
        self._end_wait()

    def create_task(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call back in turn; from any thread."""
        def task() -> bool:
            callback(*arguments)
            return True
        self._line.append(task)
        self._end_wait()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Leave the nodes alone for good."""
        if not self._shut:
            self._shut = True
            self._nodes.clear()
            self._line.clear()
            self._release()
            self._wakeup.destroy()
        return True

    # ---- work, all in one thread

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for one thing to do, and do it."""
        if self._turns >= LOOK_AFTER:
            self._look(0.0)
        if not self._next():
            self._look(math.inf if timeout_sec is None else timeout_sec)
            self._next()

    def _next(self) -> bool:
        """Give the next one its turn; return whether there was one with something to do."""
        while self._line:
            self._turns += 1
            if self._line.popleft()():
                return True
        return False

    def _get_in_line(self, turn: Turn) -> None:
        if not turn.in_line:
            turn.in_line = True
            self._line.append(turn)

    def _look(self, timeout: float) -> None:
        """Find out what is ready; wait for that so many seconds."""
        if self._shut:
            return
        self._turns = 0
        if self._changed:
            self._make()
        assert self._all is not None and self._frequent is not None
        wait_set, now = self._all, time.monotonic()
        rare_at = self._looked_at_all + (RARE_AFTER if timeout else RARE_AFTER_AT_ONCE)
        if self._busy >= BUSY and self._rare_until <= now < rare_at:
            wait_set, timeout = self._frequent, min(timeout, rare_at - now)
        self._wait(wait_set, timeout)
        if not self._context.ok():
            raise ExternalShutdownException
        begun, now = now, time.monotonic()
        self._busy = self._busy + 1 if now - begun < RARE_AFTER else 0
        if wait_set is self._all:
            self._looked_at_all = now
        for turn in wait_set.ready():
            self._get_in_line(turn)
            if turn.rare:
                self._rare_until = now + RARE_FOR
        for waitable in wait_set.ready_waitables():
            self.create_task(_execute, waitable, waitable.take_data())

    def _wait(self, wait_set: WaitSet, timeout: float) -> None:
        wait_set.fill()
        self._waiting = True
        try:
            # Who has news from now on ends the wait; who had it before has not.
            wait_set.wait(0.0 if self._line or self._changed else timeout)
        finally:
            self._waiting = False

    def _end_wait(self) -> None:
        if self._waiting:
            self._waiting = False
            self._wakeup.trigger()

    # ---- the wait sets

    def _make(self) -> None:
        self._changed = False  # what changes from now on is news
        self._release()
        often = [turn for node in self._nodes for turn in frequent(node, self._get_in_line)
                 if self._hold(turn.handle)]
        seldom = [turn for node in self._nodes for turn in rare(node) if self._hold(turn.handle)]
        waitables = [waitable for node in self._nodes for waitable in node.waitables
                     if self._hold(waitable)]
        wakeup = self._wakeup.handle
        self._frequent = WaitSet(self._context, wakeup, often)
        self._all = WaitSet(self._context, wakeup, [*often, *seldom], waitables)
        self._looked_at_all = -math.inf

    def _hold(self, handle: Any) -> bool:
        try:
            self._held.enter_context(handle)
        except InvalidHandle:
            return False  # it is to be destroyed
        return True

    def _release(self) -> None:
        self._frequent = self._all = None
        self._held.close()


def _execute(waitable: Waitable, data: Any) -> None:
    with contextlib.suppress(StopIteration):
        waitable.execute(data).send(None)
