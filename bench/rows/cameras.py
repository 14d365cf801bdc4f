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

Every camera gets frames of 20 boxes at 30 a second, or fewer where that were more than 480 a
second in all; one camera after the other, evenly spread, and then all at the same moments. The
floor is the separate processes.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import json
import time
from typing import Any

from rig.accounting import cpu_seconds, pss, rss, wait_until_asleep
from rig.stats import slope, summary
from rig.testbed import Bridge, bridge_command, count_until, executable, World

SEPARATE = (1, 2, 4, 8)
TOGETHER = (1, 2, 4, 8, 16, 32, 64)
BOXES = 20
RATE = 30  # messages a second and camera
RATE_IN_ALL = 480  # messages a second, at most
REST = 2.0  # seconds without work: before what is measured, and for the idle share


class Site:
    """So many cameras with all their bridges running."""

    def __init__(self, stack: contextlib.ExitStack, cameras: int, together: bool) -> None:
        """Start everything and wait until all are registered."""
        self.cameras = cameras
        self.rate = min(RATE_IN_ALL, RATE * cameras)  # messages a second in all
        self.lost = 0
        names = [f'cam{number}' for number in range(1, cameras + 1)]
        self.world = World(stack, [f'/{name}' for name in names])
        self.bridges: list[Bridge] = []
        if together:
            self.bridges.append(self.world.start_bridge(_multi(self.world, names)))
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
        return 100 * self._share(lambda: time.sleep(REST))

    def percent(self, seconds: float, at_once: bool) -> float:
        """Return the percentage of a core that all take together at work."""
        count = int(seconds * self.rate)
        begin = self.world.server.call('seen')['count']

        def work() -> None:
            self.world.publisher.call(
                'run', count=count, rate=self.rate, boxes=BOXES, window=max(50, self.cameras),
                burst=self.cameras if at_once else 1)
            self.world.server.call('wait', count=begin + count, timeout=5.0)
        share = self._share(work)
        self.lost += count - count_until(self.world.server, begin, count)
        return 100 * share

    def _share(self, work: Callable[[], None]) -> float:
        begin, cpu = time.monotonic(), sum(map(cpu_seconds, self.pids))
        work()
        return (sum(map(cpu_seconds, self.pids)) - cpu) / (time.monotonic() - begin)


def _multi(world: World, names: list[str]) -> list[str]:
    """Return the command of one process for all cameras."""
    path = world.file('cameras.yaml')
    with open(path, 'w', encoding='utf-8') as file:  # JSON is YAML
        json.dump({'cameras': [{'camera_id': name, 'namespace': name,
                                'orchestrator_url': world.url} for name in names]}, file)
    return [executable('multi_bridge'), path]


def measure(cameras: int, kinds: list[bool], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return the lines of so many cameras: separate (False) and together (True), in turns."""
    with contextlib.ExitStack() as stack:
        sites = [Site(stack, cameras, together) for together in kinds]
        memory = [(rss(site.pids), pss(site.pids)) for site in sites]
        idle = [site.idle_percent() for site in sites]
        spread: list[list[float]] = [[] for _ in sites]
        at_once: list[list[float]] = [[] for _ in sites]
        for _ in range(rounds):
            for site, *percents in zip(sites, spread, at_once):
                for moments, percent in enumerate(percents):
                    percent.append(site.percent(seconds, at_once=bool(moments)))
        lines = [{
            'cameras': cameras, 'together': together, 'processes': len(site.pids),
            'rate': site.rate, 'lost': site.lost,
            'rss_mib': memory[at][0], 'pss_mib': memory[at][1],
            'idle_percent_of_a_core': idle[at], 'percent_of_a_core': summary(spread[at]),
            'at_once_percent_of_a_core': summary(at_once[at])}
            for at, (together, site) in enumerate(zip(kinds, sites))]
        if len(sites) == 2:
            for name, runs in (('ratio', spread), ('at_once_ratio', at_once)):
                lines[1][name] = summary([one / other for other, one in zip(*runs)])
        return lines


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    lines: list[dict[str, Any]] = []
    for cameras in (2,) if quick else TOGETHER:
        kinds = [False, True] if cameras in SEPARATE else [True]
        for line in measure(cameras, kinds, rounds, 1.0 if quick else 2.0):
            lines.append(line)
            say(describe(line))
    result: dict[str, Any] = {'boxes': BOXES, 'lines': lines}
    for name, together in (('separate', False), ('together', True)):
        chosen = [line for line in lines if line['together'] == together]
        if len(chosen) > 1:
            result[f'{name}_mib_a_camera'] = slope(
                [line['cameras'] for line in chosen], [line['rss_mib'] for line in chosen])
    return result


def describe(line: dict[str, Any]) -> str:
    """Return a line of the table for the terminal."""
    cpu, at_once = line['percent_of_a_core'], line['at_once_percent_of_a_core']
    return (
        f'{line["cameras"]:>2} cameras in {line["processes"]:>2} processes: RSS '
        f'{line["rss_mib"]:.0f} MiB, PSS {line["pss_mib"]:.0f} MiB, CPU {cpu["median"]:.1f} '
        f'({cpu["min"]:.1f}-{cpu["max"]:.1f}) % of a core, '
        f'all at once {at_once["median"]:.1f} %, idle '
        f'{line["idle_percent_of_a_core"]:.1f} %, lost {line["lost"]:.0f}'
        + (f', ratio {line["ratio"]["median"]:.2f}, all at once '
           f'{line["at_once_ratio"]["median"]:.2f}' if 'ratio' in line else ''))
