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
A detector: publishes boxes with an id each, and prints every status of the bridge as JSON.

    python3 detector.py RATE REMEMBERED

REMEMBERED: how many messages its publisher keeps for who did not get them.
On its standard input: `pause`, `go`, and the end of it. `settle` is a pause that begins when all
that was published has arrived; DDS may take 3 s to tell.
"""

from __future__ import annotations

import json
import select
import sys
import time

from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Box, Boxes, Status
import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

BOXES = 10  # on a frame


class Detector:
    """The node."""

    def __init__(self, remembered: int) -> None:
        """Subscribe and publish; nothing is sent yet."""
        self.node = rclpy.create_node('detector')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.node.create_subscription(
            Status, 'camera_ws_bridge/status', self.tell, qos.commands(100))
        self._boxes = self.node.create_publisher(Boxes, 'boxes', QoSProfile(depth=remembered))
        self.published = 0
        self.heard = False  # whether the bridge has taken one

    def tell(self, status: Status) -> None:
        """Print it."""
        self.heard = self.heard or status.boxes_accepted > 0
        print(json.dumps({
            't': status.header.stamp.sec + 1e-9 * status.header.stamp.nanosec,
            'published': self.published, 'state': status.state,
            'cause': status.cause, 'accepted': status.boxes_accepted,
            'queued': status.boxes_queued, 'reconnects': status.reconnects,
            'lost': status.boxes_lost, 'spool': status.spool,
            'dropped': {each.cause: each.count for each in status.dropped}}), flush=True)

    def settle(self) -> None:
        """Wait until the bridge's side of DDS has all."""
        self._boxes.wait_for_all_acked(Duration(seconds=20))

    def rest(self) -> None:
        """Say that nothing more is published."""
        print(json.dumps({'resting': time.time()}), flush=True)

    def publish(self) -> None:
        """Publish the next frame; its id counts up from 1."""
        self.published += 1
        box = Box(rect=[0.125, 0.25, 0.5, 0.75], object_type='person', certainty=0.875)
        self._boxes.publish(Boxes(frame_id=float(self.published), boxes=BOXES * [box]))


def main() -> None:
    """Publish at that rate until nobody listens to what this says."""
    period, remembered = 1 / float(sys.argv[1]), int(sys.argv[2])
    rclpy.init()
    detector, going = Detector(remembered), True
    due = time.monotonic()
    while True:
        detector.executor.spin_once(timeout_sec=max(0.0, min(due - time.monotonic(), period)))
        while select.select([sys.stdin], [], [], 0)[0]:
            order = sys.stdin.readline()
            if not order:
                return
            going = order.strip() == 'go'
            if order.strip() == 'settle':
                detector.settle()
            if not going:
                detector.rest()
        if time.monotonic() >= due:
            # Until one has got through, DDS may not have found the bridge.
            due = max(due, time.monotonic() - period) + (period if detector.heard else 0.2)
            if going:
                detector.publish()


if __name__ == '__main__':
    main()
