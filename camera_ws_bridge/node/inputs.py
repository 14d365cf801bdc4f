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

"""The subscriptions: what comes from the detection / re-ID node, in the executor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from camera_ws_bridge import convert, qos, wire
from camera_ws_bridge.errors import EncodeError, MessageError
from camera_ws_bridge.runtime import Bridge
from camera_ws_bridge_msgs.msg import Boxes, Update
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions


def subscribe(
        node: Node, message_type: type, topic: str, callback: Callable[[Any], None],
        profile: QoSProfile) -> None:
    """Subscribe with a profile that parameters may override; report publishers that miss it."""
    def report(event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)  # e.g. 'RELIABILITY'
        resolved = node.resolve_topic_name(topic)
        node.get_logger().warning(
            f'a publisher on {resolved} offers an incompatible {policy}: nothing of it '
            f'arrives. Change the publisher, or set the parameter '
            f'qos_overrides.{resolved}.subscription.{policy.lower()} of this node')

    node.create_subscription(
        message_type, topic, callback, profile,
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=report))


def subscribe_boxes(node: Node, bridge: Bridge) -> None:
    """Hand every boxes message that the protocol can carry to the bridge."""
    def on_boxes(message: Boxes) -> None:
        try:
            payload = wire.encode_utf8(convert.boxes_from_ros(message))
        except MessageError as error:
            bridge.reject('boxes', error)
            return
        stamp = message.header.stamp
        bridge.submit_boxes(message.frame_id, (stamp.sec, stamp.nanosec), payload)

    subscribe(node, Boxes, 'boxes', on_boxes, qos.BOXES)


def subscribe_feature_map(node: Node, bridge: Bridge) -> None:
    """Hand every feature map that the re-ID node extracted to the bridge."""
    def on_feature_map(message: Update) -> None:
        try:
            update = convert.update_from_ros(message)
            if not update.feature_map:
                raise EncodeError('featureMap.featureMap', 'empty; nothing was extracted')
            payload = wire.encode_utf8(update)
        except MessageError as error:
            bridge.reject('feature_map', error)
            return
        bridge.submit_update(update, payload)

    subscribe(node, Update, 'feature_map', on_feature_map, qos.FEATURE_MAP)
