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
Publishers and subscriptions whose QoS can be overridden, and that tell of peers that do not fit.

`qos_overrides.<topic>.<publisher|subscription>.<policy>` are the parameters, as everywhere in ROS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.ros import qos
from rcl_interfaces.msg import SetParametersResult
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo


class Peers:
    """The other side of a topic, as seen by one publisher or subscription of this node."""

    def __init__(self, node: Node, topic: str, entity: str, profile: QoSProfile) -> None:
        """entity: PUBLISHER or SUBSCRIPTION, what this node has; profile: of that."""
        self._node = node
        self._topic = topic
        self._entity = entity
        self._profile = profile
        self._told: set[bytes] = set()

    def misfits(self) -> list[tuple[TopicEndpointInfo, str]]:
        """Return the peers that nothing passes to or from, each with the reason."""
        if self._entity == qos.PUBLISHER:
            pairs = [(peer, (self._profile, peer.qos_profile)) for peer in
                     self._node.get_subscriptions_info_by_topic(self._topic)]
        else:
            pairs = [(peer, (peer.qos_profile, self._profile)) for peer in
                     self._node.get_publishers_info_by_topic(self._topic)]
        judged = [(peer, qos.mismatch(*pair)) for peer, pair in pairs]
        return [(peer, reason) for peer, reason in judged if reason]

    def report(self) -> None:
        """Warn of each peer that does not fit, once."""
        misfits = self.misfits()
        for peer, reason in misfits:
            if bytes(peer.endpoint_gid) not in self._told:
                self._node.get_logger().warning(self._text(peer, reason))
        self._told = {bytes(peer.endpoint_gid) for peer, _ in misfits}

    def _text(self, peer: TopicEndpointInfo, reason: str) -> str:
        topic = self._node.resolve_topic_name(self._topic)
        if self._entity == qos.PUBLISHER:
            who, what, offered, requested = (
                'subscription', 'reaches', self._profile, peer.qos_profile)
        else:
            who, what, offered, requested = (
                'publisher', 'arrives from', peer.qos_profile, self._profile)
        # Right after its discovery an endpoint's node may not be known yet.
        name = '' if 'UNKNOWN' in peer.node_name else f' of node {peer.node_name}'
        to_set = qos.to_set(topic, self._entity, self._profile, peer.qos_profile)
        return (
            f'incompatible QoS: nothing {what} a {who} on {topic}{name}: {reason}. '
            f'Offered: {qos.describe(offered)}; requested: {qos.describe(requested)}. '
            f'Change the {who}' + (
                f', or set the parameter {" and ".join(to_set)} of this node' if to_set else ''))


def create_publisher(
        node: Node, message_type: type, topic: str, profile: QoSProfile) -> Publisher:
    """Create a publisher; raise ConfigurationError for an override that is none."""
    profile = qos.copy_of(profile)
    peers = Peers(node, topic, qos.PUBLISHER, profile)
    return _create(node, topic, lambda: node.create_publisher(
        message_type, topic, profile,
        qos_overriding_options=QoSOverridingOptions(qos.OVERRIDABLE, callback=_check),
        event_callbacks=PublisherEventCallbacks(incompatible_qos=lambda _: peers.report())))


def create_subscription(
        node: Node, message_type: type, topic: str, callback: Callable[[Any], None],
        profile: QoSProfile, *, raw: bool = False,
        on_profile: Callable[[QoSProfile], None] = lambda _: None,
        on_incompatible: Callable[[], None] | None = None) -> Subscription:
    """
    Create a subscription; raise ConfigurationError for an override that is none.

    raw: callback gets the message's bytes; on_profile is called with the profile once the
    overrides are in it and may change it; on_incompatible replaces the warnings.
    """
    profile = qos.copy_of(profile)
    peers = Peers(node, topic, qos.SUBSCRIPTION, profile)

    def resolved(profile: QoSProfile) -> SetParametersResult:
        on_profile(profile)
        return _check(profile)

    return _create(node, topic, lambda: node.create_subscription(
        message_type, topic, callback, profile, raw=raw,
        qos_overriding_options=QoSOverridingOptions(qos.OVERRIDABLE, callback=resolved),
        event_callbacks=SubscriptionEventCallbacks(
            incompatible_qos=lambda _: (on_incompatible or peers.report)())))


def _check(profile: QoSProfile) -> SetParametersResult:
    fits = 1 <= profile.depth < 2**31  # else the middleware fails without a word to users
    return SetParametersResult(successful=fits, reason='' if fits else 'depth is out of range')


def _create(node: Node, topic: str, create: Callable[[], Any]) -> Any:
    try:
        return create()
    except (RuntimeError, InvalidQosOverridesError, InvalidParameterTypeException) as error:
        if 'override' not in str(error):
            raise
        raise ConfigurationError(
            f'qos_overrides.{node.resolve_topic_name(topic)}.*', str(error)) from None
