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
Endpoints that are not needed now: they are silent, and destroyed in a calm moment.

Fast DDS crashes where a reader is destroyed while a publisher of its topic is being discovered:
its listener is taken away between two looks at it (eProsima/Fast-DDS#3303, open). Nothing in a
node can see that moment. So no subscription is destroyed while publishers come and go; one that
is needed again meanwhile is the same one. And Fast DDS never forgets a publisher that anybody has
heard, about 100 bytes each: publishers that are needed again soon are the same ones as well.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
import time
from typing import Protocol, TypeVar

from camera_ws_bridge.ros import adaptive_subscription
from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
from rclpy.node import Node
from rclpy.qos import QoSProfile

T = TypeVar('T', bound='Shelved')


class Shelved(Protocol):
    """What can lie on a shelf."""

    @property
    def is_calm(self) -> bool:
        """Tell whether it may be destroyed now, for all it knows."""

    def look(self) -> object:
        """Look around, for what it knows."""

    def destroy(self) -> None:
        """Take it away for good."""


class Shelf:
    """Where a node's endpoints come from, and go to."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._shelved: dict[str, tuple[Shelved, Hashable, float]] = {}

    def take(self, kind: type[T], name: str, like: Hashable) -> T | None:
        """Return what lies there by this name, if it is what is needed; else there is none."""
        if name not in self._shelved:
            return None
        found, its_like, _ = self._shelved.pop(name)
        if isinstance(found, kind) and its_like == like:
            return found
        found.destroy()  # nobody can have both; and this is rare: a parameter has changed
        return None

    def leave(self, shelved: Shelved, name: str, like: Hashable) -> None:
        """Put it there, silent; like: what it must have in common with what is needed again."""
        self._shelved[name] = shelved, like, time.monotonic()

    def subscribe(
            self, message_type: type, topic: str, callback: Callable[[bytes], None],
            profile: QoSProfile) -> AdaptiveSubscription:
        """
        Subscribe; raise ConfigurationError for QoS overrides that are none.

        profile: always the same for a topic.
        """
        found = self.take(AdaptiveSubscription, topic, message_type)
        if found is not None:
            found.resume(callback)
            return found
        return AdaptiveSubscription(self._node, message_type, topic, callback, profile)

    def unsubscribe(self, subscription: AdaptiveSubscription) -> None:
        """Take nothing more from it."""
        subscription.pause()
        self.leave(subscription, subscription.topic, subscription.message_type)

    def look(self) -> None:
        """Destroy what may be destroyed; call this every second or so."""
        for name, (shelved, _, since) in [*self._shelved.items()]:
            shelved.look()
            rested = time.monotonic() - since >= adaptive_subscription.CALM
            if rested and shelved.is_calm:
                del self._shelved[name]
                shelved.destroy()
