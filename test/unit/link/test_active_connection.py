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

"""Registration on a connection: its order, its pong, and its repetitions."""

import asyncio

from camera_ws_bridge.link.active_connection import REIDENTIFY_SOON, TICK
from camera_ws_bridge.link.link import State
import pytest
from rigs.link_rig import a_token, PING, Rig, SECRET, virtual

pytestmark = pytest.mark.usefixtures('writing')


@pytest.mark.parametrize('token, begin', (
    (None, ['identifier', PING]),
    (a_token, ['authenticate', 'identifier', PING]),
))
@virtual
async def test_on_every_connection_the_same_order_and_nothing_before_the_pong(token, begin):
    rig = Rig(token=token, make=lambda index: {'answers': False})
    rig.put(1, 2, 3)
    rig.put_update(7)
    rig.start()
    for index in range(3):
        await rig.until(lambda: len(rig.connections) == index + 1)
        connection = rig.connections[index]
        rig.put(10 + index)
        await asyncio.sleep(5)
        assert connection.kinds == begin
        assert rig.link.state is State.AUTHENTICATING
        assert connection.log[-2] == {'type': 'identifier', 'id': 'front-door'}
        if token is a_token:
            assert connection.log[0]['jwt'] == SECRET
        connection.answer()
        await rig.until(lambda: len(connection.frames) == 3 + index + 1)
        assert connection.kinds[len(begin)] == 'featureMap'
        assert connection.frames == [1, 2, 3, *range(10, 10 + index + 1)]
        connection.lose()
    assert not any(SECRET in line for line in rig.logger.lines)


@virtual
async def test_pong_of_an_older_connection_registers_nobody():
    rig = Rig(make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    first = rig.connections[0].pongs[0]
    rig.connections[0].pongs.clear()
    rig.connections[0].lose()
    await rig.until(lambda: len(rig.connections) == 2 and rig.connections[1].pongs)
    first.set_result(0.0)
    await asyncio.sleep(1)
    assert rig.link.state is State.AUTHENTICATING
    assert rig.connections[1].kinds == ['identifier', PING]


@virtual
async def test_identifies_again_soon_and_then_at_the_interval():
    rig = Rig().start()
    await asyncio.sleep(100)
    times = rig.connections[0].times_of('identifier')
    expected = [0, REIDENTIFY_SOON, REIDENTIFY_SOON + 30, REIDENTIFY_SOON + 60,
                REIDENTIFY_SOON + 90]
    assert times == pytest.approx(expected, abs=5 * TICK)
    kinds = rig.connections[0].kinds
    assert all(kinds[index + 1] == PING
               for index, kind in enumerate(kinds) if kind == 'identifier')


@virtual
async def test_a_short_identify_interval_is_kept_from_the_start():
    rig = Rig(identify_interval=1.0).start()
    await asyncio.sleep(4.9)
    times = rig.connections[0].times_of('identifier')
    assert times == pytest.approx([0, 1, 2, 3, 4], abs=4 * TICK)


@virtual
async def test_identify_interval_zero_is_never():
    rig = Rig(identify_interval=0.0).start()
    await asyncio.sleep(1000)
    assert rig.connections[0].kinds.count('identifier') == 1


@virtual
async def test_never_two_registrations_at_once():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = True  # slow, but alive
    await asyncio.sleep(55)
    assert len(rig.connections) == 1
    assert connection.kinds.count('identifier') == 2
    assert connection.most_awaited <= 2
    while connection.pongs:
        connection.answer()
    connection.answers = True
    await rig.until(lambda: connection.kinds.count('identifier') == 3)


@virtual
async def test_identifies_again_under_a_stream_of_boxes():
    rig = Rig().start()
    await rig.registered()
    for number in range(1000):
        rig.put(number)
        await asyncio.sleep(0.01)
    assert rig.connections[0].kinds.count('identifier') == 2
