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

"""What a bridge tells of itself: `~/status` and `/diagnostics`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import time

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.buffer.spool.writer import DEGRADED
from camera_ws_bridge.link.link import State
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.outputs import to_ros
from camera_ws_bridge.outputs.health import Figures, Health
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.endpoints import create_publisher
from camera_ws_bridge.ros.managed_node import ACTIVE, LABELS, UNCONFIGURED
from camera_ws_bridge_msgs.msg import Status
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node


@dataclass(frozen=True)
class NodeState:
    """What the node knows of itself; fault: why it is not active, if nobody asked for that."""

    camera_id: str = ''
    lifecycle: int = UNCONFIGURED
    fault: str = ''


@dataclass(frozen=True)
class Report:
    """What was told, and what the metrics add to it; nothing of it changes any more."""

    status: Status
    wanted: bool  # whether it should be registered: it is active, or is not for a fault
    fill: float  # the fuller buffer's share of its bounds
    registered_seconds: float  # in all, since the node is there
    reconnects: Mapping[str, int]  # by cause
    at: float  # when it was made; seconds, monotonic


class Reporter:
    """Publishes the state of a node and its bridge."""

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self._name = f'{node.get_fully_qualified_name()}: link'
        self._status_publisher = create_publisher(node, Status, '~/status', qos.STATUS)
        self._diagnostics_publisher = create_publisher(
            node, DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        self._since = self._clock.now().to_msg()
        self._health = Health(time.monotonic())
        self.last: Report | None = None  # replaced as a whole: other threads read it
        self._registered_seconds = 0.0
        self._registered_at: float | None = None  # and counted up to then

    def report(self, node: NodeState, bridge: Bridge | None, state_changed: bool) -> None:
        """Publish the status, and the diagnostics unless it is only for a change of state."""
        status = self._status(node, bridge, state_changed)
        # Also if it says nothing new: not every tool subscribes transient local.
        self._status_publisher.publish(status)
        if not state_changed:
            self._diagnostics_publisher.publish(
                self._diagnostics(status, node.fault, bridge))
        self.last = self._report(status, node, bridge)

    def _report(self, status: Status, node: NodeState, bridge: Bridge | None) -> Report:
        now = time.monotonic()
        if self._registered_at is not None:
            self._registered_seconds += now - self._registered_at
        self._registered_at = now if _is_registered(status) else None
        return Report(
            status, node.lifecycle == ACTIVE or bool(node.fault),
            0.0 if bridge is None else bridge.outbox.fill(), self._registered_seconds,
            {} if bridge is None else dict(bridge.link.reconnect_causes), now)

    def _status(self, node: NodeState, bridge: Bridge | None, state_changed: bool) -> Status:
        now = self._clock.now().to_msg()
        if state_changed:
            self._since = now
        status = Status(
            header=to_ros.header(now), camera_id=node.camera_id, state=int(State.CLOSED),
            cause=clean(node.fault), since=self._since, lifecycle=node.lifecycle)
        if bridge is not None:
            if node.lifecycle == ACTIVE:
                status.state = int(bridge.link.state)
            status.cause = status.cause or bridge.link.cause
            _fill(status, bridge)
        return status

    def _diagnostics(
            self, status: Status, fault: str, bridge: Bridge | None) -> DiagnosticArray:
        registered = _is_registered(status)
        level, text = self._health.judge(Figures(
            active=status.lifecycle == ACTIVE, registered=registered,
            lifecycle=LABELS[status.lifecycle], fault=status.cause if fault else '',
            cause=status.cause, fill=0.0 if bridge is None else bridge.outbox.fill(),
            dropped=sum(count.count for count in status.dropped),
            spool_problem=status.spool if status.spool.startswith(DEGRADED) else '',
            untold=status.untold),
            time.monotonic())
        values = {
            **to_ros.status_values(status), 'state': State(status.state).name.lower(),
            'lifecycle': LABELS[status.lifecycle]}
        if registered:
            del values['cause']  # of the past
        return to_ros.diagnostics_to_ros(
            self._name, bytes([level]), text, values, status.camera_id, status.header.stamp)


def _is_registered(status: Status) -> bool:
    return status.state in (State.REGISTERED, State.STABLE)


def _fill(status: Status, bridge: Bridge) -> None:
    """Put in what a bridge has counted."""
    link, outbox = bridge.link, bridge.outbox
    status.session, status.reconnects = bridge.session.number, link.reconnects
    status.round_trip_time = link.round_trip_time
    status.boxes_queued, status.updates_queued = len(outbox.boxes), len(outbox.updates)
    status.boxes_queued_bytes = outbox.boxes.bytes
    status.updates_queued_bytes = outbox.updates.bytes
    status.boxes_queued_peak = outbox.boxes.peak
    status.oldest_age = outbox.oldest_age(time.monotonic())
    status.spool = bridge.spool.state
    status.boxes_accepted = outbox.boxes.accepted
    status.updates_accepted = outbox.updates.accepted
    status.boxes_lost, status.updates_lost = bridge.lost['boxes'], bridge.lost['updates']
    status.sent, status.acknowledged = outbox.sent, outbox.acknowledged
    status.dropped = to_ros.counts_to_ros(outbox.dropped)
    status.boxes_ids_former_session = outbox.boxes_ids_former_session
    status.rejected_outbound = to_ros.counts_to_ros(bridge.rejected)
    status.rejected_inbound = to_ros.counts_to_ros(bridge.inbound.rejected)
    status.starts = bridge.published['Start']
    status.stops = bridge.published['Stop']
    status.updates = bridge.published['Update']
    status.untold = len(bridge.session.untold)
