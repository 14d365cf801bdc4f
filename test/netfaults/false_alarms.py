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

    python3 test/netfaults/false_alarms.py [--seconds 60] [--cameras 10] [--link 64]

Cameras without ROS in a namespace of their own, busy ones (30 boxes messages a second each) and
idle ones, with what the parameters' defaults make of them. They connect while the link is good,
so that each is trusted when it turns bad. With and without suspicion they have a link each, alike,
at the same time. `make netfaults` runs this at its end. Needs root.

Exit code 0: no connection was given up on suspicion.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
import json
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.link import suspicion
from camera_ws_bridge.link.link import State
from camera_ws_bridge.node.assembly import Orchestrator, settings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from network import Network, SERVER, why_not  # noqa: E402, I100, I202

PORT = 8080
SECONDS, CAMERAS = 60.0, 10
KNOWN = 3.0  # seconds on the good link; more than suspicion.CALM
AT_ONCE = 2  # links of busy cameras, for a processor each; of idle ones: all
LINKS = {
    'good': '',
    'loss of 30 %, both ways': 'numgen random mod 100 < 30 drop',
    'loss of 60 %, both ways': 'numgen random mod 100 < 60 drop',
    'loss of 60 %, to the server': f'ip daddr {SERVER} numgen random mod 100 < 60 drop',
    'loss of 60 %, from the server': f'ip saddr {SERVER} numgen random mod 100 < 60 drop',
    '64 kbit/s each, a queue of 3.75 s': 'rate 30000',
    '64 kbit/s each, a queue of 0.4 s': 'rate 3000',
    'round trip of 2 s': 'delay 1.0',
    'round trip of 0.19 s': 'delay 0.095',
}
NEVER = '--never-suspect'
HEAD = ('| link | cameras | lost without suspicion | lost with it | of these on suspicion '
        '| acknowledged without | acknowledged with | load |\n' + 8 * '|---' + '|\n')


class Figures(NamedTuple):
    """What the cameras of one run say."""

    lost: int  # connections
    suspected: int  # of these
    acknowledged: int  # messages


class Camera:
    """A bridge without ROS, and its node, logger and loop's host in one."""

    def __init__(self, name: str) -> None:
        """Connect."""
        self.loop = asyncio.get_running_loop()
        self.lost = self.suspected = 0
        self.registered = False
        values = Parameters(f'ws://{SERVER}:{PORT}/processor', name, connect_timeout=0.0)
        self.bridge = Bridge(settings(values), Orchestrator(values), self, self, self)
        self.bridge.begin()
        self.bridge.connect()

    def report(self, _: bool) -> None:
        """Count what is lost."""
        registered = self.bridge.link.state in (State.REGISTERED, State.STABLE)
        self.lost += self.registered and not registered
        self.registered = registered

    def warning(self, line: str) -> None:
        """Count what is lost on suspicion."""
        self.suspected += 'answers new connections' in line

    def now(self) -> int:
        """Return the time."""
        return 0

    def publish(self, *_: object) -> None:
        """Publish nothing."""

    publish_tracked = link_ended = debug = info = error = publish

    @property
    def figures(self) -> Figures:
        """Return what there is by now."""
        return Figures(self.lost, self.suspected, self.bridge.outbox.acknowledged)


async def measure(seconds: float, count: int, busy: bool) -> None:
    """Say `ready` on a good link, and then what has become of it on a bad one."""
    cameras = [Camera(f'camera-{index}') for index in range(count)]
    loop, number = asyncio.get_running_loop(), 0

    async def work(seconds: float) -> list[int]:
        nonlocal number
        end = loop.time() + seconds
        while loop.time() < end:
            if busy:
                number += 1
                payload = boxes(number)
                for camera in cameras:
                    camera.bridge.submit_boxes(float(number), (0, 0), payload)
            await asyncio.sleep(1 / 30)
        return [sum(each) for each in zip(*(camera.figures for camera in cameras))]

    while not all(camera.registered for camera in cameras):
        await asyncio.sleep(0.1)
    before = await work(KNOWN)
    print('ready', flush=True)
    after = await work(seconds)
    print(json.dumps([now - then for now, then in zip(after, before)]))


