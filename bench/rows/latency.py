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
Latency from a ROS publisher to the orchestrator, and from the orchestrator to a ROS callback.

Floor: DDS one way into a bare wait set, plus a bare `websockets` client one way; what the two take
one after the other is the distribution of sums of a value of each. All processes read one clock.
"""

from __future__ import annotations

import array
from collections.abc import Callable
import contextlib
import pathlib
from typing import Any

from rig.actors import Actor
from rig.stats import percentile, summary, sums_of_pairs
from rig.testbed import count_until, wait, World

PERCENTILES = {'p50': 50, 'p99': 99, 'p99.9': 99.9}
BOXES = 20
RATE = 200  # boxes messages a second
COMMAND_RATE = 80  # stops a second; the bridge takes 100 at most (command_rate)
BURST = 5  # commands, at once
BURST_RATE = 5  # bursts a second
NAGLE = ('bare websockets', 'bare websockets with TCP_QUICKACK', 'bridge')


class LatencyBed:
    """The bridge and both floors, and how long each takes."""

    def __init__(self, stack: contextlib.ExitStack, nagle: bool = False) -> None:
        """Start everything and wait until it is connected."""
        self.world, self.floors = World(stack, nagle=nagle), World(stack, nagle=nagle)
        self.bridge = self.world.start_bridge()
        self.commands = self.world.actor('receiver', 'stop', 'camera_ws_bridge/stop')
        self.floor_boxes = self.floors.actor('receiver', 'boxes', 'boxes')
        self.floor_stops = self.floors.actor('receiver', 'stop', 'floor_stop')
        self.client = self.floors.actor('bare_client', self.floors.url)
        self.world.wait_until_registered()
        self.client.call('connect')
        for what in (self.commands, self.floor_boxes, self.floor_stops):
            wait(lambda: what.call('matched'), 'all have matched')  # noqa: B023
        wait(lambda: self.floors.publisher.call('matched')
             and self.floors.publisher.call('stops_matched'), 'the floor has matched')
        self.text = self._text()

    def _text(self) -> str:
        server = self.world.server
        server.call('keep', on=True)
        begin = server.call('seen')['count']
        self.world.publisher.call('one', boxes=BOXES)
        wait(lambda: server.call('seen')['count'] > begin, 'the message has come')
        return str(server.call('keep', on=False))

    # ---- ROS to orchestrator

    def boxes_through_bridge(self, count: int) -> list[float]:
        """Return the milliseconds from publish() to the bytes' arrival at the server."""
        return self._into_server(self.world, count, lambda sent: self.world.publisher.call(
            'run', count=count, rate=RATE, boxes=BOXES, stamps=sent))

    def boxes_through_websockets(self, count: int) -> list[float]:
        """Return the milliseconds from a bare client's send() to the server."""
        return self._into_server(self.floors, count, lambda sent: self.client.call(
            'run', count=count, rate=RATE, text=self.text, stamps=sent))

    def boxes_through_dds(self, count: int) -> list[float]:
        """Return the milliseconds from publish() to the bytes in a subscriber's hands."""
        return self._into_receiver(
            self.floor_boxes, self.floors, count, lambda sent: self.floors.publisher.call(
                'run', count=count, rate=RATE, boxes=BOXES, stamps=sent))

    def _into_server(
            self, world: World, count: int, send: Callable[[str], Any]) -> list[float]:
        sent, came = world.file('sent'), world.file('came')
        begin = world.server.call('seen')['count']
        world.server.call('stamp', on=True)
        send(sent)
        count_until(world.server, begin, count)
        world.server.call('stamp', on=False, stamps=came)
        return differences(sent, came, count)

    # ---- orchestrator to ROS

    def commands_through_bridge(self, count: int) -> list[float]:
        """Return the milliseconds from the server's write to a subscriber's hands."""
        return self._into_receiver(
            self.commands, self.world, count, lambda sent: self.world.server.call(
                'commands', count=count, rate=COMMAND_RATE, stamps=sent))

    def commands_through_dds(self, count: int) -> list[float]:
        """Return the milliseconds of a Stop from publish() to a subscriber's hands."""
        return self._into_receiver(
            self.floor_stops, self.floors, count, lambda sent: self.floors.publisher.call(
                'stops', count=count, rate=COMMAND_RATE, stamps=sent))

    def commands_through_websockets(self, count: int) -> list[float]:
        """Return the milliseconds from the server's write to a bare client's recv()."""
        sent, came = self.floors.file('sent'), self.floors.file('came')
        self.client.begin('receive', count=count, stamps=came, quick_ack=False)
        self.floors.server.call('commands', count=count, rate=COMMAND_RATE, stamps=sent)
        self.client.finish()
        return differences(sent, came, count)

    # ---- the same in bursts, while boxes go the other way: then the kernel delays its ACKs

    def bursts_through_bridge(self, count: int) -> list[float]:
        """Return the milliseconds from the server's write to a subscriber's hands."""
        def send(sent: str) -> None:
            self.world.publisher.begin(
                'run', count=int(count / BURST_RATE * 30), rate=30, boxes=BOXES)
            self.world.server.call(
                'commands', count=count, rate=BURST_RATE, burst=BURST, stamps=sent)
            self.world.publisher.finish()
        return self._into_receiver(self.commands, self.world, count * BURST, send)

    def bursts_through_websockets(self, count: int, quick_ack: bool) -> list[float]:
        """Return the milliseconds from the server's write to a bare client's recv()."""
        sent, came = self.floors.file('sent'), self.floors.file('came')
        self.client.begin('receive', count=count * BURST, stamps=came, quick_ack=quick_ack,
                          text=self.text, rate=30)
        self.floors.server.call(
            'commands', count=count, rate=BURST_RATE, burst=BURST, stamps=sent)
        self.client.finish()
        return differences(sent, came, count * BURST)

    def _into_receiver(self, receiver: Actor, world: World, count: int,
                       send: Callable[[str], Any]) -> list[float]:
        sent, came = world.file('sent'), world.file('came')
        receiver.call('drain')
        receiver.begin('take', count=count, stamps=came)
        send(sent)
        receiver.finish()
        return differences(sent, came, count)


