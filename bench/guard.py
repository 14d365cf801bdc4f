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
Guard the hot path: bytecode instructions for each boxes message, against what they were.

Counts, not seconds: the same on a busy machine. One message at a time goes through the real
process; the least of many leaves out what the clock does meanwhile. The unit is what a fixed
piece of code takes in this Python, so that the figures of different Pythons can be compared.

  python3 bench/guard.py            compare with guard.json; exit code 1 names the row that fell
  python3 bench/guard.py --write    take the figures of today as the new ones
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import time
from typing import Any

from processes.counted_bridge import install, remove
from rig.accounting import wait_until_asleep
from rig.actors import BENCH, PROCESSES
from rig.counter import open_counter
from rig.testbed import bridge_command, wait, World

FIGURES = BENCH / 'guard.json'
BOXES = (1, 20, 100)
MESSAGES = 25
WARM_UP = 5
# What is added to the name of a row, and folders that come first where modules are looked for.
EXECUTORS = {'': [], ' by wait sets': [str(BENCH / 'without' / 'events_executor')]}
# How much more there may be. Other releases of rclpy and websockets do more or less.
ROOM = {'own code': 1.25, 'all Python code': 1.6}


def yardstick() -> int:
    """Do what the hot path's code does: calls, attributes, tuples, conditions."""
    class Thing:

        def __init__(self, number: int) -> None:
            self.number = number
            self.pair = (number, str(number))

    total = 0
    for number in range(50):
        thing = Thing(number)
        if thing.number % 3 and thing.pair[1] != '7':
            total += len([part for part in thing.pair if part is not None])
    return total


def unit(path: str) -> float:
    """Return how many instructions this Python needs for a hundredth of the yardstick."""
    pathlib.Path(path).write_bytes(bytes(24))
    slots = open_counter(path)
    install(slots, folder='')
    try:
        yardstick()
    finally:
        remove()
    return slots[1] / 100


def measure(kind: str = '') -> dict[str, float]:
    """Return the figures by row; `kind`: which of EXECUTORS."""
    rows: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        world = World(stack)
        world.environment['PYTHONPATH'] = os.pathsep.join(
            filter(None, [*EXECUTORS[kind], os.environ.get('PYTHONPATH')]))
        path = world.file('instructions')
        one = unit(path)
        slots = open_counter(path)
        bridge = world.start_bridge([
            sys.executable, str(PROCESSES / 'counted_bridge.py'), path,
            *bridge_command(world.port)[1:]])
        world.wait_until_registered()
        for boxes in BOXES:
            counts = [_count(world, bridge.pid, slots, boxes) for _ in range(MESSAGES)][WARM_UP:]
            for at, code in enumerate(ROOM):
                rows[f'{boxes} boxes{kind}, {code}'] = min(count[at] for count in counts) / one
        _stop_counting(world, slots)
    return {name: round(value, 2) for name, value in rows.items()}


def _count(world: World, pid: int, slots: memoryview, boxes: int) -> tuple[int, int]:
    wait_until_asleep(pid)
    before = (slots[0], slots[1])
    begin = world.server.call('seen')['count']
    world.publisher.call('one', boxes=boxes)
    wait(lambda: world.server.call('seen')['count'] > begin, 'the message has come')
    time.sleep(0.01)  # the answer to a ping is on its way
    wait_until_asleep(pid)
    return slots[0] - before[0], slots[1] - before[1]


def _stop_counting(world: World, slots: memoryview) -> None:
    slots[2] = 1
    counts = [slots[1], -1]
    while counts[0] != counts[1]:  # the loop's thread wakes up 4 times a second
        world.publisher.call('one')
        time.sleep(1.0)  # until the next look
        counts = [slots[1], counts[0]]


def fallen(now: dict[str, float], before: dict[str, Any]) -> list[str]:
    """Return a line for every row that costs more than it may."""
    lines = []
    for row, value in now.items():
        room = ROOM[row.partition(', ')[2]]
        if row not in before:
            lines.append(f'{row}: not in guard.json; run bench/guard.py --write')
        elif value > before[row] * room:
            lines.append(f'{row}: {value} units for each message; it was {before[row]}, '
                         f'and {before[row] * room:.2f} are allowed')
    return lines


def main() -> int:
    """Measure, and compare or write."""
    now = {row: value for kind in EXECUTORS for row, value in measure(kind).items()}
    if '--write' in sys.argv[1:]:
        FIGURES.write_text(json.dumps(now, indent=1) + '\n', encoding='utf-8')
        return 0
    before = json.loads(FIGURES.read_text(encoding='utf-8'))
    for row, value in now.items():
        print(f'{row}: {value} units for each message, was {before.get(row)}')
    complaints = fallen(now, before)
    for line in complaints:
        print('SLOWER: ' + line)
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
