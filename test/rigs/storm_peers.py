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
Publishers and subscriptions that come and go on a bridge's topics, with every QoS; a process.

  python3 storm_peers.py SEED PERIOD KIND NAMESPACE...

KIND: `one` (a best-effort publisher of feature_map, again and again) or `every` (all there are).
It ends with its standard input.
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
from typing import Any

from camera_ws_bridge_msgs.msg import Boxes, Start, Status, Stop, TrackedObjects, Update
import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import (
    QoSDurabilityPolicy, QoSLivelinessPolicy, QoSProfile, QoSReliabilityPolicy)

AT_A_TIME = 6  # peers
OF_BRIDGE = {'start': Start, 'stop': Stop, 'update': Update, 'tracked_objects': TrackedObjects,
             'status': Status}


def profiles() -> list[QoSProfile]:
    """Return profiles with every combination of policies that can keep two ends apart."""
    return [
        QoSProfile(depth=5, reliability=reliability, durability=durability, deadline=deadline,
                   liveliness=liveliness)
        for reliability, durability, deadline, liveliness in itertools.product(
            (QoSReliabilityPolicy.RELIABLE, QoSReliabilityPolicy.BEST_EFFORT),
            (QoSDurabilityPolicy.VOLATILE, QoSDurabilityPolicy.TRANSIENT_LOCAL),
            (Duration(), Duration(seconds=1)),
            (QoSLivelinessPolicy.AUTOMATIC, QoSLivelinessPolicy.MANUAL_BY_TOPIC))]


class Peer:
    """One publisher or subscription."""

    def __init__(self, node: Node, chance: random.Random, namespace: str, kind: str) -> None:
        self._node = node
        self._publisher: Any = None
        self._subscription: Any = None
        name, profile = chance.choice(['boxes', 'feature_map', *OF_BRIDGE]), chance.choice(
            profiles())
        if kind == 'one':
            name, profile = 'feature_map', QoSProfile(
                depth=5, reliability=QoSReliabilityPolicy.BEST_EFFORT)
        if name in OF_BRIDGE:
            self._subscription = node.create_subscription(
                OF_BRIDGE[name], f'{namespace}/camera_ws_bridge/{name}', lambda _: None, profile)
        else:
            self._type = Boxes if name == 'boxes' else Update
            self._publisher = node.create_publisher(self._type, f'{namespace}/{name}', profile)

    def speak(self) -> None:
        """Publish something, if it is a publisher."""
        if self._publisher is not None:
            self._publisher.publish(self._type())

    def leave(self) -> None:
        """Be gone."""
        if self._publisher is not None:
            self._node.destroy_publisher(self._publisher)
        else:
            self._node.destroy_subscription(self._subscription)


def main(seed: int, period: float, kind: str, namespaces: list[str]) -> None:
    """Let peers come and go until nobody listens any more."""
    chance = random.Random(seed)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    rclpy.init()
    node = rclpy.create_node('storm')
    peers: list[Peer] = []
    while not over.wait(period):
        if len(peers) >= (1 if kind == 'one' else AT_A_TIME):
            peers.pop(chance.randrange(len(peers))).leave()
        else:
            peers.append(Peer(node, chance, chance.choice(namespaces), kind))
        for peer in peers:
            peer.speak()
    rclpy.shutdown()


if __name__ == '__main__':
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:])