def differences(sent: str, came: str, count: int) -> list[float]:
    """Return the milliseconds between the times in two files."""
    begin, end = (array.array('q', pathlib.Path(path).read_bytes()) for path in (sent, came))
    if not len(begin) == len(end) == count:
        raise RuntimeError(f'{len(begin)} were sent and {len(end)} came, of {count}')
    return [(b - a) / 1e6 for a, b in zip(begin, end)]


def direction(
        name: str, bridge: Callable[[int], list[float]], dds: Callable[[int], list[float]],
        websockets: Callable[[int], list[float]], rounds: int, count: int) -> dict[str, Any]:
    """Return the line of one direction; floor and bridge take turns."""
    for warm_up in (dds, websockets, bridge):
        warm_up(20)
    runs: dict[str, dict[str, list[float]]] = {
        of: {which: [] for which in PERCENTILES}
        for of in ('bridge_ms', 'dds_ms', 'websockets_ms', 'floor_ms', 'ratio')}
    for _ in range(rounds):
        one, other, whole = dds(count), websockets(count), bridge(count)
        floor = sums_of_pairs(one, other)
        for which, percent in PERCENTILES.items():
            values = [percentile(all_of, percent) for all_of in (whole, one, other, floor)]
            for of, value in zip(runs, [*values, values[0] / values[3]]):
                runs[of][which].append(value)
    return {'direction': name, 'messages': count, **{
        of: {which: summary(values) for which, values in by_percent.items()}
        for of, by_percent in runs.items()}}


def nagle(rounds: int, count: int) -> list[dict[str, Any]]:
    """Return the lines of bursts from a server with Nagle's algorithm on."""
    with contextlib.ExitStack() as stack:
        bed = LatencyBed(stack, nagle=True)
        ways: list[Callable[[], list[float]]] = [
            lambda: bed.bursts_through_websockets(count, quick_ack=False),
            lambda: bed.bursts_through_websockets(count, quick_ack=True),
            lambda: bed.bursts_through_bridge(count)]
        runs: list[dict[str, list[float]]] = [{'p50': [], 'max': []} for _ in NAGLE]
        for _ in range(rounds):
            for way, result in zip(ways, runs):
                values = way()
                result['p50'].append(percentile(values, 50))
                result['max'].append(max(values))
    return [{'client': name, 'burst': BURST, 'bursts': count, 'p50_ms': summary(result['p50']),
             'max_ms': summary(result['max'])} for name, result in zip(NAGLE, runs)]


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    lines = []
    with contextlib.ExitStack() as stack:
        bed = LatencyBed(stack)
        lines.append(direction(
            'ROS to orchestrator', bed.boxes_through_bridge, bed.boxes_through_dds,
            bed.boxes_through_websockets, rounds, 100 if quick else 1000))
        say(describe(lines[-1]))
        lines.append(direction(
            'orchestrator to ROS', bed.commands_through_bridge, bed.commands_through_dds,
            bed.commands_through_websockets, rounds, 40 if quick else 250))
        say(describe(lines[-1]))
    bursts = nagle(rounds, 3 if quick else 15)
    for line in bursts:
        say(f'burst of {line["burst"]} commands, server with Nagle, {line["client"]}: '
            f'p50 {line["p50_ms"]["median"]:.2f} ms, max {line["max_ms"]["median"]:.2f} ms')
    return {'lines': lines, 'nagle': bursts}


def describe(line: dict[str, Any]) -> str:
    """Return a line of the table for the terminal."""
    return f'{line["direction"]}: ' + ', '.join(
        f'{which} {line["bridge_ms"][which]["median"]:.2f} ms, '
        f'floor {line["floor_ms"][which]["median"]:.2f} ms, '
        f'ratio {line["ratio"][which]["median"]:.2f}' for which in PERCENTILES)
