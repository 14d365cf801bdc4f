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
How often connections over bad but living links are given up, with suspicion and without.

    python3 test/netfaults/false_alarms.py [--seconds 300] [--cameras 20] [--idle]

Cameras without ROS in a namespace of their own, 30 boxes messages a second each, and what the
parameters' defaults make of it. Needs root.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import subprocess
import sys

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.link import suspicion
from camera_ws_bridge.node.assembly import Orchestrator, settings
from network import Network, SERVER, why_not

HERE = pathlib.Path(__file__).parent
PORT = 8080
LINKS = {
    'good': '',
    'loss of 30 %, both ways': 'numgen random mod 100 < 30 drop',
    'loss of 60 %, both ways': 'numgen random mod 100 < 60 drop',
    'loss of 60 %, to the server': f'ip daddr {SERVER} numgen random mod 100 < 60 drop',
    'loss of 60 %, from the server': f'ip saddr {SERVER} numgen random mod 100 < 60 drop',
    '64 kbit/s each': 'rate',
    'round trip of 2 s': 'delay 1.0',
    'round trip of 0.19 s': 'delay 0.095',
}


class Cameras:
    """Bridges without ROS, in this process: with a logger, an outlet and a loop's host."""

    def __init__(self, count: int) -> None:
        """Connect all of them."""
        self.loop = asyncio.get_running_loop()
        self.suspected = 0
        self.bridges = []
        for index in range(count):
            values = Parameters(
                f'ws://{SERVER}:{PORT}/processor', f'camera-{index}', connect_timeout=0.0)
            self.bridges.append(Bridge(settings(values), Orchestrator(values), self, self, self))
        for bridge in self.bridges:
            bridge.begin()
            bridge.connect()

    def submit(self, number: int) -> None:
        """Give all of them a message."""
        boxes = [{'boxId': index, 'rect': [0.125, 0.25, 0.5, 0.75], 'objectType': 'person',
                  'certainty': 0.875} for index in range(10)]
        message = {'type': 'boundingBoxes', 'frameId': float(number), 'boxes': boxes}
        for bridge in self.bridges:
            bridge.submit_boxes(float(number), (0, 0), json.dumps(message).encode())

    def now(self) -> int:
        """Return the time."""
        return 0

    def publish(self, *_: object) -> None:
        """Publish nothing."""

    def warning(self, line: str) -> None:
        """Count what was lost on suspicion."""
        self.suspected += 'answers new connections' in line

    publish_tracked = report = link_ended = debug = info = error = publish


async def measure(seconds: float, count: int, busy: bool) -> None:
    """Print how many connections were lost, and what has arrived."""
    cameras = Cameras(count)
    end = cameras.loop.time() + seconds
    number = 0
    while cameras.loop.time() < end:
        if busy:
            number += 1
            cameras.submit(number)
        await asyncio.sleep(1 / 30)
    print(json.dumps({
        'lost': sum(bridge.link.reconnects for bridge in cameras.bridges),
        'suspected': cameras.suspected,
        'acknowledged': sum(bridge.outbox.acknowledged for bridge in cameras.bridges)}))


def shape(network: Network, link: str, cameras: int) -> subprocess.Popen[str] | None:
    """Make the way as bad as that; return the process of a slow cable."""
    cable = None
    kind, _, figure = link.partition(' ')
    if kind == 'rate':
        for device in ('out0', 'to0'):
            network.tc('router', f'qdisc add dev {device} root tbf rate {64 * cameras}kbit '
                                 'burst 2000 limit 60000')
    elif kind == 'delay':
        cable = network.slow_cable(float(figure))
    else:
        network.rules('router', link)
    return cable


def over(link: str, arguments: argparse.Namespace) -> list[str]:
    """Run the cameras over that link, without and with suspicion; return the figures."""
    inside = [sys.executable, __file__, '--inside', '--seconds', str(arguments.seconds),
              '--cameras', str(arguments.cameras), *(['--idle'] if arguments.idle else [])]
    processes: list[subprocess.Popen[str]] = []
    with Network() as network:
        try:
            server = subprocess.Popen(network.command(
                'server', sys.executable, '-m', 'camera_ws_bridge.sim.orchestrator.main',
                '--host', SERVER, '--port', str(PORT)), stdout=subprocess.PIPE, text=True)
            processes.append(server)
            assert server.stdout is not None and server.stdout.readline()
            cable = shape(network, link, arguments.cameras)
            processes += [cable] if cable is not None else []
            figures = []
            for extra in (['--never-suspect'], []):
                run = subprocess.Popen(network.command('bridge', *inside, *extra),
                                       stdout=subprocess.PIPE, text=True)
                processes.append(run)
                result = json.loads(run.communicate()[0])
                figures.append('{lost}, {suspected}, {acknowledged}'.format(**result))
            return figures
        finally:
            for process in processes:
                process.kill()
                process.wait()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=300.0)
    parser.add_argument('--cameras', type=int, default=20)
    parser.add_argument('--idle', action='store_true')
    parser.add_argument('--link', default='', help='only links with this in their name')
    for internal in ('--inside', '--never-suspect'):
        parser.add_argument(internal, action='store_true', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.never_suspect:
        suspicion.NEAR = -1.0
    if arguments.inside:
        asyncio.run(measure(arguments.seconds, arguments.cameras, not arguments.idle))
        return
    reason = why_not()
    if reason:
        sys.exit(f'skipped: {reason}')
    print('connections lost, of these on suspicion, messages arrived:\n\n'
          '| link | without suspicion | with it |\n|---|---|---|')
    for name, link in LINKS.items():
        if arguments.link in name:
            print(f"| {name} | {' | '.join(over(link, arguments))} |", flush=True)


if __name__ == '__main__':
    main()
