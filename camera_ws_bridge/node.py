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

"""The ROS node of one camera: topics, services and parameters, and nothing that decides."""

from __future__ import annotations

from collections.abc import Callable
import os
import random
import ssl
import time
from typing import Any

from camera_ws_bridge import auth, client, convert, parameters, qos, url, wire
from camera_ws_bridge.backoff import Backoff
from camera_ws_bridge.errors import EncodeError, LinkFault, MessageError
from camera_ws_bridge.frame_stamps import FrameStamps, Stamp
from camera_ws_bridge.limited_log import clean
from camera_ws_bridge.link import Connection, Link, Settings, State
from camera_ws_bridge.outbox import Item, Outbox, Policy
from camera_ws_bridge.runtime import Bridge, LoopThread
from camera_ws_bridge.session import Command, Session
from camera_ws_bridge.spool import Row
from camera_ws_bridge.spool_writer import DEGRADED, monotonic_time, SpoolWriter
from camera_ws_bridge_msgs.msg import Boxes, Start, Status, Stop, TrackedObjects, Update
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_srvs.srv import Trigger

UNREGISTERED_IS_ERROR_AFTER = 30.0  # seconds


class BridgeNode(Node):
    """One camera's bridge. Raises ConfigurationError for parameters that can never work."""

    def __init__(
            self, loop_thread: LoopThread, on_end: Callable[[LinkFault], None],
            **node_arguments: object) -> None:
        """`on_end` is called, in the loop's thread, when the link has given up."""
        super().__init__('camera_ws_bridge', **node_arguments)
        self.parameters = parameters.declare(self)
        self._status_key: object = None
        self._since = self.get_clock().now().to_msg()
        self._unregistered_since: float | None = time.monotonic()
        self._create_publishers()
        self.bridge = self._create_bridge(loop_thread, on_end)
        self._create_subscriptions()
        self.create_service(Trigger, '~/reconnect', self._on_reconnect)
        self.create_service(Trigger, '~/clear_buffer', self._on_clear_buffer)

    def start(self) -> None:
        """Begin to connect."""
        self.bridge.start()

    def shut_down(self) -> None:
        """Flush and close; destroy the node after this."""
        self.bridge.shut_down()

    # ---- construction

    def _create_publishers(self) -> None:
        commands = qos.commands(self.parameters.command_queue_depth)
        self._publishers_of = {
            Start: self.create_publisher(Start, '~/start', commands),
            Stop: self.create_publisher(Stop, '~/stop', commands),
            Update: self.create_publisher(Update, '~/update', commands),
        }
        self._status_publisher = self.create_publisher(Status, '~/status', qos.STATUS)
        self._tracked_publisher = self.create_publisher(
            TrackedObjects, '~/tracked_objects', qos.STATUS)
        self._diagnostics_publisher = self.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)

    def _create_subscriptions(self) -> None:
        overridable = QoSOverridingOptions.with_default_policies()
        for message_type, topic, callback, profile in (
                (Boxes, 'boxes', self._on_boxes, qos.BOXES),
                (Update, 'feature_map', self._on_feature_map, qos.FEATURE_MAP)):
            self.create_subscription(
                message_type, topic, callback, profile, qos_overriding_options=overridable,
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=self._incompatible_qos_reporter(topic)))

    def _create_bridge(
            self, loop_thread: LoopThread, on_end: Callable[[LinkFault], None]) -> Bridge:
        values = self.parameters
        options = client.Options(
            compression=values.compression,
            user_timeout=2 * values.heartbeat_timeout, tls_ca_file=values.tls_ca_file,
            tls_cert_file=values.tls_cert_file, tls_key_file=values.tls_key_file)
        tls: ssl.SSLContext | None = None
        if values.orchestrator_url.startswith('wss:'):
            tls = client.tls_context(options)

        tokens = auth.from_environment(os.environ, values.token_file, values.tls_ca_file)
        if tokens is not None:
            auth.check_transport(values.orchestrator_url, values.insecure_token_host)

        async def connect(timeout: float) -> Connection:
            return await client.connect(values.orchestrator_url, options, tls, timeout)

        outbox = Outbox(
            Policy(values.boxes_max_messages, values.boxes_max_bytes, values.boxes_max_age),
            Policy(values.updates_max_messages, values.updates_max_bytes,
                   newest_per_object=True))
        link = Link(
            Settings(
                camera_id=values.camera_id, peer=url.for_log(values.orchestrator_url),
                connect_timeout=values.connect_timeout, open_timeout=values.open_timeout,
                heartbeat_interval=values.heartbeat_interval,
                heartbeat_timeout=values.heartbeat_timeout,
                identify_interval=values.identify_interval,
                shutdown_timeout=values.shutdown_timeout, command_rate=values.command_rate,
                limits=wire.Limits(values.max_image_bytes, values.max_image_pixels)),
            outbox, Session(values.reconcile, lambda: self.get_clock().now().nanoseconds),
            Backoff(values.reconnect_delay_min, values.reconnect_delay_max, values.stable_after,
                    random.random),
            connect=connect, clock=time.monotonic, logger=self.get_logger(),
            on_command=lambda command: self.bridge.publish(command),
            on_state=lambda: self.bridge.state_changed(),
            token=None if tokens is None else tokens.token,
            on_token_rejected=None if tokens is None else tokens.rejected)
        return Bridge(
            link, FrameStamps(values.frame_history), loop_thread, self.get_logger(),
            spool=self._open_spool(outbox, loop_thread),
            publish=self._publish_command, publish_tracked=self._publish_tracked,
            report=self._report, on_end=on_end)

    def _open_spool(self, outbox: Outbox, loop_thread: LoopThread) -> SpoolWriter | None:
        """Open the spool, if there is to be one, and put what it holds into the buffer."""
        if not self.parameters.spool_path:
            return None
        log, camera_id = self.get_logger(), self.parameters.camera_id

        def put_back(rows: list[Row]) -> None:
            wall, monotonic = time.time(), time.monotonic()
            for lane in (outbox.updates, outbox.boxes):
                outbox.put_back(lane, [Item(
                    row.id, row.payload, monotonic_time(
                        row.accepted_at, wall=wall, monotonic=monotonic), row.object_id)
                    for row in rows if row.lane == lane.name])

        def on_late(rows: list[Row]) -> None:
            def accept() -> None:
                put_back(rows)
                self.bridge.link.wake()
            loop_thread.loop.call_soon_threadsafe(accept)

        def on_change(state: str, reason: str) -> None:
            if state == DEGRADED:
                log.error(f'{camera_id}: the spool cannot be written, the buffer is in memory '
                          f'only: {clean(reason)}')
            else:
                log.info(f'{camera_id}: the spool is in use again')

        spool, rows, outbox.next_id = SpoolWriter.open(
            self.parameters.spool_path, self.parameters.spool_max_bytes, on_change=on_change,
            on_report=lambda text: log.error(f'{camera_id}: {clean(text)}'), on_late=on_late)
        outbox.journal = spool
        put_back(rows)
        if rows:
            log.info(f'{camera_id}: {len(rows)} messages of an earlier life are in the spool')
        return spool

    # ---- ROS to orchestrator, in the executor's thread

    def _on_boxes(self, message: Boxes) -> None:
        try:
            payload = wire.encode_utf8(convert.boxes_from_ros(message))
        except MessageError as error:
            self.bridge.reject('boxes', error)
            return
        stamp = message.header.stamp
        self.bridge.submit_boxes(message.frame_id, (stamp.sec, stamp.nanosec), payload)

    def _on_feature_map(self, message: Update) -> None:
        try:
            update = convert.update_from_ros(message)
            if not update.feature_map:
                raise EncodeError('featureMap.featureMap', 'empty; nothing was extracted')
            payload = wire.encode_utf8(update)
        except MessageError as error:
            self.bridge.reject('feature_map', error)
            return
        self.bridge.submit_update(update, payload)

    def _on_reconnect(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.bridge.reconnect()
        response.success = True
        response.message = 'connecting anew'
        return response

    def _on_clear_buffer(
            self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        count = self.bridge.clear_buffer()
        response.success = True
        response.message = f'{count} messages dropped'
        return response

    def _incompatible_qos_reporter(self, topic: str) -> Callable[[Any], None]:
        def report(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)  # e.g. 'RELIABILITY'
            resolved = self.resolve_topic_name(topic)
            self.get_logger().warning(
                f'a publisher on {resolved} offers an incompatible {policy}: nothing of it '
                f'arrives. Change the publisher, or set the parameter '
                f'qos_overrides.{resolved}.subscription.{policy.lower()} of this node')
        return report

    # ---- orchestrator to ROS, in the loop's thread

    def _publish_command(self, command: Command, frame_stamp: Stamp) -> None:
        message = convert.command_to_ros(command, self.get_clock().now().to_msg(), frame_stamp)
        self._publishers_of[type(message)].publish(message)

    def _publish_tracked(self) -> None:
        self._tracked_publisher.publish(convert.tracked_to_ros(
            self.bridge.link.session, self.get_clock().now().to_msg()))

    def _report(self, state_changed: bool) -> None:
        status = self._status(state_changed)
        key = (
            status.state, status.cause, status.spool,
            status.boxes_accepted, status.updates_accepted,
            status.sent, status.acknowledged, status.starts, status.stops, status.updates,
            self.bridge.rejected.total(), self.bridge.link.rejected.total(),
            self.bridge.outbox.dropped.total())
        if state_changed or key != self._status_key:
            self._status_key = key
            self._status_publisher.publish(status)
        if not state_changed:
            self._diagnostics_publisher.publish(self._diagnostics(status))

    def _status(self, state_changed: bool) -> Status:
        link, outbox, published = self.bridge.link, self.bridge.outbox, self.bridge.published
        now = self.get_clock().now().to_msg()
        if state_changed:
            self._since = now
        return Status(
            header=convert.header(now), camera_id=link.settings.camera_id,
            state=int(link.state), cause=link.cause, since=self._since,
            session=link.session.number,
            reconnects=link.reconnects, round_trip_time=link.round_trip_time,
            boxes_queued=len(outbox.boxes), updates_queued=len(outbox.updates),
            boxes_queued_bytes=outbox.boxes.bytes, updates_queued_bytes=outbox.updates.bytes,
            boxes_queued_peak=outbox.boxes.peak,
            spool=self._spool_state(), oldest_age=outbox.oldest_age(time.monotonic()),
            boxes_accepted=outbox.boxes.accepted, updates_accepted=outbox.updates.accepted,
            sent=outbox.sent, acknowledged=outbox.acknowledged,
            dropped=convert.counts_to_ros(outbox.dropped),
            rejected_outbound=convert.counts_to_ros(self.bridge.rejected),
            rejected_inbound=convert.counts_to_ros(link.rejected),
            starts=published['Start'], stops=published['Stop'], updates=published['Update'])

    def _spool_state(self) -> str:
        spool = self.bridge.spool
        if spool is None:
            return ''
        return spool.state if spool.state != DEGRADED else f'{spool.state}: {clean(spool.reason)}'

    def _diagnostics(self, status: Status) -> DiagnosticArray:
        registered = status.state in (State.REGISTERED, State.STABLE)
        if registered:
            self._unregistered_since = None
            level, text = DiagnosticStatus.OK, 'registered'
        else:
            now = time.monotonic()
            self._unregistered_since = self._unregistered_since or now
            late = now - self._unregistered_since > UNREGISTERED_IS_ERROR_AFTER
            level = DiagnosticStatus.ERROR if late else DiagnosticStatus.WARN
            text = f'not registered ({status.cause or "first attempt"})'
        if status.spool.startswith(DEGRADED):
            level, text = DiagnosticStatus.ERROR, f'{text}; spool {status.spool}'
        return convert.diagnostics_to_ros(
            f'{self.get_fully_qualified_name()}: link', level, text,
            convert.status_values(status), status.camera_id, status.header.stamp)
