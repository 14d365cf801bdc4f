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

"""What a simulated camera publishes besides boxes: its pictures, as `image` and for browsers."""

from __future__ import annotations

import array

from builtin_interfaces.msg import Time
from camera_ws_bridge.sim.camera.drawing import Drawing, HEIGHT, WIDTH
from camera_ws_bridge.sim.camera.picture import png_of
from camera_ws_bridge.sim.camera.stream import Stream
from camera_ws_bridge.sim.camera.street import Street
import numpy as np
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image


class Cinema:
    """Draws, publishes and serves; only what somebody looks at is made."""

    def __init__(self, node: Node, street: Street, people: int, seed: int, port: int) -> None:
        """Set up; port: of the server for browsers, 0: the kernel picks."""
        self.stream = Stream(port)
        self._drawing = Drawing(street, people, seed)
        self._publisher = node.create_publisher(Image, 'image', qos_profile_sensor_data)

    def show(self, time: float, stamp: Time) -> None:
        """Show the street at a time in seconds, by whatever clock; stamp: the same in ROS."""
        subscribed = self._publisher.get_subscription_count() > 0
        if not subscribed and not self.stream.watched:
            return
        pixels = self._drawing.at(time)
        if subscribed:
            image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
            image.header.stamp = stamp
            image.header.frame_id = 'camera'
            # Of this type rclpy takes the bytes as they are.
            image.data = array.array('B', np.take(self._drawing.palette, pixels, axis=0).tobytes())
            self._publisher.publish(image)
        if self.stream.watched:
            self.stream.show(png_of(pixels, self._drawing.palette))

    def close(self) -> None:
        """Stop serving."""
        self.stream.close()
