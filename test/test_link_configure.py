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

"""The link under settings that change while it runs, in virtual time."""

import asyncio
from dataclasses import replace

from camera_ws_bridge.messages import Stop
from camera_ws_bridge.serving import TICK
import pytest
from test_link import PING, REFUSED, Rig, UNAVAILABLE, virtual


def configure(rig, *, delays=(0.5, 10.0, 2.0), **changes):
    """Change settings of the rig's link."""
    rig.link.configure(replace(rig.link.settings, **changes), *delays)


@virtual
async def test_registrations_follow_a_new_interval_at_once():
    rig = Rig(identify_interval=1000.0).start()
    connection = await rig.registered()
    await asyncio.sleep(100)
    assert connection.kinds.count('identifier') == 2  # the second is always soon
    configure(rig, identify_interval=10.0)
    await asyncio.sleep(35)
    assert connection.kinds.count('identifier') == 5
    configure(rig, identify_interval=0.0)
    await asyncio.sleep(1000)
    assert connection.kinds.count('identifier') == 5


@virtual
async def test_a_registration_under_way_is_not_doubled():
    rig = Rig(identify_interval=5.0).start()
    connection = await rig.registered()
    connection.answers, connection.auto_progress = False, True
    await rig.until(lambda: connection.kinds.count('identifier') == 2)
    configure(rig, identify_interval=1.0)
    await asyncio.sleep(50)
    assert connection.kinds.count('identifier') == 2
    while connection.pongs:
        connection.answer()
    connection.answers = True
    await asyncio.sleep(3.5)
    assert connection.kinds.count('identifier') == 5


@virtual
async def test_pings_follow_a_new_interval():
    rig = Rig(identify_interval=0.0, heartbeat_interval=100.0).start()
    connection = await rig.registered()
    await asyncio.sleep(50)
    assert connection.kinds.count(PING) == 1
    configure(rig, heartbeat_interval=1.0)
    await asyncio.sleep(10)
    assert connection.kinds.count(PING) == pytest.approx(10, abs=3)


@virtual
async def test_a_silent_peer_is_dropped_after_the_new_time():
    rig = Rig(identify_interval=0.0, heartbeat_interval=1.0, heartbeat_timeout=1000.0).start()
    connection = await rig.registered()
    connection.answers = False
    await asyncio.sleep(20)
    assert len(rig.connections) == 1
    configure(rig, heartbeat_timeout=5.0)
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began < 2.0
    assert rig.link.cause.startswith('silent: it has not answered for 5 s')


@virtual
async def test_a_wait_ends_when_the_delays_change():
    rig = Rig(outcomes=[UNAVAILABLE] * 10, connect_timeout=0.0).start()
    await asyncio.sleep(20)  # in a wait of ten seconds
    made = len(rig.attempts)
    configure(rig)  # the same
    await asyncio.sleep(0.1)
    assert len(rig.attempts) == made
    configure(rig, delays=(0.5, 1.0, 2.0))
    await asyncio.sleep(0.1)
    assert len(rig.attempts) == made + 1
    await asyncio.sleep(3.5)
    assert len(rig.attempts) == made + 4


@virtual
async def test_other_delays_leave_a_connection_alone():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    configure(rig, delays=(1.0, 5.0, 2.0))
    await asyncio.sleep(5)
    connection.lose()
    lost_at = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.attempts[-1] - lost_at == pytest.approx(1.0, abs=TICK)


@virtual
async def test_the_first_connection_may_be_given_more_or_less_time():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=10.0).start()
    await asyncio.sleep(5)
    configure(rig, connect_timeout=30.0)
    await asyncio.sleep(20)
    configure(rig, connect_timeout=26.0)
    assert 'gave up after 26 s' in (await rig.end()).reason
    assert rig.clock() == pytest.approx(26, abs=2)


@virtual
async def test_each_attempt_has_the_new_time():
    rig = Rig(outcomes=[REFUSED] * 3, open_timeout=7.0, connect_timeout=0.0).start()
    await rig.until(lambda: rig.attempts)
    configure(rig, open_timeout=3.0)
    await rig.registered()
    assert rig.timeouts[0] == 7.0 and set(rig.timeouts[1:]) == {3.0}


@virtual
async def test_more_commands_a_second():
    rig = Rig(command_rate=1.0).start()
    connection = await rig.registered()

    async def passed(count):
        before = rig.link.rejected['rate']
        for object_id in range(count):
            connection.feed(Stop(object_id))
        await asyncio.sleep(0.1)
        return count - (rig.link.rejected['rate'] - before)
    assert await passed(100) == 20  # a burst of 20 seconds
    configure(rig, command_rate=1000.0)
    await asyncio.sleep(1)
    assert await passed(100) == 100
