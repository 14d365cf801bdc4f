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

"""The bridge's messages, state and counters to ROS messages."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from builtin_interfaces.msg import Time
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.tracking.frame_stamps import Stamp
from camera_ws_bridge.tracking.tracked_objects import Command, Session
from camera_ws_bridge_msgs import msg as ros
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header


def command_to_ros(
        command: Command, stamp: Time, frame_stamp: Stamp) -> ros.Start | ros.Stop | ros.Update:
    """Return the command as the message of its topic; stamp: when it arrived."""
    message = command.message
    result: ros.Start | ros.Stop | ros.Update
    if isinstance(message, Start):
        result = _start_to_ros(message, frame_stamp)
    elif isinstance(message, Stop):
        result = ros.Stop()
        result.reason = ros.Stop.RECONCILED if command.reconciled else ros.Stop.REQUESTED
    else:
        result = ros.Update()
        result.feature_map = array('d', message.feature_map)
    result.header.stamp = stamp
    result.sequence = command.sequence
    result.session = command.session
    result.object_id = message.object_id
    return result


def _start_to_ros(message: Start, frame_stamp: Stamp) -> ros.Start:
    result = ros.Start()
    if message.frame_id is not None and message.box_id is not None:
        result.has_frame = True
        result.frame_id = float(message.frame_id)
        result.box_id = message.box_id
        result.frame_stamp.sec, result.frame_stamp.nanosec = frame_stamp
    if message.image is not None:
        result.image.format = 'png'
        result.image.data = array('B', message.image)
    result.frame_problem, result.image_problem = message.frame_problem, message.image_problem
    return result


def tracked_to_ros(session: Session, stamp: Time) -> ros.TrackedObjects:
    """Return all objects that are tracked now; the session's clock must be ROS time."""
    result = ros.TrackedObjects(header=header(stamp), session=session.number)
    for object_id, tracked in sorted(session.tracked.items()):
        seconds, nanoseconds = divmod(tracked.since, 10**9)
        result.objects.append(ros.TrackedObject(
            object_id=object_id, feature_map=array('d', tracked.feature_map),
            since=Time(sec=seconds, nanosec=nanoseconds)))
    return result


def header(stamp: Time) -> Header:
    """Return a header without a frame."""
    return Header(stamp=stamp)


def counts_to_ros(counts: Mapping[str, int]) -> list[ros.Count]:
    """Return counters by cause, in the order of the causes' names."""
    return [ros.Count(cause=cause, count=count) for cause, count in sorted(counts.items())]


def diagnostics_to_ros(
        name: str, level: bytes, message: str, values: Mapping[str, object],
        hardware_id: str, stamp: Time) -> DiagnosticArray:
    """Return one diagnostic status, as the diagnostics tools expect it."""
    status = DiagnosticStatus(level=level, name=name, message=message, hardware_id=hardware_id)
    status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    result = DiagnosticArray(status=[status])
    result.header.stamp = stamp
    return result


def status_values(status: ros.Status) -> dict[str, object]:
    """Return the figures of a status by name, for people who read diagnostics."""
    values: dict[str, object] = {}
    for name in status.get_fields_and_field_types():
        value = getattr(status, name)
        if name in ('header', 'since', 'camera_id'):
            continue
        if isinstance(value, list):  # counts by cause
            values.update({f'{name}.{count.cause}': count.count for count in value})
        else:
            values[name] = value
    return values
