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

"""The end of a connection in order: what is flushed, and how long that may take."""

import asyncio

from camera_ws_bridge.link.active_connection import TICK
from camera_ws_bridge.link.link import State
import pytest
from rigs.link_rig import Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_shut_down_flushes_and_says_going_away():
    rig = Rig(make=lambda index: {'delay': 0.2}).start()
    connection = await rig.registered()
    rig.put(*range(100))
    began = rig.clock()
    await rig.link.shut_down()
    assert rig.clock() - began < 2
    assert connection.frames == list(range(100))
    assert (rig.outbox.acknowledged, len(rig.outbox)) == (100, 0)
    assert connection.closed[0] == 1001
    await rig.running
    assert rig.link.state is State.CLOSED


@virtual
async def test_a_flush_does_not_wait_for_a_tick_to_ask_for_its_acknowledgement():
    rig = Rig(make=lambda index: {'delay': TICK / 4}).start()
    await rig.registered()
    rig.put(1)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() - began < TICK / 2
    assert rig.outbox.acknowledged == 1


@pytest.mark.parametrize('blocked', (False, True))
@virtual
async def test_shut_down_returns_in_time_though_the_peer_has_stalled(blocked):
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = connection.close_answered = False
    if blocked:
        connection.writable.clear()
    rig.put(1, 2, 3)
    began = rig.clock()
    await rig.link.shut_down()
    assert rig.clock() - began <= 2.2
    assert connection.closed[0] == 1001
    await rig.running
    assert len(rig.outbox) == 3  # kept, and not counted as sent
    assert rig.outbox.in_flight == 0


@virtual
async def test_shut_down_with_nothing_to_flush_is_immediate():
    rig = Rig().start()
    connection = await rig.registered()
    began = rig.clock()
    await rig.link.shut_down()
    assert rig.clock() == began
    assert connection.closed[0] == 1001
    await rig.running


@virtual
async def test_shut_down_before_the_registration_sends_no_boxes():
    rig = Rig(make=lambda index: {'answers': False}).start()
    rig.put(1)
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    await rig.link.shut_down()
    await rig.running
    assert rig.connections[0].frames == []
    assert rig.connections[0].closed[0] == 1001


@virtual
async def test_shut_down_shortly_before_the_registration_still_flushes():
    rig = Rig(make=lambda index: {'delay': 0.3}).start()
    rig.put(1, 2, 3)
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.connections[0].frames == [1, 2, 3]
    assert len(rig.outbox) == 0
    assert rig.clock() - began < 1.0


@virtual
async def test_shut_down_when_the_connection_breaks_meanwhile():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    asyncio.get_running_loop().call_later(0.5, connection.lose)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() - began < 0.6
    assert len(rig.outbox) == 1


@virtual
async def test_shut_down_in_the_very_moment_of_the_end_waits_for_no_pong():
    rig = Rig(shutdown_timeout=100.0).start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    await rig.until(lambda: connection.frames)
    ends = []
    connection.abort = lambda: ends.append(asyncio.create_task(rig.link.shut_down()))
    began = rig.clock()
    connection.lose()
    await rig.running
    await asyncio.gather(*ends)
    assert ends and rig.clock() - began < 1.0
    assert len(rig.outbox) == 1
