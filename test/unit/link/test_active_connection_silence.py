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

"""When a peer is left that says nothing, or not what it is asked for."""

import asyncio

from camera_ws_bridge.link.active_connection import TICK
from camera_ws_bridge.protocol.stop import Stop
import pytest
from rigs.link_rig import PING, Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_peer_that_never_answers_the_registration_is_dropped():
    rig = Rig(make=lambda index: {'answers': index > 0}).start()
    await rig.registered()
    assert rig.link.cause.startswith('silent:')
    assert 10 <= rig.attempts[1] - 0.5 <= 10 + 2 * TICK
    assert rig.connections[0].aborted


@virtual
async def test_idle_connection_is_pinged_and_a_silent_one_dropped():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(51)
    times = connection.times_of(PING)
    assert times == pytest.approx([5 * index for index in range(11)], abs=11 * TICK)
    connection.answers = False
    stopped = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2)
    assert 5 <= rig.clock() - stopped <= 5 + 10 + 1
    assert rig.link.cause.startswith('silent:')


@virtual
async def test_slow_peer_that_makes_progress_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    for _ in range(6):
        connection.bytes += 1
        await asyncio.sleep(9)
    assert len(rig.attempts) == 1
    await asyncio.sleep(2)
    assert len(rig.attempts) == 2


@virtual
async def test_peer_that_talks_but_does_not_pong_yet_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    for _ in range(6):
        connection.feed(Stop(1))
        await asyncio.sleep(9)
    assert len(rig.attempts) == 1


@virtual
async def test_peer_that_talks_but_never_pongs_is_left():
    rig = Rig(identify_interval=0.0, heartbeat_interval=5.0, heartbeat_timeout=10.0).start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    began = rig.clock()
    while len(rig.attempts) == 1:
        connection.feed(Stop(1))
        await asyncio.sleep(0.1)
    assert 60 <= rig.clock() - began <= 60 + 2
    assert 'silent' in rig.link.cause
    await rig.until(lambda: rig.outbox.acknowledged == 1)


@virtual
async def test_a_large_message_on_a_slow_link_may_take_its_time():
    rig = Rig(identify_interval=0.0, heartbeat_timeout=10.0).start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = connection.auto_delivered = True
    rig.put(1)
    await asyncio.sleep(300)
    assert len(rig.attempts) == 1
    connection.auto_delivered = False  # now it has all of it, and only talks
    began = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2)
    assert 59 <= rig.clock() - began <= 62


@virtual
async def test_gives_up_though_the_peer_talks_and_never_confirms_the_registration():
    rig = Rig(make=lambda index: {'answers': False}, connect_timeout=30.0).start()
    while not rig.running.done():
        if rig.connections:
            rig.connections[-1].feed(Stop(1))
        await asyncio.sleep(0.1)
    fault = await rig.end()
    assert fault.cause == 'silent'
    assert 'gave up after 30 s' in fault.reason
    assert 29 <= rig.clock() <= 31
    assert len(rig.attempts) == 1


@virtual
async def test_write_that_blocks_without_a_ping_outstanding_is_noticed():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await rig.until(lambda: not connection.pongs)
    connection.writable.clear()
    connection.answers = False
    rig.put(1, 2, 3)
    began = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2, 60)
    assert rig.clock() - began <= 10 + 5 + 1
    await rig.until(lambda: rig.outbox.acknowledged == 3)


@virtual
async def test_write_that_blocks_but_makes_progress_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.writable.clear()
    rig.put(1, 2, 3)
    for _ in range(20):
        connection.bytes += 1000
        await asyncio.sleep(5)
    assert len(rig.attempts) == 1
    connection.writable.set()
    await rig.until(lambda: rig.outbox.acknowledged == 3)


@virtual
async def test_heartbeat_rarer_than_its_timeout_does_not_drop_a_living_peer():
    rig = Rig(make=lambda index: {'delay': 0.6}, identify_interval=0.0, heartbeat_interval=30.0,
              heartbeat_timeout=10.0).start()
    await rig.registered()
    await asyncio.sleep(200)
    assert len(rig.attempts) == 1
