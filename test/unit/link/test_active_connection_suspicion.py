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

from camera_ws_bridge.link.active_connection import TICK
from camera_ws_bridge.link.link import State
from camera_ws_bridge.link.suspicion import CALM, QUIET
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


@virtual
async def test_on_a_link_that_loses_packets_a_peer_has_its_heartbeat_timeout():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    for _ in range(10):
        await asyncio.sleep(0.5)
        connection.resent += 1
    await asyncio.sleep(0.5)
    connection.fall_silent()
    connection.answers_new = True
    rig.put(1)
    await asyncio.sleep(8)
    assert not connection.probes and len(rig.connections) == 1


@virtual
async def test_a_connection_on_which_nothing_ever_got_through_is_not_worth_another():
    """A hole for large packets swallows the replay of every new connection, too."""
    rig = Rig(identify_interval=0.0).start()
    for count in range(1, 4):
        connection = await rig.registered()
        connection.fall_silent()
        connection.answers_new = True
        rig.put(1)
        began = rig.clock()
        await rig.until(lambda: len(rig.connections) > count)
        assert rig.clock() - began > 10.0


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
