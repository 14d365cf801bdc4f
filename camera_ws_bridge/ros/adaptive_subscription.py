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

"""One subscription that reliable and best-effort publishers both reach."""

from __future__ import annotations

from collections.abc import Callable
import time

from camera_ws_bridge.ros import features, qos
from camera_ws_bridge.ros.duplicate_filter import DuplicateFilter, ONE, OTHER
from camera_ws_bridge.ros.endpoints import create_subscription
from camera_ws_bridge.ros.sequence_gaps import SequenceGaps
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import Subscription

REMEMBERED = 2000  # messages; more than any two queues differ
CALM = 5.0  # seconds without a change of publishers; see camera_ws_bridge.ros.shelf


class AdaptiveSubscription:
    """
    Hands on the bytes of each message once, whoever publishes it.

    DDS has no reader that is reliable towards those who can be and takes what comes from the rest.
    So there is a reliable one, and a best-effort one beside it while a best-effort publisher is on
    the topic. A single one, reliable or not as the publishers are, would lose of a reliable one
    what the network loses, while a best-effort one is on the topic (measured: 31 of 600 messages
    at 5 % lost packets, against none), and could not change without a gap. The second one hears
    the reliable publishers too; duplicates are dropped by their bytes, because whose a message is
    does not come through rclpy, and its number alone says little. A reliability other than
    BEST_AVAILABLE, from the user, is taken as it is.
    """

    def __init__(
            self, node: Node, message_type: type, topic: str, callback: Callable[[bytes], None],
            profile: QoSProfile) -> None:
        """Raise ConfigurationError for QoS overrides that are none."""
        self._node = node
        self.message_type = message_type
        self.topic = topic  # resolved twice, it could be another
        self._resolved = node.resolve_topic_name(topic)
        self._callback = callback
        self._adapts = False
        self._best_effort: Subscription | None = None
        self._duplicates = DuplicateFilter(REMEMBERED)
        self._gaps = SequenceGaps()
        self._paused = False
        self._publishers: frozenset[bytes] = frozenset()  # at the last look
        self._changed_at = time.monotonic()  # when these, or whether it is paused, changed
        self._main = create_subscription(
            node, message_type, topic, features.numbered(self._on_main), profile, raw=True,
            on_profile=self._resolve)
        self.look()

    def mismatch(self, publisher: QoSProfile) -> str:
        """Return why nothing arrives from such a publisher; empty: it does."""
        return qos.mismatch(
            publisher, self._second_profile if self._adapts else self._profile)

    def look(self) -> int:
        """
        Follow the publishers, and return how many messages did not come since the last look.

        Call this every second or so, for they may change at any time.
        """
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        gids = frozenset(bytes(peer.endpoint_gid) for peer in publishers)
        if gids != self._publishers:
            self._publishers, self._changed_at = gids, time.monotonic()
        if self._adapts and not self._paused:
            self._adapt([peer.qos_profile for peer in publishers])
        return self._gaps.look(gids)

    @property
    def is_calm(self) -> bool:
        """Tell whether no publisher has come or gone for a while, and nobody has asked for it."""
        return time.monotonic() - self._changed_at >= CALM

    def pause(self) -> None:
        """Take nothing more, but stay subscribed."""
        self._callback, self._paused, self._changed_at = _drop, True, time.monotonic()

    def resume(self, callback: Callable[[bytes], None]) -> None:
        """Hand on to this callback what comes from now on."""
        self._callback, self._paused, self._changed_at = callback, False, time.monotonic()
        self._duplicates = DuplicateFilter(REMEMBERED)
        self._gaps = SequenceGaps()
        self.look()

    def destroy(self) -> None:
        """Subscribe no more."""
        for subscription in (self._main, self._best_effort):
            if subscription is not None:
                self._node.destroy_subscription(subscription)

    def _resolve(self, profile: QoSProfile) -> None:
        # The middleware's own meaning of BEST_AVAILABLE looks at the publishers only once.
        self._adapts = profile.reliability == features.BEST_AVAILABLE
        if self._adapts:
            profile.reliability = QoSReliabilityPolicy.RELIABLE
        self._profile = profile
        self._second_profile = qos.copy_of(
            profile, reliability=QoSReliabilityPolicy.BEST_EFFORT)

    def _on_main(self, message: bytes, number: int | None) -> None:
        if self._best_effort is None or self._duplicates.is_news(ONE, hash(message)):
            self._gaps.note(number)
            self._callback(message)

    def _on_best_effort(self, message: bytes, number: int | None) -> None:
        if self._duplicates.is_news(OTHER, hash(message)):
            self._gaps.note(number)
            self._callback(message)

    def _adapt(self, publishers: list[QoSProfile]) -> None:
        needed = any(
            qos.mismatch(publisher, self._profile)
            and not qos.mismatch(publisher, self._second_profile) for publisher in publishers)
        if needed and self._best_effort is None:
            self._begin()
        elif not needed and self._best_effort is not None and self.is_calm:
            self._end()  # not at once: its last messages may still be in the queue

    def _begin(self) -> None:
        self._duplicates = DuplicateFilter(REMEMBERED)
        self._best_effort = self._node.create_subscription(
            self.message_type, self.topic, features.numbered(self._on_best_effort),
            self._second_profile, raw=True, event_callbacks=features.NO_SUBSCRIPTION_EVENTS)
        self._log('a best-effort publisher is there: subscribed best-effort as well')

    def _end(self) -> None:
        self._node.destroy_subscription(self._best_effort)
        self._best_effort = None
        self._log('no best-effort publisher is left: subscribed reliable only')

    def _log(self, text: str) -> None:
        self._node.get_logger().info(f'{self._resolved}: {text}')


def _drop(message: bytes) -> None:
    pass
