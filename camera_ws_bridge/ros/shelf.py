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
Subscriptions that are not needed now: they take nothing, and are destroyed in a calm moment.

Fast DDS crashes where a reader is destroyed while a publisher of its topic is being discovered:
its listener is taken away between two looks at it (eProsima/Fast-DDS#3303, open). Nothing in a
node can see that moment. So no subscription is destroyed while publishers come and go; one that
is needed again meanwhile is the same one.
"""

from __future__ import annotations

from collections.abc import Callable

from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
from rclpy.node import Node
from rclpy.qos import QoSProfile


class Shelf:
    """Where a node's adaptive subscriptions come from, and go to."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._shelved: dict[str, AdaptiveSubscription] = {}

    def subscribe(
            self, message_type: type, topic: str, callback: Callable[[bytes], None],
            profile: QoSProfile) -> AdaptiveSubscription:
        """
        Subscribe; raise ConfigurationError for QoS overrides that are none.

        profile: always the same for a topic.
        """
        found = self._shelved.pop(topic, None)
        if found is not None and found.message_type is message_type:
            found.resume(callback)
            return found
        if found is not None:
            found.destroy()  # nobody can have both; and this is rare: a parameter has changed
        return AdaptiveSubscription(self._node, message_type, topic, callback, profile)

    def leave(self, subscription: AdaptiveSubscription) -> None:
        """Take nothing more from it."""
        subscription.pause()
        self._shelved[subscription.topic] = subscription

    def look(self) -> None:
        """Destroy what may be destroyed; call this every second or so."""
        for topic, subscription in [*self._shelved.items()]:
            subscription.look()
            if subscription.is_calm:
                del self._shelved[topic]
                subscription.destroy()
