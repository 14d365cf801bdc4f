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
Cost against cameras: processes of one camera each, against one process of all (multi_bridge).

Every camera gets frames of 20 boxes at 30 a second; one camera after the other, evenly spread, and
then all at the same moments. Of the same frames: CPU, latency, and how many never came. The floor
is the separate processes; many cameras in one process are measured without and with shared
wake-ups (wake_interval), in turns.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
import json
import time
from typing import Any

from rig.accounting import cpu_seconds, pss, rss, wait_until_asleep
from rig.stats import percentile, slope, summary
from rig.testbed import Bridge, bridge_command, count_until, executable, World
from rows.latency import differences

SEPARATE = (1, 2, 4, 8)
TOGETHER = (1, 2, 4, 8, 16, 32, 64)
SHARED = (8, 16, 32, 64)  # with shared wake-ups, too
WAKE_INTERVAL = 0.01  # seconds
BOXES = 20
RATE = 30  # messages a second and camera
REST = 2.0  # seconds without work: before what is measured, and for the idle share
WAYS = {'spread': False, 'at_once': True}  # whether all cameras' frames come at the same moments
PERCENTILES = {'p50': 50, 'p99': 99}


@dataclass
class Runs:
    """What was measured of a site in one of the ways, a figure a run."""

    percent: list[float] = field(default_factory=list)  # of a core
    rate: list[float] = field(default_factory=list)  # messages a second that arrived
    latency: dict[str, list[float]] = field(
        default_factory=lambda: {which: [] for which in PERCENTILES})  # milliseconds
    lost: int = 0

    def results(self) -> dict[str, Any]:
        """Return them for the results."""
        return {'percent_of_a_core': summary(self.percent), 'reached_rate': summary(self.rate),
                'latency_ms': {which: summary(values) for which, values in self.latency.items()
                               if values},
                'lost': self.lost}


class Site:
    """So many cameras with all their bridges running."""

    def __init__(self, stack: contextlib.ExitStack, cameras: int, together: bool,
                 wake_interval: float = 0.0) -> None:
        """Start everything and wait until all are registered."""
        self.cameras = cameras
        self.together = together
        self.wake_interval = wake_interval
        self.runs = {way: Runs() for way in WAYS}
        names = [f'cam{number}' for number in range(1, cameras + 1)]
        self.world = World(stack, [f'/{name}' for name in names])
        self.bridges: list[Bridge] = []
        if together:
            self.bridges.append(self.world.start_bridge(_multi(self.world, names, wake_interval)))
        else:
            for name in names:
                self.bridges.append(self.world.start_bridge(
                    [*bridge_command(self.world.port, camera_id=name), '-r', f'__ns:=/{name}']))
        self.world.wait_until_registered(cameras)
        time.sleep(REST)
        for bridge in self.bridges:
            wait_until_asleep(bridge.pid)

    @property
    def pids(self) -> list[int]:
        """Return the processes of all bridges."""
        return [bridge.pid for bridge in self.bridges]

    def idle_percent(self) -> float:
        """Return the percentage of a core that all take together while there is nothing to do."""
        begin, cpu = time.monotonic(), self._cpu()
        time.sleep(REST)
        return 100 * (self._cpu() - cpu) / (time.monotonic() - begin)

    def work(self, seconds: float, way: str) -> None:
        """Let the cameras' frames come for so many seconds, and note what that took."""
        runs, server = self.runs[way], self.world.server
        rate = RATE * self.cameras
        count = int(seconds * rate)
        sent, came = self.world.file('sent'), self.world.file('came')
        seen = server.call('seen')['count']
        server.call('stamp', on=True)
        begin, cpu = time.monotonic(), self._cpu()
        self.world.publisher.call(
            'run', count=count, rate=rate, boxes=BOXES, window=max(50, 2 * self.cameras),
            burst=self.cameras if WAYS[way] else 1, stamps=sent)
        arrived = count_until(server, seen, count)
        seconds = time.monotonic() - begin
        runs.percent.append(100 * (self._cpu() - cpu) / seconds)
        runs.rate.append(arrived / seconds)
        runs.lost += count - arrived
        server.call('stamp', on=False, stamps=came)
        if arrived == count:  # else whose is whose is not known
            values = differences(sent, came, count)
            for which, percent in PERCENTILES.items():
                runs.latency[which].append(percentile(values, percent))

    def _cpu(self) -> float:
        return sum(map(cpu_seconds, self.pids))


