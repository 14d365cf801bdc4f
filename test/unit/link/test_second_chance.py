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

"""Whether a connection that was left is alive; what follows is in test_link_second_chance.py."""

import asyncio

from camera_ws_bridge.link.second_chance import KEPT_FOR, SecondChance
from camera_ws_bridge.protocol.stop import Stop
import pytest
from rigs.link_rig import FakeConnection, Rig, virtual

STOP = Stop(1)


async def left(gone, **arguments):
    """Return a rig, a connection and its second chance, so many seconds after it was left."""
    rig = Rig()
    connection = FakeConnection(rig.clock, **arguments)
    chance = SecondChance(connection, rig.inbound, rig.clock)
    await asyncio.sleep(gone)
    return rig, connection, chance


@virtual
async def test_what_comes_before_the_pong_is_passed_on():
    rig, connection, chance = await left(5.0, answers=False)
    asked = asyncio.create_task(chance.is_alive(10.0))
    for _ in range(20):
        connection.feed(STOP)
    await asyncio.sleep(1.0)
    assert [command.message for command in rig.commands] == 20 * [STOP]
    assert not asked.done()
    connection.revive()
    assert await asked
    connection.feed(STOP)  # for whoever reads next
    await asyncio.sleep(1.0)
    assert len(rig.commands) == 20


@pytest.mark.parametrize(('gone', 'patience', 'waits'), [
    (0.0, 10.0, 1.0), (4.0, 10.0, 5.0), (50.0, 10.0, 10.0), (KEPT_FOR + 1.0, 10.0, 0.0)])
@virtual
async def test_it_is_waited_for_as_long_as_the_kernel_may_need(gone, patience, waits):
    rig, connection, chance = await left(gone, answers=False)
    began = rig.clock()
    assert not await chance.is_alive(patience)
    assert rig.clock() - began == pytest.approx(waits, abs=0.01)


@virtual
async def test_without_its_address_it_is_not_asked():
    _, connection, chance = await left(1.0)
    connection.routed = False
    assert not await chance.is_alive(10.0)
    assert connection.log == []


@pytest.mark.parametrize('when', (0.0, 0.5))
@virtual
async def test_one_that_is_lost_is_not_alive(when):
    rig, connection, chance = await left(5.0, answers=False)
    began = rig.clock()
    asyncio.get_running_loop().call_later(when, connection.lose)
    assert not await chance.is_alive(10.0)
    assert rig.clock() - began == pytest.approx(when, abs=0.01)


@virtual
async def test_one_whose_pong_alone_is_lost_is_not_alive():
    _, connection, chance = await left(5.0, answers=False)
    asyncio.get_running_loop().call_later(0.5, lambda: connection.pongs[0].cancel())
    assert not await chance.is_alive(10.0)


@virtual
async def test_one_whose_pong_fails_is_not_alive():
    _, connection, chance = await left(5.0, answers=False)
    asyncio.get_running_loop().call_later(
        0.5, lambda: connection.pongs.pop().set_exception(ConnectionError()))
    assert not await chance.is_alive(10.0)


@virtual
async def test_whoever_asks_may_cease_to():
    _, connection, chance = await left(5.0, answers=False)
    asked = asyncio.create_task(chance.is_alive(10.0))
    await asyncio.sleep(0.5)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled() and not connection.aborted
