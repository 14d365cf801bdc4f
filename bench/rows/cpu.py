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
CPU time for each boxes message, from ROS to the orchestrator.

Floor: the same messages received by Fast DDS in a process that never takes them, plus the same
bytes sent by a bare `websockets` client in another. What each costs while idle is subtracted.

Two more bridges tell what it costs without orjson, with the standard library's JSON instead, and
without rclpy's events executor, as where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import os
import pathlib
import time
from typing import Any

from rig.accounting import cpu_seconds
from rig.stats import summary
from rig.testbed import count_until, idle_share, wait, World

WINDOW = 64  # messages under way; the bridge's subscription holds 100
FAST = 0  # as fast as possible
RATES = (30, 300, FAST)  # messages a second
BOXES = (1, 20, 100)
FAST_FLOOR = 5  # times as many messages for the floor as for the bridge, where both go fast
TYPICAL = (300, 20)  # messages a second, boxes; measured without some things too
CALM = (30, 20)  # the same, as of one camera
# A folder a thing: what lies in it keeps the thing from being found.
WITHOUT = pathlib.Path(__file__).parents[1] / 'without'


class CpuBed:
    """The bridge and both floors, running, for any number of measurements."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Start everything and wait until it is connected."""
        self.floors = World(stack)
        self.worlds = {'bridge': World(stack)}
        self.pids = {'bridge': self.worlds['bridge'].start_bridge().pid}
        self.receiver = self.floors.actor('receiver', 'boxes', 'boxes')
        self.client = self.floors.actor('bare_client', self.floors.url)
        self.pids |= {'dds': self.receiver.pid, 'websockets': self.client.pid}
        self.worlds['bridge'].wait_until_registered()
        self.client.call('connect')
        wait(lambda: self.floors.publisher.call('matched') and self.receiver.call('matched'),
             'the floor has matched')
        self.idle = dict.fromkeys(self.pids, 0.0)

    def add_bridge_without(self, stack: contextlib.ExitStack, what: str) -> None:
        """Start another bridge, which does not find something, in a world of its own."""
        name = f'without_{what}'
        self.worlds[name] = world = World(stack)
        world.environment['PYTHONPATH'] = os.pathsep.join(
            filter(None, [str(WITHOUT / what), os.environ.get('PYTHONPATH')]))
        self.pids[name] = world.start_bridge().pid
        world.wait_until_registered()

    def measure_idle(self, seconds: float) -> None:
        """Measure what each costs while nothing is asked of it."""
        for name, pid in self.pids.items():
            self.idle[name] = idle_share(pid, seconds)

    def text(self, boxes: int) -> str:
        """Return what the bridge sends for a frame with so many boxes."""
        world = self.worlds['bridge']
        server = world.server
        server.call('keep', on=True)
        begin = server.call('seen')['count']
        world.publisher.call('one', boxes=boxes)
        wait(lambda: server.call('seen')['count'] > begin, 'the message has come')
        return str(server.call('keep', on=False))

    def through_bridge(
            self, count: int, rate: float, boxes: int, name: str = 'bridge') -> dict[str, float]:
        """Return CPU seconds a message, messages a second, and how many were lost."""
        world = self.worlds[name]

        def work() -> int:
            begin = world.server.call('seen')['count']
            world.publisher.call('run', count=count, rate=rate, boxes=boxes, window=WINDOW)
            return count_until(world.server, begin, count)
        return self._measure(name, count, work)

    def through_dds(self, count: int, rate: float, boxes: int) -> dict[str, float]:
        """Return the same for Fast DDS alone."""
        def work() -> int:
            self.floors.publisher.call(
                'run', count=count, rate=rate, boxes=boxes, batch=0 if rate else WINDOW,
                pid=self.receiver.pid)
            return count
        result = self._measure('dds', count, work)
        if not self.receiver.call('drain'):
            raise RuntimeError('nothing reached the floor of DDS')
        return result

    def through_websockets(self, count: int, rate: float, text: str) -> dict[str, float]:
        """Return the same for a bare WebSocket client alone."""
        def work() -> int:
            begin = self.floors.server.call('seen')['count']
            self.client.call('run', count=count, rate=rate, text=text)
            return count_until(self.floors.server, begin, count)
        return self._measure('websockets', count, work)

    def _measure(self, name: str, count: int, work: Callable[[], int]) -> dict[str, float]:
        pid = self.pids[name]
        begin, cpu = time.monotonic(), cpu_seconds(pid)
        arrived = work()
        seconds = time.monotonic() - begin
        used = cpu_seconds(pid) - cpu - self.idle[name] * seconds
        return {'cpu': used / max(1, arrived), 'rate': arrived / seconds, 'lost': count - arrived}