def _multi(world: World, names: list[str], wake_interval: float) -> list[str]:
    """Return the command of one process for all cameras."""
    path = world.file('cameras.yaml')
    with open(path, 'w', encoding='utf-8') as file:  # JSON is YAML
        json.dump({'cameras': [{'camera_id': name, 'namespace': name,
                                'orchestrator_url': world.url} for name in names]}, file)
    return [executable('multi_bridge'), path,
            '--ros-args', '-p', f'wake_interval:={wake_interval}']


def measure(cameras: int, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return the lines of so many cameras, which are measured in turns."""
    kinds = [(False, 0.0)] if cameras in SEPARATE else []
    kinds.append((True, 0.0))
    if cameras in SHARED:
        kinds.append((True, WAKE_INTERVAL))
    with contextlib.ExitStack() as stack:
        sites = [Site(stack, cameras, *kind) for kind in kinds]
        lines = [{
            'cameras': cameras, 'together': site.together, 'wake_interval': site.wake_interval,
            'processes': len(site.pids), 'rate': RATE * cameras, 'rss_mib': rss(site.pids),
            'pss_mib': pss(site.pids), 'idle_percent_of_a_core': site.idle_percent()}
            for site in sites]
        for _ in range(rounds):
            for way in WAYS:
                for site in sites:
                    site.work(seconds, way)
        for line, site in zip(lines, sites):
            for way, runs in site.runs.items():
                line[way] = runs.results()
                if site.together and not sites[0].together:
                    line[way]['ratio'] = summary([
                        one / other for one, other in zip(
                            runs.percent, sites[0].runs[way].percent)])
        return lines


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    lines: list[dict[str, Any]] = []
    for cameras in (2,) if quick else TOGETHER:
        for line in measure(cameras, rounds, 1.0 if quick else 2.0):
            lines.append(line)
            say(describe(line))
    result: dict[str, Any] = {'boxes': BOXES, 'lines': lines}
    for name, together in (('separate', False), ('together', True)):
        chosen = [line for line in lines
                  if line['together'] == together and not line['wake_interval']]
        if len(chosen) > 1:
            result[f'{name}_mib_a_camera'] = slope(
                [line['cameras'] for line in chosen], [line['rss_mib'] for line in chosen])
    return result


def describe(line: dict[str, Any]) -> str:
    """Return the lines of the table for the terminal."""
    shared = line['wake_interval']
    text = (f'{line["cameras"]:>2} cameras in {line["processes"]:>2} processes'
            f'{f", wake-ups shared over {1000 * shared:g} ms" if shared else ""}: RSS '
            f'{line["rss_mib"]:.0f} MiB, PSS {line["pss_mib"]:.0f} MiB, idle '
            f'{line["idle_percent_of_a_core"]:.1f} %')
    for way in WAYS:
        runs = line[way]
        cpu, latency = runs['percent_of_a_core'], runs['latency_ms']
        text += (f'\n   {way:>7}: CPU {cpu["median"]:.1f} ({cpu["min"]:.1f}-{cpu["max"]:.1f}) % '
                 f'of a core, reached {runs["reached_rate"]["median"]:.0f}/s of {line["rate"]}/s, '
                 f'lost {runs["lost"]:.0f}')
        text += ''.join(f', {which} {of["median"]:.2f} ms' for which, of in latency.items())
        if 'ratio' in runs:
            text += f', ratio {runs["ratio"]["median"]:.2f}'
    return text
