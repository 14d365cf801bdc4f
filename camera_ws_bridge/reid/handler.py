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

"""One import for authors of re-ID nodes: the commands of a bridge, each once and in order."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
import threading
import time
from typing import Any

from builtin_interfaces.msg import Time
from camera_ws_bridge.reid.events import Command, Event, Kind, Listed
from camera_ws_bridge.reid.follower import Follower
from camera_ws_bridge.reid.in_order import GAP
from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Start, Stop, TrackedObjects, Update
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

DEPTH = 1000  # commands that may come while a callback works


class ReidHandler:
    """
    Calls back for every command of one bridge, in the order of `sequence` over the three topics.

        handler = ReidHandler(node, on_start, on_stop, on_update, on_session)

    on_start(Start): extract the feature map of this object, and publish() it.
    on_update(Update): look for this object; without a feature map: it is tracked, none is known.
    on_stop(Stop): forget this object; it is one that you were told of.
    on_session(number): all that you were told of is stopped; object ids begin anew.

    It begins with what is tracked already: an update for each object, and the start of those that
    nobody has extracted yet. Where a command was missed, or the bridge was restarted, it calls
    on_stop and on_update for what has changed: these messages have the sequence 0.

    No two callbacks run at the same time, on any executor. The other methods may be called from
    any thread. A callback that raises has had its message.
    """

    def __init__(
            self, node: Node, on_start: Callable[[Start], None],
            on_stop: Callable[[Stop], None], on_update: Callable[[Update], None],
            on_session: Callable[[int], None] | None = None,
            bridge: str = 'camera_ws_bridge') -> None:
        """Subscribe to all topics of a bridge, which is named as seen from the node."""
        self._node = node
        self._callbacks: dict[Kind, Callable[[Any], None]] = {
            Kind.START: on_start, Kind.STOP: on_stop, Kind.UPDATE: on_update,
            Kind.SESSION: on_session or (lambda number: None)}
        self._follower = Follower()
        self._events: deque[Event] = deque()
        self._unheard: dict[int, Update] = {}  # by object id: what nobody could hear yet
        self._lock = threading.Lock()  # of follower and unheard
        self._publisher = node.create_publisher(Update, 'feature_map', qos.FEATURE_MAP)
        group = MutuallyExclusiveCallbackGroup()
        self._subscriptions = [
            node.create_subscription(
                message_type, f'{bridge}/{name}', callback, profile, callback_group=group)
            for message_type, name, callback, profile in (
                (TrackedObjects, 'tracked_objects', self._on_list, qos.STATUS),
                (Start, 'start', self._on_start, qos.commands(DEPTH)),
                (Stop, 'stop', self._on_stop, qos.commands(DEPTH)),
                (Update, 'update', self._on_update, qos.commands(DEPTH)))]
        self._timer = node.create_timer(
            GAP / 2, self._on_tick, callback_group=group,
            clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def session(self) -> int:
        """Return the number of the session that was told last; 0: nothing was told yet."""
        with self._lock:
            return self._follower.objects.session or 0

    def publish(self, command: Start | Update, feature_map: Iterable[float]) -> bool:
        """
        Publish what was extracted of an object; return False if it is not tracked any more.

        Where no bridge is subscribed yet, it waits until one is, as long as the object is tracked.
        """
        numbers = array('d', feature_map)
        with self._lock:
            tracked = self._follower.objects.extracted(
                command.session, command.object_id, numbers)
            if tracked:
                self._unheard[command.object_id] = Update(
                    session=command.session, object_id=command.object_id, feature_map=numbers)
                self._publish_unheard()
        return tracked

    def destroy(self) -> None:
        """Leave all topics."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    # ---- what arrives: one at a time, see the callback group

    def _on_start(self, message: Start) -> None:
        self._on_command(Kind.START, message)

    def _on_stop(self, message: Stop) -> None:
        self._on_command(Kind.STOP, message)

    def _on_update(self, message: Update) -> None:
        self._on_command(Kind.UPDATE, message, message.feature_map)

    def _on_command(self, kind: Kind, message: Any, feature_map: Any = ()) -> None:
        command = Command(
            kind, message.sequence, message.session, message.object_id,
            _nanoseconds(message.header.stamp), feature_map, message)
        with self._lock:
            self._events += self._follower.on_command(command, time.monotonic())
        self._tell()

    def _on_list(self, message: TrackedObjects) -> None:
        listed = Listed(
            message.session, _nanoseconds(message.header.stamp),
            {found.object_id: found.feature_map for found in message.objects})
        with self._lock:
            self._events += self._follower.on_list(listed, time.monotonic())
        self._tell()

    def _on_tick(self) -> None:
        with self._lock:
            self._events += self._follower.on_tick(time.monotonic())
            self._publish_unheard()
        self._tell()

    def _publish_unheard(self) -> None:
        # A start that the bridge remembers comes at once; DDS may find the way back only later.
        if self._unheard and self._publisher.get_subscription_count():
            for message in self._unheard.values():
                if self._follower.objects.is_tracked(message.session, message.object_id):
                    self._publisher.publish(message)
            self._unheard.clear()

    def _tell(self) -> None:
        while self._events:
            event = self._events.popleft()
            self._callbacks[event.kind](self._message(event))

    def _message(self, event: Event) -> Any:
        if event.message is not None:
            return event.message
        if event.kind is Kind.SESSION:
            return event.session
        message = Stop(reason=Stop.RECONCILED) if event.kind is Kind.STOP else Update(
            feature_map=event.feature_map)
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.session, message.object_id = event.session, event.object_id
        return message


def _nanoseconds(stamp: Time) -> int:
    return int(stamp.sec * 10**9 + stamp.nanosec)
