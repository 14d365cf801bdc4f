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

from collections import deque
from collections.abc import Callable
from traceback import format_exc
from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.ros import features
from camera_ws_bridge.ros.misfits import Misfits
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

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
        self.misfits = Misfits(self)
        self.lifecycle = UNCONFIGURED  # the primary state that was entered last
        self._jobs: deque[tuple[Callable[[], None], bool]] = deque()  # the first is being done
        # Executors call back, and send what is returned, at once. Here the answer comes when the
        # request has had its turn and a flush is over; everything else goes on meanwhile.
        service = self._service_change_state
        self._change_state, self._send_response = service.callback, service.send_response
        service.callback = lambda request, response: (request, response)
        service.send_response = self._on_request

    # ---- endpoints; rclpy makes its own with these, too

    def create_publisher(self, *arguments: Any, **named: Any) -> Any:
        """Create a publisher without event handlers, if none are given."""
        return super().create_publisher(
            *arguments, **{'event_callbacks': features.NO_PUBLISHER_EVENTS, **named})

    def create_subscription(self, *arguments: Any, **named: Any) -> Any:
        """Create a subscription without event handlers, if none are given."""
        return super().create_subscription(
            *arguments, **{'event_callbacks': features.NO_SUBSCRIPTION_EVENTS, **named})

    def destroy_node(self) -> None:
        """Leave ROS, also if there are references to this node."""
        super().destroy_node()
        # rclpy forgets it. It holds the node's handle, and so the middleware's participant, which
        # the exit handlers of the process would take down, in any order: a crash now and then.
        self._state_machine.destroy_when_not_in_use()

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

    # ---- turns, all in the executor's thread

    def in_turn(self, job: Callable[[], None], leaves_active: bool) -> None:
        """Do a job when all that was asked for before is done; flush first if it leaves active."""
        self._jobs.append((job, leaves_active))
        if len(self._jobs) == 1:
            self._go_on()

    def _go_on(self) -> None:
        while self._jobs:
            if self._jobs[0][1] and self.lifecycle == ACTIVE:
                self.begin_to_deactivate().add_done_callback(
                    lambda _: self.executor.create_task(self._flushed))
                return
            self._do_first()

    def _flushed(self) -> None:
        self._do_first()
        self._go_on()

    def _do_first(self) -> None:
        try:
            self._jobs[0][0]()
        except Exception:
            self.get_logger().error(f'internal error, please report:\n{format_exc()}')
        finally:
            self._jobs.popleft()

    def _on_request(self, request_and_response: tuple[Any, Any], header: Any) -> None:
        request, response = request_and_response
        transition = request.transition
        self.in_turn(
            lambda: self._send_response(self._changed(request, response), header),
            transition.label in LEAVING_ACTIVE_LABELS if transition.label
            else transition.id in LEAVING_ACTIVE)

    def _changed(
            self, request: ChangeState.Request,
            response: ChangeState.Response) -> ChangeState.Response:
        try:
            return self._change_state(request, response)
        except Exception as error:  # rclpy does not say which: its type is private
            transition = request.transition.label or request.transition.id
            self.get_logger().warning(
                f'lifecycle transition {transition} refused: {str(error).splitlines()[0]}')
            response.success = False
            return response
