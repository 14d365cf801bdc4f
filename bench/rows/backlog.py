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
A full buffer after an outage: how fast it drains, and what memory it takes.

The buffer is bounded to 64 MiB, as by default: that is more than 20,000 messages of 20 boxes.

Floor of the drain: a bare `websockets` client that sends the same strings to the same server. The
bridge waits for acknowledgement while it drains, as always. Both are timed at the server, from the
first message to the last. The floor of the memory is the payload itself.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import time
from typing import Any

from rig.accounting import MIB, rss, wait_until_asleep
from rig.actors import Actor
from rig.stats import summary
from rig.testbed import Bridge, count_until, REGISTERED, wait, World

BACKLOG = 22_000  # messages, a few more than the buffer holds
BUFFER = {'boxes_max_messages': 30_000, 'boxes_max_bytes': 64 * MIB}
BOXES = 20
BATCH = 50  # the bridge's subscription holds 100
REST = 1.0  # seconds from the last work until memory is read


def _later_status(publisher: Actor) -> dict[str, Any]:
    """Wait for a status that the bridge makes from now on; it makes one a second."""
    seen = publisher.call('status')['statuses']
    wait(lambda: publisher.call('status')['statuses'] > seen, 'the bridge tells its status')
    return dict(publisher.call('status'))


def fill(world: World, bridge: Bridge, count: int) -> dict[str, Any]:
    """Publish while the bridge is not connected, until it has taken `count` messages."""
    publisher = world.publisher
    wait(lambda: publisher.call('status')['state'] not in REGISTERED, 'the bridge has noticed')
    begin = publisher.call('status')['accepted']

    def missing() -> int:
        taken = -1
        while taken != (now := _later_status(publisher)['accepted']):
            taken = now
        return int(begin + count - taken)
    left = count
    while left > 0:
        publisher.call('run', count=left, rate=0, boxes=BOXES, batch=BATCH, pid=bridge.pid)
        left = missing()
    return dict(publisher.call('status'))


def drain(server: Actor, count: int) -> float:
    """Let the server come back; return messages a second."""
    begin = server.call('wait', count=0)['count']
    server.call('listen')
    arrived = count_until(server, begin, count)
    seen = server.call('wait', count=0)
    if arrived < count:
        raise RuntimeError(f'{arrived} of {count} messages came')
    return float((count - 1) / (seen['last_at'] - seen['first_at']) * 1e9)


def one_round(count: int) -> dict[str, float]:
    """Return the figures of one outage."""
    with contextlib.ExitStack() as stack:
        world = World(stack)
        server = world.server
        bridge = world.start_bridge(**BUFFER)
        world.wait_until_registered()
        begin = server.call('seen')['count']
        world.publisher.call('run', count=500, rate=0, boxes=BOXES, window=64)
        count_until(server, begin, 500)
        server.call('keep', on=True)
        world.publisher.call('one', boxes=BOXES)
        count_until(server, begin, 501)
        text = server.call('keep', on=False)
        time.sleep(REST)
        wait_until_asleep(bridge.pid)
        baseline = rss([bridge.pid])
        server.call('go')
        status = fill(world, bridge, count)
        full = rss([bridge.pid])
        server.call('reset')
        rate = drain(server, status['queued'])

        def drained() -> bool:
            now = world.publisher.call('status')
            return bool(now['queued'] == 0 and now['acknowledged'] == now['sent'])
        wait(drained, 'all is acknowledged')
        time.sleep(REST)
        after = rss([bridge.pid])
        bare = _bare(world, server, text, count)
    payload = status['queued_bytes'] / MIB
    return {
        'queued': status['queued'], 'payload_mib': payload,
        'bridge_rate': rate, 'floor_rate': bare, 'ratio': rate / bare,
        'baseline_mib': baseline, 'full_mib': full, 'after_mib': after,
        'growth': (full - baseline) / payload, 'left': (after - baseline) / baseline}


def _bare(world: World, server: Actor, text: str, count: int) -> float:
    client = world.actor('bare_client', world.url)
    client.call('connect')
    begin = server.call('reset')
    client.call('run', count=count, rate=0, text=text)
    if count_until(server, begin, count) < count:
        raise RuntimeError('the floor has lost messages')
    seen = server.call('seen')
    return float((count - 1) / (seen['last_at'] - seen['first_at']) * 1e9)


def against_tornado(count: int) -> float:
    """Return messages a second into this package's simulator, which parses each."""
    with contextlib.ExitStack() as stack:
        world = World(stack)
        server = world.actor('tornado_server')
        port = server.call('listen')['port']
        bridge = world.start_bridge(
            orchestrator_url=f'ws://127.0.0.1:{port}/processor', **BUFFER)
        wait(lambda: world.publisher.call('status')['state'] in REGISTERED, 'it is registered')
        wait(lambda: world.publisher.call('matched'), 'boxes is subscribed')
        server.call('go')
        return drain(server, fill(world, bridge, count)['queued'])


def run(rounds: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the row's results."""
    count = 2000 if quick else BACKLOG
    runs = []
    for _ in range(rounds):
        runs.append(one_round(count))
        say(describe(runs[-1]))
    result: dict[str, Any] = {name: summary([one[name] for one in runs]) for name in runs[0]}
    if not quick:
        result['tornado_rate'] = against_tornado(count // 4)
        say(f'drain into the simulated orchestrator: {result["tornado_rate"]:.0f}/s')
    return {'boxes': BOXES, **result}


def describe(one: dict[str, float]) -> str:
    """Return a line of the table for the terminal."""
    return (
        f'drain of {one["queued"]} messages {one["bridge_rate"]:.0f}/s, '
        f'floor {one["floor_rate"]:.0f}/s, '
        f'ratio {one["ratio"]:.2f}; {one["payload_mib"]:.1f} MiB of payload: RSS '
        f'{one["baseline_mib"]:.0f} -> {one["full_mib"]:.0f} -> {one["after_mib"]:.0f} MiB, '
        f'growth {one["growth"]:.2f} x payload, left {100 * one["left"]:.0f} %')
