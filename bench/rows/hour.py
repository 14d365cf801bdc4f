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
An hour of steady load in a few minutes: as many messages as in an hour at 30 a second.

What would grow with the number of messages shows: memory (its slope behind the warm-up), and CPU
time a message from the first twelfth to the last.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from typing import Any

from rig.accounting import cpu_seconds, rss
from rig.stats import slope
from rig.testbed import count_until, World

MESSAGES = 108_000  # an hour at 30 a second
CHUNKS = 12
WARM_UP = 2  # chunks that the slope leaves out
BOXES = 20


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results; once, whatever the rounds."""
    chunk = (2400 if quick else MESSAGES) // CHUNKS
    memory, cost, lost = [], [], 0
    with contextlib.ExitStack() as stack:
        world = World(stack)
        bridge = world.start_bridge()
        world.wait_until_registered()
        for _ in range(CHUNKS):
            cpu = cpu_seconds(bridge.pid)
            begin = world.server.call('seen')['count']
            world.publisher.call('run', count=chunk, rate=0, boxes=BOXES, window=64)
            lost += chunk - count_until(world.server, begin, chunk)
            cost.append((cpu_seconds(bridge.pid) - cpu) / chunk * 1e6)
            memory.append(rss([bridge.pid]))
    steady = memory[WARM_UP:]
    result = {
        'rounds': 1, 'messages': chunk * CHUNKS, 'lost': lost, 'rss_mib': memory, 'cpu_us': cost,
        'slope_bytes_a_message': slope([chunk * i for i in range(len(steady))],
                                       [2**20 * value for value in steady]),
        'growth_mib': steady[-1] - steady[0], 'cpu_last_to_first': cost[-1] / cost[0]}
    say(f'{chunk * CHUNKS} messages, {lost} lost: RSS {memory[0]:.1f} -> {memory[-1]:.1f} MiB, '
        f'{result["growth_mib"]:+.2f} MiB behind the warm-up '
        f'({result["slope_bytes_a_message"]:+.1f} bytes a message); CPU {cost[0]:.0f} -> '
        f'{cost[-1]:.0f} us a message')
    return result