def messages(rate: float, boxes: int, quick: bool) -> int:
    """Return how many messages one run takes."""
    if rate:
        return int(rate * (1.0 if quick or rate >= 300 else 2.0))
    return 300 if quick or boxes > 50 else 1000


def measure(bed: CpuBed, rate: float, boxes: int, rounds: int, count: int) -> dict[str, Any]:
    """Return one line of the table; floor and bridge take turns."""
    text = bed.text(boxes)
    bed.through_bridge(min(count, 50), rate, boxes)  # warm up
    floor_count = count if rate else FAST_FLOOR * count  # else it is over in an instant
    runs: dict[str, list[float]] = {
        name: [] for name in ('bridge', 'dds', 'websockets', 'floor', 'ratio')}
    reached, lost = [], 0.0
    for _ in range(rounds):
        dds = bed.through_dds(floor_count, rate, boxes)['cpu'] * 1e6
        websockets = bed.through_websockets(floor_count, rate, text)['cpu'] * 1e6
        bridge = bed.through_bridge(count, rate, boxes)
        reached.append(bridge['rate'])
        lost += bridge['lost']
        values = (bridge['cpu'] * 1e6, dds, websockets, dds + websockets,
                  bridge['cpu'] * 1e6 / (dds + websockets))
        for name, value in zip(runs, values):
            runs[name].append(value)
    return {
        'boxes': boxes, 'asked_rate': rate or 'fast', 'bytes': len(text), 'messages': count,
        'reached_rate': summary(reached), 'lost': lost,
        **{f'{name}_us' if name != 'ratio' else name: summary(values)
           for name, values in runs.items()}}


def measure_without(
        bed: CpuBed, what: str, rate: float, boxes: int, rounds: int,
        quick: bool) -> dict[str, Any]:
    """Return what a message costs with something and without it; the two take turns."""
    runs: dict[str, list[float]] = {'bridge_us': [], 'without_us': [], 'ratio': []}
    count = messages(rate, boxes, quick)
    bed.through_bridge(min(count, 50), rate, boxes, f'without_{what}')  # warm up
    for _ in range(rounds):
        bridge, without = (1e6 * bed.through_bridge(count, rate, boxes, name)['cpu']
                           for name in ('bridge', f'without_{what}'))
        for name, value in zip(runs, (bridge, without, without / bridge)):
            runs[name].append(value)
    return {'asked_rate': rate, 'boxes': boxes,
            **{name: summary(values) for name, values in runs.items()}}


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    lines = []
    with contextlib.ExitStack() as stack:
        bed = CpuBed(stack)
        for what in ('orjson', 'events_executor'):
            bed.add_bridge_without(stack, what)
        bed.measure_idle(1.0 if quick else 4.0)
        combinations = [TYPICAL] if quick else [
            (rate, boxes) for rate in RATES for boxes in BOXES]
        for rate, boxes in combinations:
            lines.append(measure(bed, rate, boxes, rounds, messages(rate, boxes, quick)))
            say(describe(lines[-1]))
        without = {
            what: [measure_without(bed, what, rate, boxes, rounds, quick) for rate, boxes in loads]
            for what, loads in (('orjson', [TYPICAL]), ('events_executor', [CALM, TYPICAL]))}
        idle = dict(bed.idle)
    for what, compared in without.items():
        for line in compared:
            say(f'without {what} at {line["asked_rate"]}/s {line["without_us"]["median"]:.0f} us, '
                f'ratio {line["ratio"]["median"]:.2f} to the bridge with it; '
                f'idle {100 * idle[f"without_{what}"]:.2f} and {100 * idle["bridge"]:.2f} %')
    return {'idle_percent_of_a_core': {name: 100 * share for name, share in idle.items()},
            'lines': lines, 'without': without}


def describe(line: dict[str, Any]) -> str:
    """Return a line of the table for the terminal."""
    def of(name: str) -> str:
        return f'{line[name]["median"]:.0f} ({line[name]["min"]:.0f}-{line[name]["max"]:.0f})'
    ratio = line['ratio']
    return (
        f'{line["boxes"]:>4} boxes at {line["asked_rate"]:>4}/s: bridge {of("bridge_us")} us, '
        f'floor {of("floor_us")} us (DDS {line["dds_us"]["median"]:.0f}, '
        f'websockets {line["websockets_us"]["median"]:.0f}), ratio {ratio["median"]:.2f} '
        f'({ratio["min"]:.2f}-{ratio["max"]:.2f}), reached {line["reached_rate"]["median"]:.0f}/s,'
        f' lost {line["lost"]:.0f}')
