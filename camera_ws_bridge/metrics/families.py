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
All metrics: names, types and texts stand here, and how each comes from a report.

docs/operations.md has the table, deploy/monitoring uses the names; tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

PREFIX = 'camera_ws_bridge_'
CAMERA = ('camera', 'node')  # the labels of every sample of a camera
LIFECYCLE = {1: 'unconfigured', 2: 'inactive', 3: 'active', 4: 'finalized'}
STATES = ('connecting', 'authenticating', 'registered', 'stable', 'closed')
GAUGE, COUNTER, STATES_OF = 'gauge', 'counter', 'stateset'

Samples = Mapping[tuple[str, ...], float]  # values by the labels that are the metric's own


class Report(Protocol):
    """What a bridge has told of itself last; nothing of it changes any more."""

    status: Any  # a Status message
    wanted: bool  # whether it should be registered: it is active, or is not for a fault
    fill: float  # the fuller buffer's share of its bounds
    registered_seconds: float  # in all, since the node is there
    reconnects: Mapping[str, int]  # by cause
    at: float  # when it was made; seconds, monotonic


@dataclass(frozen=True)
class Family:
    """One metric; `labels` are those beside CAMERA."""

    name: str  # without PREFIX, and without the `_total` of a counter
    kind: str
    text: str
    samples: Callable[[Report], Samples]
    labels: tuple[str, ...] = ()


def _one(name: str) -> Callable[[Report], Samples]:
    """Return what takes a field of the status."""
    return lambda report: {(): getattr(report.status, name)}


def _each(**names: str) -> Callable[[Report], Samples]:
    """Return what takes several fields of the status, by label."""
    return lambda report: {
        (label,): getattr(report.status, name) for label, name in names.items()}


def _is_registered(report: Report) -> bool:
    return STATES[report.status.state] in ('registered', 'stable')


def _by_cause(counts: Sequence[Any]) -> dict[tuple[str, ...], float]:
    return {(count.cause,): count.count for count in counts}


def _rejected(report: Report) -> Samples:
    return {
        (side, cause): count for side, counts in (
            ('from_ros', report.status.rejected_outbound),
            ('from_orchestrator', report.status.rejected_inbound))
        for (cause,), count in _by_cause(counts).items()}


def _chosen(names: Sequence[str], chosen: str) -> Samples:
    return {(name,): name == chosen for name in names}


FAMILIES = (
    Family('registered', GAUGE, 'Whether the camera is registered at the orchestrator.',
           lambda report: {(): _is_registered(report)}),
    Family('wanted', GAUGE, 'Whether it should be: the node is active, or is not for a fault.',
           lambda report: {(): report.wanted}),
    Family('state', STATES_OF, 'State of the connection, as in Status.',
           lambda report: _chosen(STATES, STATES[report.status.state])),
    Family('lifecycle', STATES_OF, 'State of the node.',
           lambda report: _chosen(
               [*LIFECYCLE.values()], LIFECYCLE.get(report.status.lifecycle, ''))),
    Family('registered_seconds', COUNTER, 'Seconds for which the camera was registered.',
           lambda report: {(): report.registered_seconds}),
    Family('reconnects', COUNTER, 'Registrations anew, by what had ended the one before.',
           lambda report: {(cause,): count for cause, count in report.reconnects.items()},
           ('cause',)),
    Family('round_trip_seconds', GAUGE, 'Round-trip time of the newest answered ping; 0: none.',
           _one('round_trip_time')),
    Family('queued_messages', GAUGE, 'Messages in the buffer, not acknowledged yet.',
           _each(boxes='boxes_queued', updates='updates_queued'), ('kind',)),
    Family('queued_bytes', GAUGE, 'Bytes of those messages.',
           _each(boxes='boxes_queued_bytes', updates='updates_queued_bytes'), ('kind',)),
    Family('buffer_fill_ratio', GAUGE, 'How full the fuller buffer is, of messages or bytes.',
           lambda report: {(): report.fill}),
    Family('oldest_queued_seconds', GAUGE, 'Age of the oldest message in the buffer; 0: empty.',
           _one('oldest_age')),
    Family('accepted_messages', COUNTER, 'Messages accepted from ROS.',
           _each(boxes='boxes_accepted', updates='updates_accepted'), ('kind',)),
    Family('sent_messages', COUNTER, 'Messages written to the WebSocket, repeats included.',
           _one('sent')),
    Family('acknowledged_messages', COUNTER, 'Messages acknowledged by the orchestrator.',
           _one('acknowledged')),
    Family('dropped_messages', COUNTER, 'Accepted messages that were given up, by cause.',
           lambda report: _by_cause(report.status.dropped), ('cause',)),
    Family('rejected_messages', COUNTER, 'Messages refused as invalid, by side and cause.',
           _rejected, ('side', 'cause')),
    Family('lost_messages', COUNTER, 'Messages published in ROS that did not arrive.',
           _each(boxes='boxes_lost', updates='updates_lost'), ('kind',)),
    Family('former_session_boxes', COUNTER, 'Boxes sent without ids of a former session.',
           _one('boxes_ids_former_session')),
    Family('commands', COUNTER, 'Commands published to ROS.',
           _each(start='starts', stop='stops', update='updates'), ('command',)),
    Family('untold_objects', GAUGE, 'Tracked objects for which there is no room.',
           _one('untold')),
    Family('session', GAUGE, 'Number of the session; it changes when the orchestrator restarts.',
           _one('session')),
    Family('spool_degraded', GAUGE, 'Whether the spool cannot be written.',
           lambda report: {(): report.status.spool.startswith('degraded')}),
)
AGE = 'status_age_seconds'
AGE_TEXT = 'Seconds since the bridge has told of itself; it does so every second.'
TIME = 'time_seconds'
TIME_TEXT = "This machine's clock, in seconds since 1970."
