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

"""What the link makes of changes of the machine's network."""

import asyncio

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.hurry import LONGEST_GAP
from camera_ws_bridge.link.link import State
import pytest
from rigs.link_rig import REFUSED, Rig, UNAVAILABLE, virtual

pytestmark = pytest.mark.usefixtures('writing')


@pytest.mark.parametrize('busy', (False, True))
@virtual
async def test_a_connection_whose_route_is_gone_is_left_and_made_anew_at_once(busy):
    rig = Rig(outcomes=5 * [UNAVAILABLE]).start()
    connection = await rig.registered()  # the next delay would be of 10 s
    if busy:
        connection.answers = False
        rig.put(1, 2)
        await asyncio.sleep(0.1)
    connection.routed = False
    began = rig.clock()
    rig.change_network()
    assert connection.aborted
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()
    assert rig.clock() - began < 0.1
    assert rig.link.cause.startswith('network: ')
    await rig.until(lambda: not len(rig.outbox))
    assert rig.connections[1].frames == ([1, 2] if busy else [])


@virtual
async def test_a_connection_whose_route_holds_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    for _ in range(100):
        rig.change_network()
        await asyncio.sleep(0.1)
    assert not connection.aborted and len(rig.attempts) == 1


@virtual
async def test_an_attempt_that_hangs_is_made_anew():
    async def hang(timeout):
        await asyncio.sleep(timeout)

    rig = Rig(outcomes=[hang], open_timeout=60.0).start()
    await asyncio.sleep(5)
    rig.change_network()
    await rig.registered()
    assert rig.attempts == [0.0, pytest.approx(5.0, abs=0.1)]


@pytest.mark.parametrize('fault', (
    UNAVAILABLE, LinkFault('http_503', 'it answers HTTP 503', retry_after=120.0)))
@virtual
async def test_a_pause_ends(fault):
    rig = Rig(outcomes=[*(6 * [UNAVAILABLE]), fault], connect_timeout=0.0).start()
    await rig.until(lambda: len(rig.attempts) == 7)
    await asyncio.sleep(1)
    rig.change_network()
    await rig.registered()
    assert rig.attempts[-1] - rig.attempts[-2] == pytest.approx(1.0, abs=0.1)


@virtual
async def test_a_network_that_never_rests_leaves_attempts_and_servers_their_time():
    async def slow(timeout):
        await asyncio.sleep(5)
        return {}

    busy = LinkFault('http_503', 'it answers HTTP 503', retry_after=40.0)
    rig = Rig(outcomes=10 * [busy], make=lambda index: slow, connect_timeout=0.0).start()
    while rig.link.state is not State.REGISTERED:
        rig.change_network()
        await asyncio.sleep(0.1)
        assert rig.clock() < 200
    waits = [later - sooner for sooner, later in zip(rig.attempts, rig.attempts[1:])]
    assert waits[7:] == pytest.approx(len(waits[7:]) * [LONGEST_GAP], abs=0.2)


@virtual
async def test_the_last_of_many_changes_is_not_forgotten():
    async def hang(timeout):
        await asyncio.sleep(timeout)

    rig = Rig(make=lambda index: hang, open_timeout=60.0, connect_timeout=0.0).start()
    for _ in range(20):
        rig.change_network()
        await asyncio.sleep(0.1)
    made = len(rig.attempts)
    rig.make = lambda index: {}
    await rig.registered()
    assert len(rig.attempts) == made + 1 and rig.clock() < 4.5


@virtual
async def test_a_change_that_waits_for_its_turn_leaves_a_new_connection_alone():
    rig = Rig(outcomes=[REFUSED, REFUSED, REFUSED]).start()
    while not rig.connections:
        rig.change_network()
        await asyncio.sleep(0.01)
    await asyncio.sleep(60)
    assert len(rig.connections) == 1 and not rig.connections[0].aborted


@virtual
async def test_changes_before_the_first_and_after_the_last_connection():
    rig = Rig()
    rig.change_network()
    rig.start()
    await rig.registered()
    await rig.link.shut_down()
    await rig.running
    assert not rig.network_listeners
    await rig.start().registered()
    assert len(rig.network_listeners) == 1
    rig.running.cancel()
    await asyncio.wait([rig.running])
    assert not rig.network_listeners


@virtual
async def test_a_change_that_waits_for_its_turn_ends_with_the_link():
    async def hang(timeout):
        await asyncio.sleep(timeout)

    rig = Rig(make=lambda index: hang).start()
    await asyncio.sleep(0.01)
    for _ in range(5):
        rig.change_network()
    rig.running.cancel()
    await asyncio.wait([rig.running])
    made = len(rig.attempts)
    await asyncio.sleep(100)
    assert len(rig.attempts) == made


@virtual
async def test_it_can_be_switched_off_and_on():
    rig = Rig(watch_network=False).start()
    await rig.registered()
    assert not rig.network_listeners
    rig.configure(watch_network=True)
    assert len(rig.network_listeners) == 1
    rig.configure(watch_network=True, identify_interval=7.0)
    assert len(rig.network_listeners) == 1
    rig.configure(watch_network=False)
    assert not rig.network_listeners
    await rig.link.shut_down()
    await rig.running
    rig.configure(watch_network=True)
    assert not rig.network_listeners, 'there is nothing to be done about it'
    await rig.start().registered()
    assert len(rig.network_listeners) == 1


@virtual
async def test_where_the_system_does_not_tell_all_is_as_before():
    rig = Rig()
    rig.network_is_silent = True
    rig.start()
    connection = await rig.registered()
    lines = [line for line in rig.logger.lines if 'watch_network' in line]
    assert len(lines) == 1 and 'Operation not permitted' in lines[0]
    connection.lose()
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.link.shut_down()
