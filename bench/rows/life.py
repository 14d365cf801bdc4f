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
Start-up until registered, memory at rest, and recovery after a short outage.

Floor of start-up and memory: a program that only creates a node with one subscription and a
WebSocket. A recovery has no floor: it is made of the pauses between attempts.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import subprocess
import sys
import time
from typing import Any

from rig.accounting import rss, wait_until_asleep
from rig.actors import PROCESSES
from rig.stats import summary
from rig.testbed import wait, World

OUTAGE = 2.0  # seconds
REST = 1.0  # seconds until memory at rest is read


def registration(world: World, begin: int, before: int) -> float:
    """Return the seconds from `begin` (nanoseconds) to the next registration."""
    def come() -> bool:
        return len(world.server.call('seen')['registered_at']) > before
    wait(come, 'it is registered')
    return float((world.server.call('seen')['registered_at'][before] - begin) / 1e9)


def floor(world: World) -> tuple[float, float]:
    """Return seconds to start and memory (MiB) of the least program."""
    before = len(world.server.call('seen')['registered_at'])
    begin = time.monotonic_ns()
    with subprocess.Popen(
            [sys.executable, str(PROCESSES / 'bare_node.py'), world.url], stdin=subprocess.PIPE,
            env={**world.process_environment()}) as process:
        try:
            seconds = registration(world, begin, before)
            time.sleep(REST)
            memory = rss([process.pid])
        finally:
            assert process.stdin is not None
            process.stdin.close()
    return seconds, memory


def bridge(world: World) -> tuple[float, float, float]:
    """Return seconds to start, memory (MiB) at rest, and seconds to recover."""
    before = len(world.server.call('seen')['registered_at'])
    process = world.start_bridge()
    try:
        seconds = registration(world, process.started_at, before)
        time.sleep(REST)
        wait_until_asleep(process.pid)
        memory = rss([process.pid])
        world.server.call('go')
        time.sleep(OUTAGE)
        recovery = registration(world, world.server.call('listen')['at'], before + 1)
    finally:
        process.close()
    return seconds, memory, recovery


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    runs: dict[str, list[float]] = {name: [] for name in (
        'start_s', 'floor_start_s', 'start_ratio', 'rest_mib', 'floor_rest_mib', 'rest_ratio',
        'recovery_s')}
    with contextlib.ExitStack() as stack:
        world = World(stack)
        floor(world)  # so that every file is in the page cache
        for _ in range(rounds if quick else 2 * rounds):
            floor_start, floor_memory = floor(world)
            start, memory, recovery = bridge(world)
            for name, value in zip(runs, (
                    start, floor_start, start / floor_start, memory, floor_memory,
                    memory / floor_memory, recovery)):
                runs[name].append(value)
    result = {name: summary(values) for name, values in runs.items()}
    say(describe(result))
    return {'outage_s': OUTAGE, **result}


def describe(result: dict[str, Any]) -> str:
    """Return the row for the terminal."""
    def of(name: str) -> str:
        one = result[name]
        return f'{one["median"]:.2f} ({one["min"]:.2f}-{one["max"]:.2f})'
    return (
        f'registered {of("start_s")} s after start, floor {of("floor_start_s")} s; at rest '
        f'{of("rest_mib")} MiB, floor {of("floor_rest_mib")} MiB; registered again '
        f'{of("recovery_s")} s after the server is back')
