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

"""Settings of the link that change while it tries, waits or hears commands."""

import asyncio

from camera_ws_bridge.link.active_connection import TICK
import pytest
from rigs.link_rig import REFUSED, Rig, UNAVAILABLE, virtual


@virtual
async def test_a_wait_ends_when_the_delays_change():
    rig = Rig(outcomes=[UNAVAILABLE] * 10, connect_timeout=0.0).start()
    await asyncio.sleep(20)  # in a wait of ten seconds
    made = len(rig.attempts)
    rig.configure()  # the same
    await asyncio.sleep(0.1)
    assert len(rig.attempts) == made
    rig.configure(reconnect_delay_min=0.5, reconnect_delay_max=1.0)
    await asyncio.sleep(0.1)
    assert len(rig.attempts) == made + 1
    await asyncio.sleep(3.5)
    assert len(rig.attempts) == made + 4


@virtual
async def test_other_delays_leave_a_connection_alone():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    rig.configure(reconnect_delay_min=1.0, reconnect_delay_max=5.0)
    await asyncio.sleep(5)
    connection.lose()
    lost_at = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.attempts[-1] - lost_at == pytest.approx(1.0, abs=TICK)


@virtual
async def test_a_connection_hears_of_a_new_interval():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    rig.configure(identify_interval=1.0)
    await asyncio.sleep(1.5)
    assert connection.kinds.count('identifier') == 2


@virtual
async def test_the_first_connection_may_be_given_more_or_less_time():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=10.0).start()
    await asyncio.sleep(5)
    rig.configure(connect_timeout=30.0)
    await asyncio.sleep(20)
    rig.configure(connect_timeout=26.0)
    assert 'gave up after 26 s' in (await rig.end()).reason
    assert rig.clock() == pytest.approx(26, abs=2)


@virtual
async def test_each_attempt_has_the_new_time():
    rig = Rig(outcomes=[REFUSED] * 3, open_timeout=7.0, connect_timeout=0.0).start()
    await rig.until(lambda: rig.attempts)
    rig.configure(open_timeout=3.0)
    await rig.registered()
    assert rig.timeouts[0] == 7.0 and set(rig.timeouts[1:]) == {3.0}
