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

"""The node itself: what it has in which state of its life, and who is told of what."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from typing import Any

from camera_ws_bridge.bridge import Bridge, LoopHost
from camera_ws_bridge.config import parameters
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.inputs import adapters
from camera_ws_bridge.inputs.boxes import BoxesInput
from camera_ws_bridge.inputs.detections import Detections
from camera_ws_bridge.inputs.feature_map import FeatureMapInput
from camera_ws_bridge.link.link import State
from camera_ws_bridge.node.assembly import assemble
from camera_ws_bridge.node.live_parameters import follow
from camera_ws_bridge.outputs.commands import Commands
from camera_ws_bridge.outputs.reporter import NodeState, Report, Reporter
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.ros import features, looks
from camera_ws_bridge.ros.managed_node import (
    ACTIVE, FINALIZED, INACTIVE, LABELS, ManagedNode, UNCONFIGURED)
from camera_ws_bridge.ros.shelf import Shelf
from camera_ws_bridge.tracking.frame_stamps import FrameIds, parse_zero, Stamp
from camera_ws_bridge.tracking.tracked_objects import Command, Session
from rclpy.clock import Clock, ClockType
from std_srvs.srv import Trigger

IDLE_REPORT_PERIOD = 1.0  # seconds
COMMANDS = '~/'  # name of their publishers on the shelf


class BridgeNode(ManagedNode):
    """
    One camera's bridge.

    unconfigured: `~/status`, `/diagnostics` and the services are there, nothing else;
    inactive: buffer, spool and publishers are there; active: connected, or trying to be.
    """

    def __init__(
            self, host: LoopHost, on_end: Callable[[LinkFault], None],
            **node_arguments: object) -> None:
        """`on_end` is called, in the loop's thread, when the link has given up."""
        super().__init__(
            'camera_ws_bridge', **features.node_arguments(enable_logger_service=True),
            **node_arguments)
        try:
            self._set_up(host, on_end)
        except Exception:
            self.destroy_node()  # else others would find it, and wait for its answers
            raise

    def _set_up(self, host: LoopHost, on_end: Callable[[LinkFault], None]) -> None:
        self.autostart = parameters.autostart(self)
        self.metrics_address = parameters.metrics_address(self)
        # All of them, to be seen before the node is configured; what is wrong is said then.
        with contextlib.suppress(ConfigurationError):
            parameters.declare(self)
        self.parameters: Parameters | None = None
        self.bridge: Bridge | None = None
        self.refusal: ConfigurationError | None = None  # why it could not be configured
        self._camera_id = ''
        self._gave_up = ''  # why the link has ended by itself
        self._host = host
        self._on_end = on_end
        self._commands: Commands | None = None
        self._adapter: adapters.Adapter | None = None  # that the boxes need, if they need one
        self._frame_ids: FrameIds | None = None  # its; they count on over a deactivation
        self._boxes_input: BoxesInput | None = None
        self._detections: Detections | None = None  # its, for other types than Boxes
        self._feature_map_input: FeatureMapInput | None = None
        self._shelf = Shelf(self)
        self._reporter = Reporter(self)
        follow(self)
        self.create_service(Trigger, '~/reconnect', self._on_reconnect)
        self.create_service(Trigger, '~/clear_buffer', self._on_clear_buffer)
        self._reports = 0  # one a second
        self._idle_timer = self.create_timer(
            IDLE_REPORT_PERIOD, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))
        if self.autostart:
            self._idle_timer.cancel()
        else:
            self._report()

    @property
    def wake_interval(self) -> float:
        """Return that parameter, for the process; 0 if it has no value that could be one."""
        name = 'wake_interval'
        return float(self.get_parameter(name).value) if self.has_parameter(name) else 0.0

    @property
    def last_report(self) -> Report | None:
        """Return what it has told of itself last, if anything yet; also for other threads."""
        return self._reporter.last

    @property
    def failed(self) -> bool:
        """Return whether it has ended by itself: not configured, or given up, and not retried."""
        return bool(self.refusal or self._gave_up)

    def start(self) -> None:
        """
        Configure and activate if `autostart` says so.

        Raises ConfigurationError, or RuntimeError after a bug, which is in the log.
        """
        if not self.autostart:
            return
        self.trigger_configure()
        if self.refusal is not None:
            raise self.refusal
        if self.lifecycle == INACTIVE:
            self.trigger_activate()
        if self.refusal is not None:
            raise self.refusal
        if self.lifecycle != ACTIVE:
            self._gave_up = 'internal: the node could not be activated'
            self._report()
            raise RuntimeError('the node could not be activated')

    def begin_to_shut_down(self) -> None:
        """Begin what shut_down() does, as there may be other nodes to do so meanwhile."""
        self._idle_timer.cancel()
        if self.bridge is not None:
            self.bridge.begin_to_shut_down()

    def shut_down(self) -> None:
        """Flush and close; destroy the node after this."""
        if self.bridge is not None:
            self.bridge.shut_down()

    # ---- the node's life

    def configure(self) -> None:
        """Read the parameters, prepare TLS and spool; raise ConfigurationError."""
        self.refusal = None
        self.parameters = values = parameters.declare(self)
        self._camera_id = values.camera_id
        self._adapter = adapters.find(values.boxes_type)
        self._frame_ids = FrameIds(values.frame_history, parse_zero(values.frame_id_zero))
        self.bridge = assemble(values, self, self._host, self.get_logger())
        depth = values.command_queue_depth
        self._commands = self._shelf.take(Commands, COMMANDS, depth) or Commands(self, depth)
        if values.buffer_when_inactive:
            self._subscribe()
        self.get_logger().info(f'{values.camera_id}: json: {strict_json.WRITER}')
        self.bridge.begin()

    def activate(self) -> None:
        """Begin to connect; raise ConfigurationError for a subscription that is not possible."""
        self.refusal = None
        self._gave_up = ''
        assert self.bridge is not None
        self._subscribe()
        self.bridge.connect()

    def begin_to_deactivate(self) -> Any:
        """Begin to flush and close."""
        assert self.bridge is not None
        return self.bridge.begin_to_disconnect()

    def deactivate(self) -> None:
        """Flush and close; what could not be sent stays in the buffer."""
        assert self.bridge is not None and self.parameters is not None
        self.bridge.disconnect()
        if not self.parameters.buffer_when_inactive:
            self._unsubscribe()

    def cleanup(self) -> None:
        """Release everything; what is in the buffer and not in a spool is gone."""
        self._unsubscribe()
        if self.bridge is not None:
            self.bridge.shut_down()
            self.bridge = None
        if self._commands is not None:
            if self._commands.has_told:  # nobody may hear that in the next life
                self._commands.destroy()
            else:
                self._shelf.leave(self._commands, COMMANDS, self._commands.queue_depth)
            self._commands = None

    def entered(self) -> None:
        """Tell of the new state."""
        if self.lifecycle in (UNCONFIGURED, FINALIZED):
            self._idle_timer.reset()
        else:
            self._idle_timer.cancel()
        self._report()

    def refused(self, error: ConfigurationError) -> None:
        """Say why it could not be configured; start() leaves that to its caller."""
        self.refusal = error
        if not self.autostart:
            what = 'activated' if self.lifecycle == INACTIVE else 'configured'
            self.get_logger().error(f'not {what}: {error}')
        self._report()

    def configure_inputs(self, values: Parameters) -> None:
        """Let what is subscribed, now or later, go by these values."""
        assert self._frame_ids is not None
        self._frame_ids.begin_at(parse_zero(values.frame_id_zero))

    def _subscribe(self) -> None:
        if self._boxes_input is not None:
            return
        assert self.bridge is not None and self.parameters is not None
        assert self._frame_ids is not None
        try:
            self._feature_map_input = FeatureMapInput(self.bridge, self._shelf)
            if self._adapter is not None:
                self._detections = Detections(
                    self, self.parameters, self._adapter, self._frame_ids, self._shelf)
            self._boxes_input = BoxesInput(self.bridge, self._detections, self._shelf)
        except ConfigurationError:
            self._unsubscribe()
            raise

    def _unsubscribe(self) -> None:
        for subscribed in (self._boxes_input, self._detections, self._feature_map_input):
            if subscribed is not None:
                subscribed.destroy()
        self._boxes_input = self._detections = self._feature_map_input = None

    def _deactivate_in_turn(self) -> None:
        def deactivate() -> None:
            # A manager may have been faster, and have activated it again: that clears the reason.
            if self.lifecycle == ACTIVE and self._gave_up:
                self.trigger_deactivate()
        self.in_turn(deactivate, leaves_active=False)

    def _report(self) -> None:
        self.report(False)

    def _has_its_turn(self) -> bool:
        """Tell whether to look at the graph in this second."""
        nodes = [self] if self.executor is None else self.executor.get_nodes()
        return looks.is_due(self._reports, nodes.index(self), len(nodes))

    def _look_around(self) -> None:
        """Look at the graph, which other nodes change."""
        for subscribed in (self._boxes_input, self._feature_map_input):
            if subscribed is not None:
                subscribed.look()
        self._shelf.look()
        self.misfits.look()

    # ---- services

    def _on_reconnect(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self.bridge is not None and self.lifecycle == ACTIVE:
            self.bridge.reconnect()
            response.success, response.message = True, 'connecting anew'
        else:
            response.message = 'the node is not active'
        return response

    def _on_clear_buffer(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self.bridge is not None:
            count = self.bridge.clear_buffer()
            response.success, response.message = True, f'{count} messages dropped'
        else:
            response.message = 'the node is not configured'
        return response

    # ---- what the bridge has to tell

    def now(self) -> int:
        """Return the ROS time in nanoseconds."""
        return int(self.get_clock().now().nanoseconds)

    def publish(self, command: Command, frame_stamp: Stamp) -> None:
        """Publish a command; frame_stamp: of the frame that it speaks of."""
        if self._commands is not None:
            self._commands.publish(command, frame_stamp)

    def publish_tracked(self, session: Session) -> None:
        """Publish what is tracked now."""
        if self._commands is not None:
            self._commands.publish_tracked(session)

    def report(self, state_changed: bool) -> None:
        """Publish status and, unless only the link's state has changed, diagnostics."""
        fault = f'configuration: {self.refusal}' if self.refusal else self._gave_up
        self._reporter.report(
            NodeState(self._camera_id, self.lifecycle, fault), self.bridge, state_changed)
        if not state_changed:  # once a second, and awake: a timer of its own would cost more
            self._reports += 1
            if self._has_its_turn():
                self._host.loop.call_soon(self._look_around)

    def link_ended(self, fault: LinkFault) -> None:
        """Hear that the link has given up."""
        assert self.bridge is not None
        self._gave_up = f'{fault.cause}: {fault.reason}'
        self.get_logger().error(
            f'{self._camera_id}: no connection to {self.bridge.settings.peer}: {fault.reason}')
        self._on_end(fault)

    # ---- what the process asks for

    def give_up(self) -> None:
        """Deactivate the node, whose link has given up; it may be activated again."""
        self.executor.create_task(self._deactivate_in_turn)

    def describe(self) -> str:
        """Return how the node and its link do, in a few words."""
        bridge, name = self.bridge, self._camera_id or self.get_fully_qualified_name()
        if bridge is None or self.lifecycle != ACTIVE:
            return f'{name}: {LABELS[self.lifecycle]}'
        text = f'{name}: {bridge.link.state.name.lower()}'
        if bridge.link.state in (State.REGISTERED, State.STABLE):
            return text
        cause = bridge.link.cause or 'first attempt'
        return f'{text}, {len(bridge.outbox)} messages wait; {cause}'
