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

"""A connection that is left, and one that goes on where another has left it."""

import asyncio

from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import a_token, PING, Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


@pytest.mark.parametrize('token', (None, a_token))
@virtual
async def test_it_registers_again_and_nothing_else(token):
    rig = Rig(token=token, identify_interval=0.0).start()
    connection = await rig.registered()
    connection.feed(Start(1, 1.5, 0))
    await rig.until(lambda: rig.commands)
    before = len(connection.log)
    connection.replay = [Update(1)]
    connection.answers = False
    await rig.until(lambda: len(rig.connections) == 2)
    connection.revive()
    await rig.registered()
    pings = [kind for kind in connection.kinds[before:] if kind != 'identifier']
    assert connection.kinds[before:].count('identifier') == 1
    assert {*pings} == {PING}
    assert rig.session.number == 1 and len(rig.commands) == 1


@virtual
async def test_one_that_never_was_registered_is_not_kept():
    rig = Rig(make=lambda index: {'answers': index > 1}, identify_interval=0.0)
    rig.session.receive(Start(1, 1.5, 0))
    rig.start()
    await rig.registered()
    assert [connection.aborted for connection in rig.connections] == [True, True, False]


@virtual
async def test_what_comes_when_it_is_left_is_read_when_it_goes_on():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    connection.feed(Start(1, 1.5, 0))
    await rig.until(lambda: rig.commands)
    connection.replay = [Update(1), Update(2)]
    connection.routed = False
    rig.change_network()
    connection.feed(Start(2, 1.5, 0))
    assert not connection.aborted
    connection.routed = True
    await rig.until(lambda: rig.link.reconnects)
    assert [command.message.object_id for command in rig.commands] == [1, 2]
    assert len(rig.connections) == 2 and rig.connections[1].aborted


@virtual
async def test_it_is_left_once():
    rig = Rig().start()
    connection = await rig.registered()
    connection.routed = False
    rig.change_network()
    rig.link.reconnect()
    assert connection.aborted
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.link.cause.startswith('network')
    await rig.until(lambda: rig.link.state is State.STABLE)
    await asyncio.sleep(10)
    assert len(rig.connections) == 2
