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

"""Settings of a connection that change while it is served."""

import asyncio

import pytest
from rigs.link_rig import PING, Rig, virtual


@virtual
async def test_registrations_follow_a_new_interval_at_once():
    rig = Rig(identify_interval=1000.0).start()
    connection = await rig.registered()
    await asyncio.sleep(100)
    assert connection.kinds.count('identifier') == 2  # the second is always soon
    rig.configure(identify_interval=10.0)
    await asyncio.sleep(35)
    assert connection.kinds.count('identifier') == 5
    rig.configure(identify_interval=0.0)
    await asyncio.sleep(1000)
    assert connection.kinds.count('identifier') == 5


@virtual
async def test_a_registration_under_way_is_not_doubled():
    rig = Rig(identify_interval=5.0).start()
    connection = await rig.registered()
    connection.answers, connection.auto_progress = False, True
    await rig.until(lambda: connection.kinds.count('identifier') == 2)
    rig.configure(identify_interval=1.0)
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
    rig.configure(heartbeat_interval=1.0)
    await asyncio.sleep(10)
    assert connection.kinds.count(PING) == pytest.approx(10, abs=3)


@virtual
async def test_a_silent_peer_is_dropped_after_the_new_time():
    rig = Rig(identify_interval=0.0, heartbeat_interval=1.0, heartbeat_timeout=1000.0).start()
    connection = await rig.registered()
    connection.answers = False
    await asyncio.sleep(20)
    assert len(rig.connections) == 1
    rig.configure(heartbeat_timeout=5.0)
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began < 2.0
    assert rig.link.cause.startswith('silent: it has not answered for 5 s')
