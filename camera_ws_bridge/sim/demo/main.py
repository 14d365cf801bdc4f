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
A whole site on one machine, with an outage: the executable `demo`.

Camera, bridge and orchestrator run as separate processes. An operator starts three objects and
stops one, a neighbouring camera finds one of them, and in the middle the orchestrator is killed
and comes back on the same port. At the end what each side has sent and received is compared.

Exit code 0 only if nothing was lost.

With --duration 0 it is a live show until Ctrl-C: two cameras with pictures, a detector and the
example of a re-ID node each, and an operator who does nothing. You are the operator: open the page
whose address it prints, and click on somebody.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import contextlib
import os
import pathlib
import signal
import sys
import tempfile

from camera_ws_bridge.ros import features, starting
from camera_ws_bridge.sim.arguments import count, not_negative, port, positive
from camera_ws_bridge.sim.demo.live import Live
from camera_ws_bridge.sim.demo.processes import Failed, Observer, Site
from camera_ws_bridge.sim.demo.story import Story
import rclpy
from rclpy.signals import SignalHandlerOptions


def main(args: list[str] | None = None) -> int:
    """Run the demo; return 0 if nothing was lost."""
    arguments = _parser().parse_args(starting.own_arguments('demo', args))
    with _environment() as (observer, signals), \
            tempfile.TemporaryDirectory(prefix='camera_ws_bridge_') as folder:
        site = Site(pathlib.Path(folder), observer, lambda: bool(signals))
        try:
            if not arguments.duration:
                Live(site, arguments).play()
                return 0
            story = Story(site, arguments)
            story.play()
            return 0 if story.settle() else 1
        except Failed as error:
            print(f'demo: {error}', file=sys.stderr)
            return 1
        finally:
            site.kill_all()


@contextlib.contextmanager
def _environment() -> Iterator[tuple[Observer, list[int]]]:
    """Enter a ROS domain of this process's own, on the loopback interface; note signals."""
    os.environ.update(features.loopback_only())
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    starting.init('demo', None, signal_handler_options=SignalHandlerOptions.NO)
    observer = Observer()
    try:
        yield observer, signals
    finally:
        observer.destroy_node()
        rclpy.try_shutdown()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='demo', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--duration', type=not_negative, default=24.0,
                        help='seconds of the story; 0: a live show until Ctrl-C (24)')
    parser.add_argument('--outage', type=not_negative, default=5.0,
                        help='seconds that the orchestrator is away in the middle (5)')
    parser.add_argument('--rate', type=positive, help='frames a second (30; live: 15)')
    parser.add_argument('--boxes', type=count,
                        help='boxes on each frame (20); live: people on each street (6)')
    parser.add_argument('--port', type=port, default=0,
                        help="of orchestrator and operator's page; 0: the kernel picks (0)")
    return parser


if __name__ == '__main__':
    sys.exit(main())
