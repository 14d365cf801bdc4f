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
Endpoints that a node's own publishers and subscriptions are cut off from.

They are found by looking at the graph, now and then, for as long as the node lives. The
middleware's events would tell at once, but also before the graph knows whom, and see
camera_ws_bridge.ros.features for what else they do.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from camera_ws_bridge.ros import features, qos
from rclpy.node import Node
from rclpy.qos import QoSProfile


class Misfits:
    """Warns of each endpoint of others that nothing passes to or from, once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._seen: set[bytes] = set()  # at the last look, by their gids
        self._told: set[bytes] = set()

    def look(self) -> None:
        """
        Warn of those that were there at the last look as well, and have not been told of.

        Call this every second or so.
        """
        found: dict[bytes, str] = {}
        # Most of the time the two counts say that there is nothing to look for.
        for publisher in self._node.publishers:
            if publisher.get_subscription_count() != self._node.count_subscribers(
                    publisher.topic_name):
                self._judge(found, qos.PUBLISHER, [publisher],
                            self._node.get_subscriptions_info_by_topic(publisher.topic))
        by_topic = defaultdict(list)
        for subscription in self._node.subscriptions:
            by_topic[subscription.topic_name].append(subscription)
        for topic, subscriptions in by_topic.items():
            publishers = self._node.count_publishers(topic)
            if any(features.publishers_matched(ours) != publishers for ours in subscriptions):
                self._judge(found, qos.SUBSCRIPTION, subscriptions,
                            self._node.get_publishers_info_by_topic(subscriptions[0].topic))
        for gid, text in found.items():
            # Its node's name may come later than itself, and our side may just be adapting.
            if gid in self._seen and gid not in self._told:
                self._node.get_logger().warning(text)
                self._told.add(gid)
        self._seen = {*found}
        self._told &= self._seen

    def _judge(
            self, found: dict[bytes, str], entity: str, ours: list[Any], peers: list[Any]) -> None:
        for peer in peers:
            reasons = [
                qos.mismatch(own.qos_profile, peer.qos_profile) if entity == qos.PUBLISHER
                else qos.mismatch(peer.qos_profile, own.qos_profile) for own in ours]
            if all(reasons):
                found[bytes(peer.endpoint_gid)] = _text(
                    ours[0].topic_name, entity, ours[0].qos_profile, peer, reasons[0])


def _text(topic: str, entity: str, own: QoSProfile, peer: Any, reason: str) -> str:
    if entity == qos.PUBLISHER:
        who, what, offered, requested = 'subscription', 'reaches', own, peer.qos_profile
    else:
        who, what, offered, requested = 'publisher', 'arrives from', peer.qos_profile, own
    name = '' if 'UNKNOWN' in peer.node_name else f' of node {peer.node_name}'
    to_set = qos.to_set(topic, entity, own, peer.qos_profile)
    return (
        f'incompatible QoS: nothing {what} a {who} on {topic}{name}: {reason}. '
        f'Offered: {qos.describe(offered)}; requested: {qos.describe(requested)}. '
        f'Change the {who}' + (
            f', or set the parameter {" and ".join(to_set)} of this node' if to_set else ''))
