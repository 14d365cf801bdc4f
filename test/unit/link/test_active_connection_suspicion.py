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

"""A peer that used to answer at once and does so no more: asked by new connections, then left."""

import asyncio

from camera_ws_bridge.link.active_connection import REST, TICK
from camera_ws_bridge.link.link import State
from camera_ws_bridge.link.suspicion import CALM, PROOFS, QUIET
import pytest
from rigs.link_rig import Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')
SETTLED = CALM + 1.0  # seconds after which a peer is known


@pytest.mark.parametrize('busy', (False, True))
@virtual
async def test_a_connection_that_alone_is_silent_is_left_within_two_seconds(busy):
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    connection.answers_new = True
    began = rig.clock()
    if busy:
        rig.put(1, 2)
    await rig.until(lambda: len(rig.connections) == 2)
    assert QUIET < rig.clock() - began < QUIET + 0.3 + 2 * TICK
    assert rig.link.cause.startswith('silent: ')
    await rig.registered()
    await rig.until(lambda: not len(rig.outbox))
    assert rig.connections[1].frames == ([1, 2] if busy else [])


@virtual
async def test_a_peer_that_answers_no_new_connection_has_its_heartbeat_timeout():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    rig.put(1)
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began > 10.0
    gaps = [later - sooner for sooner, later in zip(connection.probes, connection.probes[1:])]
    assert gaps and max(gaps) < 1.0, 'once the network is well again, that is soon known'


@virtual
async def test_once_the_network_is_well_again_a_connection_that_is_not_is_left():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    rig.put(1)
    await asyncio.sleep(8)
    connection.answers_new = True
    began = rig.clock()
    await rig.until(lambda: not len(rig.outbox))
    assert rig.clock() - began < 1.0


@virtual
async def test_a_peer_that_is_heard_of_while_it_is_asked_is_kept():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    connection.answers_new = True
    await rig.until(lambda: connection.probes)
    connection.unanswered = 0
    connection.answers = True
    await asyncio.sleep(60)
    assert len(rig.connections) == 1 and len(connection.probes) == 1


@virtual
async def test_a_slow_peer_is_never_suspect():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    connection.round_trip_time = 2.0
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    connection.answers_new = True
    await asyncio.sleep(8)
    assert not connection.probes and rig.link.state is State.STABLE


async def on_a_link_that_loses_packets():
    """Return a link whose connection has just lost some, and has gone silent now."""
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    for _ in range(10):
        await asyncio.sleep(0.5)
        connection.resent += 1
    await asyncio.sleep(0.5)
    connection.fall_silent()
    rig.put(1)
    return rig, connection


@virtual
async def test_on_a_link_that_loses_packets_it_takes_three_answers_in_a_row():
    rig, connection = await on_a_link_that_loses_packets()
    connection.answers_new = True
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert len(connection.probes) == PROOFS
    assert rig.clock() - began < 3.0


@virtual
async def test_an_answer_that_fails_begins_the_row_anew():
    rig, connection = await on_a_link_that_loses_packets()
    for count in range(1, 10):
        connection.answers_new = bool(count % PROOFS)  # twice, and then not
        await rig.until(lambda: len(connection.probes) == count)
        await asyncio.sleep(0.3)
    assert len(rig.connections) == 1


@virtual
async def test_what_is_heard_in_between_begins_the_row_anew():
    rig, connection = await on_a_link_that_loses_packets()
    connection.answers_new = True
    for count in range(PROOFS - 1, 8, PROOFS - 1):
        await rig.until(lambda: len(connection.probes) == count)
        await asyncio.sleep(0.2)
        connection.revive()  # it got through; and soon it is silent again
        await asyncio.sleep(2 * TICK)
        assert len(connection.probes) == count
        connection.fall_silent()
    assert len(rig.connections) == 1


@virtual
async def test_the_state_says_no_more_than_what_is_proven():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await rig.until(lambda: rig.link.state is State.STABLE)
    await asyncio.sleep(SETTLED)
    connection.fall_silent()
    rig.put(1)
    await rig.until(lambda: rig.link.state is State.REGISTERED, QUIET + 2 * TICK)
    connection.unanswered = 0
    await rig.until(lambda: rig.link.state is State.STABLE, 2 * TICK)
    assert rig.states.count(State.STABLE) == 2


@virtual
async def test_on_a_slow_link_the_kernel_may_take_its_time():
    rig, connection = await on_a_link_that_loses_packets()
    connection.revive()
    connection.differ, connection.answers_new = 0.03, True
    connection.fall_behind(4.0)
    await asyncio.sleep(4.0)
    assert connection.probes and rig.link.state is State.REGISTERED
    connection.revive()
    await asyncio.sleep(60)
    assert len(rig.connections) == 1


@virtual
async def test_on_one_that_is_slow_no_more_nobody_waits_for_the_kernel():
    rig, connection = await on_a_link_that_loses_packets()
    connection.revive()
    connection.answers_new = True
    connection.fall_behind(4.0)
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began < 1.5


@virtual
async def test_a_link_that_rests_is_looked_at_less_often_until_its_kernel_is_not_answered():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(SETTLED)

    async def looks(seconds):
        before = connection.looks
        await asyncio.sleep(seconds)
        return connection.looks - before

    assert await looks(40 * TICK) <= 40 / REST + 4  # heartbeats in between
    connection.fall_silent(unanswered=1)
    await asyncio.sleep(REST * TICK)
    assert await looks(4 * TICK) >= 3
    connection.revive()
    await asyncio.sleep(REST * TICK)
    connection.answers = False
    rig.put(1)
    await asyncio.sleep(REST * TICK)
    assert await looks(4 * TICK) >= 3
