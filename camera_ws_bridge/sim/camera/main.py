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
A simulator of a detector and re-ID node: the executable `camera_sim`.

It publishes the boxes of moving objects, answers a Start with a feature map, marks the boxes of
tracked objects, looks for the objects of an Update, and forgets them on a Stop. It needs no image,
no model and no GPU, and says at the end what it has published and received.

With --pictures it draws people on a street, whose boxes it publishes, and publishes the pictures
on `image` with the same stamps. Browsers get them by HTTP, as a stream of PNGs
(multipart/x-mixed-replace): give the URL that it prints to orchestrator_sim --picture. With
--detector it leaves the commands to a re-ID node beside it.
"""

from __future__ import annotations

import argparse
from collections import Counter
import signal
import sys
import time

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.protocol.boxes import NOT_TRACKED
from camera_ws_bridge.ros import qos, starting
from camera_ws_bridge.sim.arguments import count, port, positive
from camera_ws_bridge.sim.camera.cinema import Cinema
from camera_ws_bridge.sim.camera.street import Street
from camera_ws_bridge.sim.camera.tracker import Tracker
from camera_ws_bridge.sim.camera.world import World
from camera_ws_bridge_msgs.msg import Box, Boxes, Start, Stop, Update
import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

COMMANDS_DEPTH = 32


class CameraSim(Node):
    """Publishes `boxes` and `feature_map`; listens to the commands of one bridge."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Set up; arguments: those of the command line. OSError: the pictures' port is taken."""
        super().__init__('camera_sim')
        self.published: list[float] = []  # frame ids
        self.counts: Counter[str] = Counter()
        boxes, seed = arguments.boxes, arguments.seed
        self._world = World(boxes, seed)
        self._tracker = Tracker(boxes)
        self._frames = arguments.frames
        self._session = 0  # of the objects that are tracked
        self.cinema: Cinema | None = None
        if arguments.pictures:
            self._world = street = Street(boxes, seed)
            self.cinema = Cinema(self, street, boxes, seed, arguments.picture_port)
        self._boxes_publisher = self.create_publisher(Boxes, 'boxes', qos.BOXES)
        self._feature_map_publisher = self.create_publisher(
            Update, 'feature_map', qos.FEATURE_MAP)
        for message_type, name, callback in () if arguments.detector else (
                (Start, 'start', self._on_start), (Stop, 'stop', self._on_stop),
                (Update, 'update', self._on_update)):
            self.create_subscription(
                message_type, f'{arguments.bridge}/{name}', callback,
                qos.commands(COMMANDS_DEPTH))
        self._timer = self.create_timer(1.0 / arguments.rate, self._publish_frame)

    @property
    def done(self) -> bool:
        """Whether all frames that were asked for are published."""
        return bool(0 < self._frames <= len(self.published))

    def flush(self, timeout: float) -> None:
        """Wait until the bridge has received everything, for at most `timeout` seconds."""
        end = time.monotonic() + timeout
        for publisher in (self._boxes_publisher, self._feature_map_publisher):
            left = max(0.0, end - time.monotonic())
            publisher.wait_for_all_acked(Duration(seconds=left))

    def _publish_frame(self) -> None:
        if self.done:
            return
        now = time.time()
        stamp = self.get_clock().now().to_msg()
        if self.cinema is not None:
            self.cinema.show(now, stamp)  # first: who finds boxes has the image
        # Frames before the bridge is there would be lost without anybody's fault.
        if not self._boxes_publisher.get_subscription_count():
            return
        view = self._world.view(now)
        message = Boxes(frame_id=now, session=self._session)
        message.header.stamp = stamp
        for index, rect, kind, certainty in zip(
                view.objects, view.rects, view.types, view.certainties.tolist()):
            object_id = self._tracker.object_id(index)
            message.boxes.append(Box(
                box_id=index, rect=rect, object_type=kind, certainty=certainty,
                object_id=NOT_TRACKED if object_id is None else object_id))
        self._boxes_publisher.publish(message)
        self.published.append(now)

    def _on_start(self, message: Start) -> None:
        self.counts['starts'] += 1
        self._session = message.session
        box = self._tracker.track(
            message.object_id, message.box_id if message.has_frame else None)
        if box is None:
            self.get_logger().warning(f'object {message.object_id}: no such box')
            return
        answer = Update(session=message.session, object_id=message.object_id)
        answer.feature_map = self._world.feature_map(box).tolist()
        self._feature_map_publisher.publish(answer)
        self.counts['feature_maps'] += 1

    def _on_stop(self, message: Stop) -> None:
        self.counts['stops'] += 1
        self._tracker.stop(message.object_id)

    def _on_update(self, message: Update) -> None:
        self.counts['updates'] += 1
        self._session = message.session
        if message.feature_map and not self._tracker.knows(message.object_id):
            self._tracker.track(message.object_id)


def main(args: list[str] | None = None) -> int:
    """Run the camera until a signal comes or all frames are published."""
    arguments = _parser().parse_args(starting.own_arguments('camera_sim', args))
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    # Not rclpy's own handlers: they end the publishers before they could be flushed.
    starting.init('camera_sim', args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = CameraSim(arguments)
    except OSError as error:
        print(f'camera_sim: port {arguments.picture_port}: {error}', file=sys.stderr)
        return 1
    if node.cinema is not None:
        print(f'pictures: {node.cinema.stream.url}', flush=True)
    while not node.done and not signals:
        rclpy.spin_once(node, timeout_sec=1.0)
    if node.cinema is not None:
        node.cinema.close()
    node.flush(timeout=4.0)  # launch loses its patience after 5
    report = {'published': len(node.published), **node.counts}
    print('camera_sim: ' + ', '.join(f'{name} {count}' for name, count in report.items()))
    if arguments.report:
        with open(arguments.report, 'w') as file:
            file.write(strict_json.dumps({**report, 'frame_ids': node.published}))
    rclpy.try_shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='camera_sim', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='Topics can be remapped as usual: camera_sim --ros-args -r __ns:=/gate')
    parser.add_argument('--rate', type=positive, default=30.0, help='frames a second (30)')
    parser.add_argument('--boxes', type=count, default=20, help='boxes on each frame (20)')
    parser.add_argument('--frames', type=count, default=0, help='end after so many; 0: never (0)')
    parser.add_argument('--bridge', default='camera_ws_bridge', help="the bridge node's name")
    parser.add_argument('--seed', type=count, default=0, help='of the way the boxes move (0)')
    parser.add_argument('--pictures', action='store_true',
                        help='draw people, one a box; publish `image`, and serve it to browsers')
    parser.add_argument('--picture-port', type=port, default=0, metavar='PORT',
                        help='where, on the loopback interface; 0: the kernel picks (0)')
    parser.add_argument('--detector', action='store_true',
                        help='find boxes only: no object ids, no answers to commands')
    parser.add_argument('--report', help='write the counts and all frame ids to this JSON file')
    return parser


if __name__ == '__main__':
    sys.exit(main())
