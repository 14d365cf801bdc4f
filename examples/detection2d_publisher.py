#!/usr/bin/env python3
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
Stands in for a detector that speaks vision_msgs: walking people on `detections`, 10 a second.

Replace it by your detector; nothing in here knows of the bridge.
"""

import contextlib
import math
import signal
import sys

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

WIDTH, HEIGHT = 640, 480  # pixels
PERIOD = 0.1  # seconds
PEOPLE = 3


class Detection2dPublisher(Node):
    """Publishes what a detector and its camera driver do, best-effort as many of them."""

    def __init__(self):
        super().__init__('detection2d_publisher')
        self._detections = self.create_publisher(
            Detection2DArray, 'detections', qos_profile_sensor_data)
        self._camera_info = self.create_publisher(
            CameraInfo, 'camera_info', qos_profile_sensor_data)
        self.create_timer(PERIOD, self._publish)

    def _publish(self):
        now = self.get_clock().now()
        info = CameraInfo(width=WIDTH, height=HEIGHT)
        message = Detection2DArray()
        info.header.stamp = message.header.stamp = now.to_msg()
        message.detections = [
            _person(now.nanoseconds / 1e9 + 2.0 * number) for number in range(PEOPLE)]
        self._camera_info.publish(info)
        self._detections.publish(message)


def _person(phase):
    """Return a detection somewhere on the way to and fro; phase: seconds."""
    detection = Detection2D()
    detection.bbox.center.position.x = WIDTH * (0.5 + 0.4 * math.sin(phase / 3.0))
    detection.bbox.center.position.y = HEIGHT * 0.6
    detection.bbox.size_x, detection.bbox.size_y = 60.0, 160.0
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = 'person', 0.9
    detection.results.append(hypothesis)
    return detection


def interrupt(*_):
    """Raise nothing while rclpy ends by itself: within it, that can become any error."""
    if not rclpy.ok():
        raise KeyboardInterrupt


def main():
    """Publish until interrupted."""
    signal.signal(signal.SIGINT, interrupt)  # rclpy's own goes on to it
    with contextlib.suppress(KeyboardInterrupt):
        try:
            rclpy.init()
        except Exception as error:  # bad ROS arguments; the type differs between distributions
            print(f'detection2d_publisher: {error}', file=sys.stderr)
            return 2
        try:
            rclpy.spin(Detection2dPublisher())
        except rclpy.executors.ExternalShutdownException:
            pass
        except Exception:
            if rclpy.ok():  # else the signal came while the executor was about to wait
                raise
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
