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

"""Bugs in what the link calls cost a reconnect at most."""

import asyncio

from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


async def still_works(rig):
    await rig.until(lambda: rig.link.state is State.STABLE)
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    rig.connections[-1].feed(Update(99, (9.0,)))
    await rig.until(lambda: rig.commands and rig.commands[-1].message == Update(99, (9.0,)))


@virtual
async def test_bug_at_the_end_of_a_connection():
    rig = Rig().start()
    connection = await rig.registered()
    connection.abort = lambda: 1 / 0
    connection.lose()
    await rig.until(lambda: len(rig.connections) > 1)
    assert rig.link.cause.startswith('internal: ZeroDivisionError')
    await still_works(rig)


@virtual
async def test_bug_in_connect():
    rig = Rig(outcomes=[ValueError('Invalid IPv6 URL')]).start()
    await still_works(rig)
    assert any('ValueError' in line for line in rig.logger.lines)


@virtual
async def test_a_task_that_is_cancelled_costs_a_reconnect():
    rig = Rig().start()
    connection = await rig.registered()

    async def cancelled():
        raise asyncio.CancelledError
    connection.receive = cancelled
    connection.feed(Stop(1))
    await rig.until(lambda: rig.link.reconnects == 1)
    assert rig.link.cause.startswith('internal: CancelledError')
