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

"""What the orchestrator says on a connection: commands, replays, nonsense and floods."""

import asyncio

from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_commands_are_passed_on_in_order():
    rig = Rig().start()
    connection = await rig.registered()
    connection.feed(Start(1, 2.5, 3))
    connection.feed(Update(1, (0.5, 1.5)))
    connection.feed(Update(1, (0.5, 1.5)))
    connection.feed(Stop(1))
    await rig.until(lambda: len(rig.commands) == 3)
    assert [(command.sequence, command.message) for command in rig.commands] == [
        (1, Start(1, 2.5, 3)), (2, Update(1, (0.5, 1.5))), (3, Stop(1))]


@virtual
async def test_start_between_identifier_and_pong_is_not_stale():
    rig = Rig(make=lambda index: {'answers': index == 0}).start()
    first = await rig.registered()
    first.feed(Start(1, 1.0, 1))
    await rig.until(lambda: rig.commands)
    first.lose()
    await rig.until(lambda: len(rig.connections) == 2 and rig.connections[1].pongs)
    rig.connections[1].feed(Start(5, 2.0, 1))
    rig.connections[1].answer()
    await rig.until(lambda: len(rig.commands) == 3)
    assert [command.message for command in rig.commands[1:]] == [Stop(1), Start(5, 2.0, 1)]
    assert set(rig.session.tracked) == {5}


@virtual
async def test_repeated_registration_reconciles_too():
    rig = Rig(identify_interval=5.0).start()
    connection = await rig.registered()
    connection.replay = (Update(1),)
    connection.feed(Start(1, 1.0, 1))
    await rig.until(lambda: connection.kinds.count('identifier') == 3)
    assert [command.message for command in rig.commands] == [Start(1, 1.0, 1)]
    connection.replay = ()
    await rig.until(lambda: len(rig.commands) == 2)
    assert (rig.commands[1].message, rig.commands[1].reconciled) == (Stop(1), True)


@virtual
async def test_bad_input_is_counted_and_changes_nothing():
    rig = Rig(limits=codec.Limits(feature_map=2)).start()
    connection = await rig.registered()
    connection.feed(Start(1, 1.0, 1))
    await rig.until(lambda: rig.commands)
    tracked = dict(rig.session.tracked)
    for text in ('', '{', '[]', '{"type": "stop"}', '{"type": "stop", "objectId": true}',
                 '{"type": "dance"}', '{"type": "featureMap", "objectId": 1, '
                 '"featureMap": [1, 2, 3]}', 100_000 * '[', b'\x00binary', b'{"type": "stop"}'):
        connection.feed(text)
    await rig.until(lambda: rig.inbound.rejected.total() == 10)
    assert rig.inbound.rejected == {
        'malformed': 4, 'invalid_field': 2, 'unknown_type': 1, 'too_big': 1, 'binary': 2}
    assert len(rig.commands) == 1 and rig.session.tracked == tracked
    connection.feed(Stop(1))
    await rig.until(lambda: len(rig.commands) == 2)
    assert len(rig.connections) == 1
    lines = [line for line in rig.logger.lines if 'ignored' in line]
    assert len(lines) == 5  # one per cause
    assert any('binary' in line for line in lines)
    assert all('front-door' in line for line in lines)


@virtual
async def test_a_flood_is_cut_and_counted_and_the_link_stays():
    rig = Rig(command_rate=10.0).start()
    connection = await rig.registered()
    for _ in range(500):
        connection.feed(Stop(1))
    await rig.until(lambda: rig.inbound.rejected['rate'] > 0)
    await asyncio.sleep(1.0)
    assert 200 <= len(rig.commands) <= 215
    assert len(rig.commands) + rig.inbound.rejected['rate'] == 500
    assert len(rig.connections) == 1
    connection.feed(Stop(2))
    await rig.until(lambda: rig.commands[-1].message == Stop(2))
    await rig.link.shut_down()
