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

"""What is published and does not even get into the bridge is counted, where that can be known."""

import signal

from camera_ws_bridge.ros import features
from camera_ws_bridge_msgs.msg import Boxes, Update
import pytest
import rclpy
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rigs import process_rig as rigs

NUMBERED = pytest.mark.skipif(
    not features.tells_message_info() or 'cyclone' in rclpy.get_rmw_implementation_identifier(),
    reason='this rclpy, or Cyclone DDS, tells no number of a message')
BURST = 1000  # messages; the subscription's queue holds 100


def see_its_publisher(rig):
    """Wait until the bridge has looked at who publishes, twice."""
    seen = len(rig.probe.diagnostics)
    rig.wait(lambda: len(rig.probe.diagnostics) >= seen + 3)


def stand_still(rig, publish):
    """Stop the process while messages are published; let it go on."""
    rig.process.signal(signal.SIGSTOP)
    try:
        for number in range(BURST):
            publish(number)
    finally:
        rig.process.signal(signal.SIGCONT)


@NUMBERED
def test_a_bridge_that_stands_still_counts_what_its_queue_could_not_hold(tmp_path):
    with rigs.running(tmp_path) as rig:
        see_its_publisher(rig)
        before = rig.probe.status.boxes_accepted
        stand_still(rig, lambda number: rig.probe.boxes.publish(rigs.boxes(float(number))))
        rig.probe.wait_for_status(lambda status: status.boxes_accepted > before)
        rig.probe.boxes.publish(rigs.boxes(float(BURST)))  # what is lost behind the last is unseen
        rig.probe.wait_for_status(lambda status: (
            status.boxes_lost and status.boxes_lost + status.boxes_accepted == before + BURST + 1))
        assert rig.probe.status.updates_lost == 0
        rig.wait(lambda: 'boxes_lost' in {
            value.key for value in rig.probe.diagnostics[-1].status[0].values})


@NUMBERED
def test_feature_maps_are_counted_apart(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        rig.probe.wait_for_status(lambda status: status.updates_accepted == 1)
        see_its_publisher(rig)
        stand_still(rig, lambda number: rig.probe.feature_map.publish(
            Update(object_id=number, feature_map=[0.5])))
        rig.probe.wait_for_status(lambda status: status.updates_accepted > 1)
        rig.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        rig.probe.wait_for_status(lambda status: (
            status.updates_lost and status.updates_lost + status.updates_accepted == BURST + 2))


def test_a_detector_that_starts_anew_or_has_company_loses_nothing(tmp_path):
    with rigs.running(tmp_path) as rig:
        see_its_publisher(rig)
        rig.probe.publish_frames(range(100))
        other = rig.probe.node.create_publisher(
            Boxes, 'boxes', QoSProfile(depth=10, reliability=QoSReliabilityPolicy.BEST_EFFORT))

        def heard():
            other.publish(rigs.boxes(-1.0))
            rig.probe.executor.spin_once(timeout_sec=0.1)
            return 'a best-effort publisher is there' in rig.process.log
        rig.wait(heard)
        rig.probe.publish_frames(range(100, 200))
        rig.probe.node.destroy_publisher(other)
        rig.probe.node.destroy_publisher(rig.probe.boxes)
        rig.probe.boxes = rig.probe.node.create_publisher(Boxes, 'boxes', QoSProfile(depth=1000))
        rig.probe.wait_until_connected()
        rig.probe.publish_frames(range(200, 300))
        see_its_publisher(rig)
        assert rig.probe.status.boxes_lost == 0
