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
A lifecycle node whose transitions hold up nothing, and whose mistakes end nothing.

What rclpy's own leaves to its users: a transition that is not possible raises through the executor
instead of answering, an exception in a transition's callback is swallowed without a word, and
while a transition waits, no other callback runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
import contextlib
from traceback import format_exc
from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR

UNCONFIGURED = State.PRIMARY_STATE_UNCONFIGURED
INACTIVE = State.PRIMARY_STATE_INACTIVE
ACTIVE = State.PRIMARY_STATE_ACTIVE
FINALIZED = State.PRIMARY_STATE_FINALIZED
LABELS = {UNCONFIGURED: 'unconfigured', INACTIVE: 'inactive', ACTIVE: 'active',
          FINALIZED: 'finalized'}

LEAVING_ACTIVE = {Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVE_SHUTDOWN}
LEAVING_ACTIVE_LABELS = {'deactivate', 'shutdown'}


class ManagedNode(LifecycleNode):
    """Maps rclpy's transition callbacks to methods that simply do it, or raise."""

    def __init__(self, name: str, **node_arguments: object) -> None:
        """Create the node, unconfigured."""
        super().__init__(name, **node_arguments)
        self.lifecycle = UNCONFIGURED  # the primary state that was entered last
        self._turn_before: Future | None = None
        service = self._service_change_state
        self._change_state_at_once = service.callback
        service.callback = self._change_state
        # While a request waits for its turn or for a flush, everything else goes on.
        service.callback_group = ReentrantCallbackGroup()
        service.callback_group.add_entity(service)

    # ---- what a subclass does; all in the executor's thread

    def configure(self) -> None:
        """Acquire all that is needed; raise ConfigurationError if that is not possible now."""

    def activate(self) -> None:
        """Begin to work; raise ConfigurationError, with nothing begun, if that is not possible."""

    def deactivate(self) -> None:
        """Stop working; may wait."""

    def cleanup(self) -> None:
        """Release what configure() has acquired, as far as it has; may be called twice."""

    def begin_to_deactivate(self) -> Any:
        """Begin what deactivate() would wait for; return a concurrent future of its end."""

    def entered(self) -> None:
        """Take note that `lifecycle` has a new value."""

    def refused(self, error: ConfigurationError) -> None:
        """Take note of why it could not be configured or activated."""

    # ---- transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Configure; on failure leave nothing behind."""
        try:
            return self._do(self.configure, INACTIVE)
        except ConfigurationError as error:
            self.cleanup()
            self.refused(error)
            return FAILURE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work; on failure the node stays inactive."""
        try:
            return self._do(self.activate, ACTIVE)
        except ConfigurationError as error:
            self.refused(error)
            return FAILURE

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working."""
        return self._do(self.deactivate, INACTIVE)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""
        return self._do(self.cleanup, UNCONFIGURED)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working and release everything, for good."""
        return self._do(self._stop_and_release, FINALIZED)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin anew after a bug: unconfigured, or finalized if not even that works."""
        result = self._do(self._stop_and_release, UNCONFIGURED)
        if result is SUCCESS:
            return SUCCESS
        self._enter(FINALIZED)
        return FAILURE

    def _stop_and_release(self) -> None:
        if self.lifecycle == ACTIVE:
            self.deactivate()
        self.cleanup()

    def _do(self, job: Callable[[], None], then: int) -> TransitionCallbackReturn:
        try:
            job()
        except ConfigurationError:
            raise
        except Exception:
            self.get_logger().error(f'internal error, please report:\n{format_exc()}')
            return ERROR
        self._enter(then)
        return SUCCESS

    def _enter(self, state: int) -> None:
        self.lifecycle = state
        self.entered()

    # ---- the service ~/change_state

    async def _change_state(
            self, request: ChangeState.Request,
            response: ChangeState.Response) -> ChangeState.Response:
        transition = request.transition
        async with self.turn():
            leaves = (transition.label in LEAVING_ACTIVE_LABELS if transition.label
                      else transition.id in LEAVING_ACTIVE)
            if leaves and self.lifecycle == ACTIVE:
                await self._end_of(self.begin_to_deactivate())
            try:
                return self._change_state_at_once(request, response)
            except Exception as error:  # rclpy does not say which: its type is private
                reason = str(error).splitlines()[0]
                self.get_logger().warning(
                    f'lifecycle transition {transition.label or transition.id} refused: {reason}')
                response.success = False
                return response

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until all transitions that were asked for before are over, then hold up others."""
        before, mine = self._turn_before, self._wakening_future()
        self._turn_before = mine
        if before is not None:
            await before
        try:
            yield
        finally:
            mine.set_result(None)

    async def _end_of(self, ending: Any) -> None:
        ended = self._wakening_future()
        ending.add_done_callback(lambda _: ended.set_result(None))
        await ended

    def _wakening_future(self) -> Future:
        """Return a future whose end makes the executor look again at who waits for it."""
        def wake(_: Future) -> None:
            if self.executor is not None:
                self.executor.wake()
        future = Future()
        future.add_done_callback(wake)
        return future
