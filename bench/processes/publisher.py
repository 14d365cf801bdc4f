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
Actor: the detector. Publishes serialised frames at set times, and watches the bridge's status.

Times are absolute deadlines, so that a late message delays none of those behind it. Never more
than `window` messages are under way: then nothing is lost, and what was reached is what was sent.
"""

from __future__ import annotations

import array
import sys
import time
from typing import Any

from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Boxes, Status, Stop
import rclpy
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from rig.accounting import wait_until_asleep
from rig.actors import serve
from rig.content import Template
from rig.counter import open_counter

BRIDGE = 'camera_ws_bridge'
UNDER_WAY = 2**18  # bytes; Fast DDS's shared memory holds 2**19, and repeats what did not fit


class Publisher:
    """The node; one publisher of boxes a namespace."""

    def __init__(self, counter_path: str, namespaces: list[str]) -> None:
        """`counter_path`: the file in which the server counts what has arrived."""
        rclpy.init()
        self._node = rclpy.create_node('bench_publisher')
        profile = QoSProfile(depth=1000)
        self._boxes = [
            self._node.create_publisher(Boxes, f'{space}/boxes', profile)
            for space in namespaces]
        self._stops = self._node.create_publisher(Stop, 'floor_stop', qos.commands(32))
        self._status = Status()
        self._statuses = 0
        self._node.create_subscription(
            Status, f'{namespaces[0]}/{BRIDGE}/status', self._on_status, qos.STATUS)
        self._arrived = open_counter(counter_path)

    def matched(self) -> bool:
        """Return whether every publisher of boxes has a subscription."""
        return all(publisher.get_subscription_count() > 0 for publisher in self._boxes)

    def one(self, boxes: int = 1) -> None:
        """Publish one frame with the frame id -1 in every namespace."""
        for publisher in self._boxes:
            publisher.publish(Template(boxes).with_frame_id(-1.0))

    def run(self, count: int, rate: float, boxes: int, window: int = 0, batch: int = 0,
            pid: int = 0, stamps: str = '', burst: int = 1) -> dict[str, Any]:
        """
        Publish `count` frames with ids from 0, `rate` a second; 0: as fast as they go.

        burst: how many at the same moment; window: how many more than the server has counted
        there may be; batch: wait after so many until process `pid` sleeps (great messages lower
        both); stamps: file for the times at which each was published (CLOCK_MONOTONIC,
        nanoseconds).
        """
        template = Template(boxes)
        at_most = max(1, UNDER_WAY // len(template.with_frame_id(0.0)))
        window, batch = min(window, at_most), min(batch, at_most)
        base = self._arrived[0]
        times = array.array('q')
        publishers = self._boxes
        begin = time.monotonic()
        for number in range(count):
            if rate:
                left = begin + (number - number % burst) / rate - time.monotonic()
                if left > 0:
                    time.sleep(left)
            if window:
                while number - (self._arrived[0] - base) >= window:
                    time.sleep(0.0002)
            data = template.with_frame_id(float(number))
            publisher = publishers[number % len(publishers)]
            times.append(time.monotonic_ns())
            publisher.publish(data)
            if batch and number % batch == batch - 1:
                wait_until_asleep(pid)
        if stamps:
            with open(stamps, 'wb') as file:
                times.tofile(file)
        return {'seconds': time.monotonic() - begin, 'bytes': len(template.with_frame_id(0.0))}

    def stops(self, count: int, rate: float, stamps: str) -> None:
        """Publish `count` Stop messages, as the bridge does, for the floor of commands."""
        data = serialize_message(Stop(object_id=1))
        times = array.array('q')
        begin = time.monotonic()
        for number in range(count):
            left = begin + number / rate - time.monotonic()
            if left > 0:
                time.sleep(left)
            times.append(time.monotonic_ns())
            self._stops.publish(data)
        with open(stamps, 'wb') as file:
            times.tofile(file)

    def stops_matched(self) -> bool:
        """Return whether somebody subscribes to the floor's Stop messages."""
        return self._stops.get_subscription_count() > 0

    def status(self) -> dict[str, Any]:
        """Return what the bridge's newest status says, and how many have come."""
        for _ in range(5):
            rclpy.spin_once(self._node, timeout_sec=0.01)
        status = self._status
        return {'statuses': self._statuses, 'state': status.state,
                'accepted': status.boxes_accepted, 'sent': status.sent,
                'acknowledged': status.acknowledged, 'queued': status.boxes_queued,
                'queued_bytes': status.boxes_queued_bytes,
                'dropped': sum(count.count for count in status.dropped)}

    def _on_status(self, status: Status) -> None:
        self._status = status
        self._statuses += 1


def main() -> None:
    """Publish as told: publisher.py COUNTER_FILE [NAMESPACE...]."""
    actor = Publisher(sys.argv[1], sys.argv[2:] or [''])
    serve({name: getattr(actor, name) for name in (
        'matched', 'one', 'run', 'status', 'stops', 'stops_matched')})


if __name__ == '__main__':
    main()
