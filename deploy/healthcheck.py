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
A container's health, from what its bridge says on /diagnostics; exit code 0: healthy.

Healthy: registered within the last 30 s, or deactivated on purpose, and no other error.
With --alive, for liveness probes: executor and loop work, whatever the orchestrator does. Nothing
is healed by a restart while only the orchestrator is away; what is buffered would be lost.

Whose: each camera of the list --cameras, else the camera CAMERA_ID, else whoever is heard.
Not by `ros2 topic echo`, which leaves a log file each time.
"""

import argparse
import os
import sys
import time

from camera_ws_bridge.config import cameras
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import rclpy

PATIENCE = 20.0  # seconds until they are discovered; then they come once a second
ROUND = 1.5  # seconds in which everybody is heard once


def main():
    """Listen; say what was heard, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--alive', action='store_true', help='only ask whether it works at all')
    parser.add_argument('--cameras', metavar='FILE', help='list of cameras, as for multi_bridge')
    arguments = parser.parse_args()
    if arguments.cameras:
        wanted = {camera['camera_id'] for camera in cameras.load(arguments.cameras)}
    else:
        wanted = {*filter(None, [os.environ.get('CAMERA_ID')])}
    healthy, text = judge(listen(wanted, arguments.alive), wanted, arguments.alive)
    print(text)
    return 0 if healthy else 1


def listen(wanted, alive):
    """Return the newest status of each bridge, or as soon as one was heard where that will do."""
    heard = {}

    def hear(message):
        heard.update({
            status.name: status for status in message.status if status.name.endswith(': link')
            and (not wanted or status.hardware_id in wanted)})
    rclpy.init(args=['--ros-args', '--disable-external-lib-logs'])
    node = rclpy.create_node('healthcheck', start_parameter_services=False)
    node.create_subscription(DiagnosticArray, '/diagnostics', hear, 10)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and len(heard) < (len(wanted) or 1) and not (alive and heard):
        rclpy.spin_once(node, timeout_sec=1.0)
    end = time.monotonic() + ROUND
    while not wanted and not alive and heard and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    return list(heard.values())


def judge(heard, wanted, alive):
    """Return whether that is healthy, and a line for each bridge that counts."""
    if not heard:
        return False, 'no diagnostics'
    # Where one will do, the others were not waited for.
    missing = [] if alive else sorted(wanted - {status.hardware_id for status in heard})
    wrong = [status for status in heard if status.level == DiagnosticStatus.ERROR]
    text = '\n'.join([
        *(f'{status.name}: {status.message}' for status in (wrong or heard)),
        *(f'{camera_id}: no diagnostics' for camera_id in missing)])
    return alive or not (wrong or missing), text


if __name__ == '__main__':
    sys.exit(main())
