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
Actor: the least that can receive from DDS in rclpy, for floors.

`idle` creates the bridge's subscription and never takes anything, so that it costs what Fast DDS
itself costs. `take` waits in a bare wait set, without an executor, and takes the serialised bytes:
the fastest way that rclpy offers.
"""

from __future__ import annotations

import array
import sys
import time
from typing import Any

from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Boxes, Stop
import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation
from rig.actors import serve

TYPES = {'boxes': (Boxes, qos.BOXES), 'stop': (Stop, qos.commands(1000))}


class Receiver:
    """One subscription."""

    def __init__(self, kind: str, topic: str) -> None:
        """`kind`: boxes or stop."""
        rclpy.init()
        self._node = rclpy.create_node('bench_receiver')
        self._type, profile = TYPES[kind]
        self._subscription = self._node.create_subscription(
            self._type, topic, lambda message: None, profile)

    def matched(self) -> bool:
        """Return whether there is a publisher."""
        return bool(self._node.count_publishers(self._subscription.topic_name))

    def drain(self) -> int:
        """Take all that is there; return how many messages that were."""
        taken = 0
        while self._subscription.handle.take_message(self._type, True) is not None:
            taken += 1
        return taken

    def take(self, count: int, stamps: str, timeout: float = 30.0) -> int:
        """Receive `count` messages and write down when each was there; return how many came."""
        handle = self._subscription.handle
        times = array.array('q')
        with self._node.context.handle:
            waiting = rclpy_implementation.WaitSet(1, 0, 0, 0, 0, 0, self._node.context.handle)
            end = time.monotonic() + timeout
            while len(times) < count and time.monotonic() < end:
                waiting.clear_entities()
                waiting.add_subscription(handle)
                waiting.wait(100_000_000)
                while handle.take_message(self._type, True) is not None:
                    times.append(time.monotonic_ns())
        with open(stamps, 'wb') as file:
            times.tofile(file)
        return len(times)

    def where(self) -> dict[str, Any]:
        """Return the topic's full name."""
        return {'topic': self._subscription.topic_name}


def main() -> None:
    """Receive as told: receiver.py KIND TOPIC."""
    actor = Receiver(sys.argv[1], sys.argv[2])
    serve({name: getattr(actor, name) for name in ('matched', 'drain', 'take', 'where')})


if __name__ == '__main__':
    main()
