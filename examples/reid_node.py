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
A complete re-ID node in small: a colour histogram is its feature map.

It stands between detector and bridge: takes `image` and the detector's boxes (`detections`), and
publishes them as `boxes`, with the ids of the tracked objects that it finds again. Replace
`feature_map` and `similarity` by your model; the rest is what any re-ID node has to do.
"""

from collections import deque, OrderedDict
import contextlib
import io
import signal
import sys

from camera_ws_bridge.reid.handler import ReidHandler
from camera_ws_bridge_msgs.msg import Boxes
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

FRAMES = 100  # that an operator may look back; each is held with its boxes
WAITING = 5  # frames whose boxes wait for their image: it is larger, and may come after them
SAME = 0.98  # similarity from which on two cut-outs show the same object


class ReidNode(Node):
    """Extracts feature maps, and finds the objects again."""

    def __init__(self):
        super().__init__('reid_node')
        self._images = OrderedDict()  # by stamp: message_filters.Cache in small
        self._boxes = OrderedDict()  # likewise
        self._waiting = deque()  # boxes whose image is not there yet
        self._known = {}  # object id to feature map
        self._handler = ReidHandler(self, self._on_start, self._on_stop, self._on_update)
        self._boxes_out = self.create_publisher(Boxes, 'boxes', 100)
        self.create_subscription(Image, 'image', self._on_image, qos_profile_sensor_data)
        self.create_subscription(Boxes, 'detections', self._on_detections, 100)

    def _on_start(self, start):
        cut_out = self._cut_out_of(start)
        if cut_out is None or not cut_out.size:
            self.get_logger().warning(f'object {start.object_id}: its frame is not there any more')
            return
        self._known[start.object_id] = feature_map(cut_out)
        self._handler.publish(start, self._known[start.object_id])

    def _on_update(self, update):
        self.get_logger().info(f'object {update.object_id}: tracked')
        if update.feature_map:
            self._known[update.object_id] = np.array(update.feature_map)

    def _on_stop(self, stop):
        self.get_logger().info(f'object {stop.object_id}: dropped')
        self._known.pop(stop.object_id, None)

    def _cut_out_of(self, start):
        if start.has_frame:
            boxes, image = (cache.get(key(start.frame_stamp))
                            for cache in (self._boxes, self._images))
            if boxes and image:
                for box in boxes.boxes:
                    if box.box_id == start.box_id:
                        return cut_out(pixels(image), box.rect)
        return decode(start.image.data) if start.image.data else None

    def _on_image(self, image):
        remember(self._images, image)
        self._pass_on()

    def _on_detections(self, boxes):
        remember(self._boxes, boxes)
        self._waiting.append(boxes)
        self._pass_on()

    def _pass_on(self):
        """Publish, in order, the boxes that have their image, or have waited for long enough."""
        there = [key(boxes.header.stamp) in self._images for boxes in self._waiting]
        count = len(there) - there[::-1].index(True) if True in there else 0
        if not self._images:
            count = len(there)  # nobody publishes any
        for _ in range(max(count, len(there) - WAITING)):
            boxes = self._waiting.popleft()
            image = self._images.get(key(boxes.header.stamp))
            if image is not None and self._known:
                whole = pixels(image)
                for box in boxes.boxes:
                    box.object_id = self._whose(cut_out(whole, box.rect))
            boxes.session = self._handler.session  # of these ids
            self._boxes_out.publish(boxes)

    def _whose(self, found):
        if not found.size:
            return -1
        found = feature_map(found)
        alike = {object_id: similarity(found, theirs)
                 for object_id, theirs in self._known.items()}
        best = max(alike, key=alike.get, default=None)
        return best if best is not None and alike[best] >= SAME else -1


def key(stamp):
    """Return a stamp as something to find it by."""
    return stamp.sec, stamp.nanosec


def remember(cache, message):
    """Keep the newest messages by their stamp."""
    cache[key(message.header.stamp)] = message
    if len(cache) > FRAMES:
        cache.popitem(last=False)


def pixels(image):
    """Return an rgb8 or bgr8 image as an array of height, width, red-green-blue."""
    rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
    array = rows[:, :3 * image.width].reshape(image.height, image.width, 3)
    return array[:, :, ::-1] if image.encoding == 'bgr8' else array


def cut_out(array, rect):
    """Return the part of an image that a normalised rect shows."""
    height, width = array.shape[:2]
    left, top, right, bottom = np.clip(rect, 0.0, 1.0) * (width, height, width, height)
    return array[round(top):round(bottom), round(left):round(right)]


def decode(png):
    """Return a PNG as an array."""
    import PIL.Image  # only a Start with an image and no frame at hand needs it
    return np.array(PIL.Image.open(io.BytesIO(bytes(png))).convert('RGB'))


def feature_map(array):
    """Return the histogram of each colour, of length 1 as a vector."""
    counts = [np.histogram(array[:, :, colour], 8, (0, 256))[0] for colour in range(3)]
    found = np.concatenate(counts).astype(float)
    return found / max(float(np.linalg.norm(found)), 1.0)


def similarity(one, other):
    """Return the cosine of the angle between two feature maps; 0 if they are not comparable."""
    return float(one @ other) if one.shape == other.shape else 0.0


def interrupt(*_):
    """Raise nothing while rclpy ends by itself: within it, that can become any error."""
    if not rclpy.ok():
        raise KeyboardInterrupt


def main():
    """Run until interrupted."""
    signal.signal(signal.SIGINT, interrupt)  # rclpy's own goes on to it
    with contextlib.suppress(KeyboardInterrupt):
        try:
            rclpy.init()
        except Exception as error:  # bad ROS arguments; the type differs between distributions
            print(f'reid_node: {error}', file=sys.stderr)
            return 2
        try:
            rclpy.spin(ReidNode())
        except rclpy.executors.ExternalShutdownException:
            pass
        except Exception:
            if rclpy.ok():  # else the signal came while the executor was about to wait
                raise
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
