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

"""What the end of a connection leaves: what is sent again, and what the link learns from it."""

import asyncio
import random

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import a_token, REFUSED, Rig, SECRET, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_lost_connection_repeats_what_is_not_acknowledged_in_order():
    rig = Rig().start()
    first = await rig.registered()
    rig.put(1, 2, 3)
    await rig.until(lambda: rig.outbox.acknowledged == 3)
    first.answers = False
    rig.put(4, 5)
    await rig.until(lambda: first.frames == [1, 2, 3, 4, 5])
    first.lose()
    rig.put(6)
    await rig.until(lambda: rig.outbox.acknowledged == 6)
    assert rig.connections[1].frames == [4, 5, 6]
    assert rig.link.reconnects == 1
    assert not rig.outbox.dropped


@virtual
async def test_nothing_is_lost_or_reordered_over_many_losses():
    draw = random.Random(7).random
    rig = Rig(draw=draw, make=lambda index: {'delay': 0.3 * draw()}).start()
    sent = []
    for number in range(2000):
        rig.put(number)
        await asyncio.sleep(0.02)
        if draw() < 0.02 and rig.connections:
            rig.connections[-1].lose()
    await rig.until(lambda: not len(rig.outbox))
    for connection in rig.connections:
        assert connection.frames == sorted(connection.frames)
        sent += connection.frames
    assert set(sent) == set(range(2000))
    assert rig.outbox.acknowledged == 2000
    assert len(rig.connections) > 8


@pytest.mark.parametrize('reconcile', (True, False))
@virtual
async def test_stop_missed_while_away_is_concluded_from_the_replay(reconcile):
    replays = [(Update(2, (0.5,)),), (Update(2, (0.5,)), Update(3, (1.0,)))]
    rig = Rig(make=lambda index: {'replay': replays[index]}, reconcile=reconcile).start()
    first = await rig.registered()
    first.feed(Start(4, 1.0, 1))
    await rig.until(lambda: len(rig.commands) == 2)
    first.lose()
    await rig.until(lambda: rig.link.reconnects == 1)
    stops = [(4, Stop(4), True)] if reconcile else []
    assert [(command.sequence, command.message, command.reconciled)
            for command in rig.commands[2:]] == [(3, Update(3, (1.0,)), False), *stops]
    assert set(rig.session.tracked) == ({2, 3} if reconcile else {2, 3, 4})


@virtual
async def test_no_object_is_stopped_because_its_replay_was_garbled():
    replay = [Update(object_id, (0.5,)) for object_id in (1, 2, 3)]
    rig = Rig(make=lambda index: {'replay': replay}).start()
    first = await rig.registered()
    replay[:2] = ['{"type":"featureMap","objectId":1,"featureMap":{"test":"test"}}']
    first.lose()
    await rig.until(lambda: rig.link.reconnects == 1)
    assert {*rig.session.tracked} == {1, 3}
    assert [command.message for command in rig.commands[3:]] == [Stop(2)]
    assert 'object 1 is tracked all the same' in ''.join(rig.logger.lines)
    replay[:1] = ['{"type":"featureMap","featureMap":{}}']
    rig.connections[-1].lose()
    await rig.until(lambda: rig.link.reconnects == 2)
    assert {*rig.session.tracked} == {1, 3}
    await rig.link.shut_down()


@virtual
async def test_the_window_is_halved_when_it_was_not_acknowledged_in_time():
    """Else a link on which it takes too long gets the same messages for ever, to no avail."""
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    widest = rig.outbox.window_bytes
    connection.answers = False
    rig.put(1)
    await rig.until(lambda: len(rig.attempts) == 2)
    assert rig.outbox.window_bytes == widest // 2
    await rig.registered()
    assert rig.outbox.window_bytes == widest // 2, 'a pong that acknowledges nothing says nothing'
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    assert rig.outbox.window_bytes == widest


@virtual
async def test_a_message_too_big_for_the_peer_does_not_loop():
    rig = Rig().start()
    for _ in range(2):
        connection = await rig.registered()
        if not len(rig.outbox):
            rig.put('x' * 1000, 1)
        await rig.until(lambda: connection.kinds.count('boundingBoxes') == 2)
        connection.lose(LinkFault('too_big', 'a message is too big for it'))
        await rig.until(lambda: rig.link.state is State.CONNECTING)
    connection = await rig.registered()
    await rig.until(lambda: not len(rig.outbox))
    assert rig.outbox.dropped == {'boxes_refused_by_peer': 1}
    assert rig.outbox.acknowledged == 1
    assert any('given up' in line for line in rig.logger.lines)
    await rig.link.shut_down()


@virtual
async def test_a_rejected_token_is_named_also_where_nobody_wants_to_hear_of_it():
    rig = Rig(token=a_token, make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and 'identifier' in rig.connections[0].kinds)
    rig.connections[0].lose(LinkFault('closed', 'it closed the connection with code 1005'))
    await rig.until(lambda: rig.link.cause.startswith('rejected_token'))
    await rig.link.shut_down()


@virtual
async def test_rejected_tokens_make_no_hot_loop():
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1)).start()
    began = rig.clock()
    while rig.clock() < began + 600:
        connection = await rig.registered()
        connection.lose(LinkFault('closed', 'code 1005'))
        await rig.until(lambda: rig.link.state is State.CONNECTING)
    assert 50 < len(rejected) < 80
    await rig.link.shut_down()


@virtual
async def test_how_long_the_last_pong_took_is_known_between_connections():
    rig = Rig(make=lambda index: {'delay': 0.125}).start()
    assert rig.link.round_trip_time == 0.0
    connection = await rig.registered()
    rig.make = lambda index: REFUSED
    connection.lose()
    await rig.until(lambda: len(rig.attempts) > 1)
    assert rig.link.round_trip_time == pytest.approx(0.125)


@virtual
async def test_a_token_that_comes_back_in_a_reason_is_neither_told_nor_logged():
    rig = Rig(token=a_token).start()
    connection = await rig.registered()
    await asyncio.sleep(5)
    connection.lose(LinkFault('closed', f'code 1008 (do not know {SECRET}, sorry)'))
    await rig.until(lambda: rig.link.cause)
    assert rig.link.cause.startswith('closed: code 1008 (do not know ')
    assert not any(SECRET in line for line in [rig.link.cause, *rig.logger.lines])


@virtual
async def test_reconnects_are_counted_by_what_had_ended_the_registration():
    """Not by what went wrong before the first one, nor by why later attempts failed."""
    rig = Rig(outcomes=[REFUSED, {}, REFUSED]).start()
    first = await rig.registered()
    assert rig.link.reconnect_causes == {}
    first.lose()
    await rig.until(lambda: rig.link.reconnects == 1)
    assert rig.link.reconnect_causes == {'lost': 1}
    rig.link.reconnect()
    await rig.until(lambda: rig.link.reconnects == 2)
    assert rig.link.reconnect_causes == {'lost': 1, 'reconnect': 1}
    await rig.link.shut_down()
    await rig.running
    rig.start()
    await rig.until(lambda: rig.link.reconnects == 3)
    assert rig.link.reconnect_causes == {'lost': 1, 'reconnect': 1, 'activation': 1}
