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
A container's health: whether its bridge's diagnostics come, for which executor and loop must work.

CAMERA_ID says whose, if it is set. Not by `ros2 topic echo`, which leaves a log file each time.
"""

import os
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
import rclpy

PATIENCE = 20.0  # seconds until they are discovered; then they come once a second


def main():
    """Wait for them; return the exit code."""
    camera_id = os.environ.get('CAMERA_ID')
    found = []

    def hear(message):
        found.extend(status for status in message.status
                     if status.name.endswith(': link') and (
                         not camera_id or status.hardware_id == camera_id))
    rclpy.init(args=['--ros-args', '--disable-external-lib-logs'])
    node = rclpy.create_node('healthcheck', start_parameter_services=False)
    node.create_subscription(DiagnosticArray, '/diagnostics', hear, 10)
    end = time.monotonic() + PATIENCE
    while not found and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=1.0)
    print(f'{found[0].name}: {found[0].message}' if found else 'no diagnostics')
    return 0 if found else 1


if __name__ == '__main__':
    sys.exit(main())
