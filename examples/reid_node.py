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

from collections import OrderedDict
import contextlib
import heapq
import io
import sys

from camera_ws_bridge_msgs.msg import Boxes, Start, Stop, TrackedObjects, Update
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import Image

FRAMES = 100  # that an operator may look back; each is held with its boxes
GAP_TIMEOUT = 0.5  # seconds, at least, to wait for a command that others have overtaken
SAME = 0.98  # similarity from which on two cut-outs show the same object
LATCHED = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class InSequence:
    """Restores the order of the commands, which come on three topics."""

    def __init__(self, handle):
        self._handle = handle
        self._next = 0  # a late node does not know where they begin: the first one is overdue
        self._waiting = []
        self._first = None  # of those that waited at the last tick

    def add(self, command):
        """Take a command; it is handled when its turn has come."""
        heapq.heappush(self._waiting, (command.sequence, id(command), command))
        self._handle_those_whose_turn_it_is()

    def tick(self):
        """Call this regularly: what has waited since the last call goes on without the rest."""
        if self._waiting and self._waiting[0] is self._first:
            self._next = self._waiting[0][0]
            self._handle_those_whose_turn_it_is()
        self._first = self._waiting[0] if self._waiting else None

    def _handle_those_whose_turn_it_is(self):
        # Those before their turn are of a bridge that was restarted and counts from 1 again.
        while self._waiting and self._waiting[0][0] <= self._next:
            sequence, _, command = heapq.heappop(self._waiting)
            self._next = sequence + 1
            self._handle(command)


class ReidNode(Node):
    """Extracts feature maps, and finds the objects again."""

    def __init__(self):
        super().__init__('reid_node')
        self._images = OrderedDict()  # by stamp in nanoseconds: message_filters.Cache in small
        self._boxes = OrderedDict()  # likewise
        self._tracked = {}  # object id to feature map; None: not known yet
        self._known_until = None  # nanoseconds; what is older is in the list of tracked objects
        self._commands = InSequence(self._on_command)
        self._boxes_out = self.create_publisher(Boxes, 'boxes', 100)
        self._feature_map_out = self.create_publisher(Update, 'feature_map', 100)
        self.create_subscription(Image, 'image', self._on_image, qos_profile_sensor_data)
        self.create_subscription(Boxes, 'detections', self._on_detections, 100)
        self.create_subscription(
            TrackedObjects, 'camera_ws_bridge/tracked_objects', self._on_tracked, LATCHED)
        self._gap_timer = self.create_timer(GAP_TIMEOUT, self._commands.tick)

    def _on_tracked(self, message):
        """Take up what is tracked, once; from then on the commands tell."""
        if self._known_until is not None:
            return
        self._known_until = nanoseconds(message.header.stamp)
        for found in message.objects:
            self._tracked[found.object_id] = np.array(found.feature_map) if (
                found.feature_map) else None
        self.get_logger().info(f'tracked already: {sorted(self._tracked)}')
        # Latched, so that none is missed that came while this node was not there.
        for message_type, name in ((Start, 'start'), (Stop, 'stop'), (Update, 'update')):
            self.create_subscription(
                message_type, f'camera_ws_bridge/{name}', self._commands.add, LATCHED)

    def _on_command(self, command):
        object_id = command.object_id
        is_old = nanoseconds(command.header.stamp) <= self._known_until
        if isinstance(command, Start):
            if not is_old or self._tracked.get(object_id, ()) is None:
                self._extract(command)
        elif is_old:
            pass  # its effect is in the list of tracked objects
        elif isinstance(command, Stop):
            if object_id in self._tracked:
                del self._tracked[object_id]
                self.get_logger().info(f'object {object_id}: dropped')
        elif command.feature_map:
            self._tracked[object_id] = np.array(command.feature_map)

    def _extract(self, start):
        self._tracked.setdefault(start.object_id, None)
        cut_out = self._cut_out_of(start)
        if cut_out is None or not cut_out.size:
            self.get_logger().warning(f'object {start.object_id}: its frame is not there any more')
            return
        found = feature_map(cut_out)
        self._tracked[start.object_id] = found
        self._feature_map_out.publish(
            Update(object_id=start.object_id, feature_map=found.tolist()))

    def _cut_out_of(self, start):
        if start.has_frame:
            stamp = nanoseconds(start.frame_stamp)
            boxes, image = self._boxes.get(stamp), self._images.get(stamp)
            if boxes and image:
                for box in boxes.boxes:
                    if box.box_id == start.box_id:
                        return cut_out(pixels(image), box.rect)
        return decode(start.image.data) if start.image.data else None

    def _on_image(self, image):
        remember(self._images, image)

    def _on_detections(self, boxes):
        remember(self._boxes, boxes)
        image = self._images.get(nanoseconds(boxes.header.stamp))
        if image is not None:
            whole = pixels(image)
            for box in boxes.boxes:
                box.object_id = self._whose(cut_out(whole, box.rect))
        self._boxes_out.publish(boxes)

    def _whose(self, found):
        known = {object_id: similarity(feature_map(found), theirs)
                 for object_id, theirs in self._tracked.items() if theirs is not None}
        best = max(known, key=known.get, default=None) if found.size else None
        return best if best is not None and known[best] >= SAME else -1


def nanoseconds(stamp):
    """Return a stamp as one number."""
    return Time.from_msg(stamp).nanoseconds


def remember(cache, message):
    """Keep the newest messages by their stamp."""
    cache[nanoseconds(message.header.stamp)] = message
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


def main():
    """Run until interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        rclpy.init()
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