def boxes(number: int) -> bytes:
    """Return a message of ten boxes."""
    each = [{'boxId': index, 'rect': [0.125, 0.25, 0.5, 0.75], 'objectType': 'person',
             'certainty': 0.875} for index in range(10)]
    return json.dumps(
        {'type': 'boundingBoxes', 'frameId': float(number), 'boxes': each}).encode()


@contextlib.contextmanager
def bad(network: Network, link: str, cameras: int) -> Iterator[None]:
    """Make the way as bad as that."""
    kind, _, figure = link.partition(' ')
    cable = None
    if kind == 'rate':  # one queue for all, as long in seconds as one camera's would be
        for device in ('out0', 'to0'):
            network.tc('router', f'qdisc add dev {device} root tbf rate {64 * cameras}kbit '
                                 f'burst {2000 * cameras} limit {int(figure) * cameras}')
    elif kind == 'delay':
        cable = network.slow_cable(float(figure))
    else:
        network.rules('router', link)
    try:
        yield
    finally:
        if cable is not None:
            cable.kill()
            cable.wait()


def over(link: str, label: str, inside: list[str], cameras: int) -> Figures:
    """Run cameras over that link; return the figures."""
    processes: list[subprocess.Popen[str]] = []

    def start(namespace: str, *command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(network.command(namespace, sys.executable, *command),
                                   stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None and process.stdout.readline(), command
        return process

    with Network(label) as network:
        try:
            start('server', '-m', 'camera_ws_bridge.sim.orchestrator.main', '--host', SERVER,
                  '--port', str(PORT))
            run = start('bridge', __file__, '--inside', *inside)
            with bad(network, link, cameras):
                return Figures(*json.loads(run.communicate()[0]))
        finally:
            for process in processes:
                process.kill()
                process.wait()


class Bench:
    """All of the links, or some."""

    def __init__(self, seconds: float, cameras: int, names: list[str]) -> None:
        """Measure so long, with so many cameras."""
        self.alarms: list[str] = []  # links on which there were any
        self._arguments = ['--seconds', str(seconds), '--cameras', str(cameras)]
        self._cameras = cameras
        self._links = names
        self.names = [f'{name}, {kind}' for kind in ('busy', 'idle') for name in names]

    def rows(self) -> Iterator[str]:
        """Yield a row of the table for each link: with busy cameras, then with idle ones."""
        for idle in (False, True):
            with ThreadPoolExecutor(len(self._links) if idle else AT_ONCE) as pool:
                yield from pool.map(lambda name: self._row(name, idle), self._links)

    def _row(self, name: str, idle: bool) -> str:
        arguments = [*self._arguments, *(['--idle'] if idle else [])]
        label = f'{list(LINKS).index(name)}'
        with ThreadPoolExecutor(2) as both:
            without, with_it = both.map(lambda extra: over(
                LINKS[name], label + 'n' * len(extra), [*arguments, *extra], self._cameras),
                ([NEVER], []))
        told = f'{name}, {"idle" if idle else "busy"}'
        if with_it.suspected:
            self.alarms.append(told)
        return (f'| {told} | {self._cameras} | {without.lost} | {with_it.lost} '
                f'| {with_it.suspected} | {without.acknowledged} | {with_it.acknowledged} '
                f'| {os.getloadavg()[0]:.1f} |\n')


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=SECONDS)
    parser.add_argument('--cameras', type=int, default=CAMERAS)
    parser.add_argument('--link', default='', help='only links with this in their name')
    for internal in ('--inside', '--idle', NEVER):
        parser.add_argument(internal, action='store_true', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.never_suspect:
        suspicion.NEAR = -1.0
    if arguments.inside:
        asyncio.run(measure(arguments.seconds, arguments.cameras, not arguments.idle))
        return 0
    reason = why_not()
    if reason:
        print(f'skipped: {reason}')
        return 0
    bench = Bench(arguments.seconds, arguments.cameras,
                  [name for name in LINKS if arguments.link in name])
    print(HEAD, end='', flush=True)
    for row in bench.rows():
        print(row, end='', flush=True)
    return 1 if bench.alarms else 0


if __name__ == '__main__':
    sys.exit(main())
