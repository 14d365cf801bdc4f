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

"""A connection that was left may live on; nothing of it is lost then, nor judged anew."""

import asyncio

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.link import State
from camera_ws_bridge.link.second_chance import KEPT_FOR
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import a_token, LOST, REFUSED, Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')
CLICK, MAP = Start(1, 1.5, 0), (0.5, 1.0)
DOWN = [LinkFault('unreachable', 'there is no way', reached=False)] * 2


async def clicked(**arguments):
    """Return a rig on whose camera somebody has clicked; no feature map is known yet."""
    arguments.setdefault('identify_interval', 0.0)
    rig = Rig(**arguments).start()
    connection = await rig.registered()
    connection.feed(CLICK)
    await rig.until(lambda: rig.commands)
    connection.replay = [Update(1)]
    return rig, connection


async def fall_silent(rig, connection):
    """Let the link leave a connection that does not answer; its feature map has to wait."""
    connection.answers = False
    await rig.until(lambda: rig.link.state is State.CONNECTING)
    rig.session.extracted(Update(1, MAP))
    rig.put_update(1)


def told(rig):
    """Return session and message of all commands."""
    return [(command.session, command.message) for command in rig.commands]


def in_time(seconds):
    """Return an outcome: a connection that can be opened after so long."""
    async def open_later(timeout):
        await asyncio.sleep(seconds)
        return {'replay': [Update(1)]}
    return open_later


@pytest.mark.parametrize('token', (None, a_token))
@virtual
async def test_the_former_connection_goes_on_if_it_answers_again(token):
    rig, connection = await clicked(token=token)
    rig.make = lambda index: in_time(5.0)
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    assert not connection.aborted and connection.patience >= 2 * KEPT_FOR
    connection.feed(Start(2, 2.5, 0))  # was on its way all the time
    await asyncio.sleep(3.0)
    assert rig.link.state is State.CONNECTING
    connection.replay = [Update(1), Update(2)]
    connection.revive()
    await rig.registered()
    assert rig.connections[1].aborted and rig.connections[1].log == []
    await rig.until(lambda: not len(rig.outbox))
    assert connection.kinds.count('authenticate') == (token is not None)
    assert connection.kinds.count('identifier') == 2
    assert connection.kinds.count('featureMap') == 1
    assert rig.session.number == 1 and not rig.outbox.dropped
    assert told(rig) == [(1, CLICK), (1, Start(2, 2.5, 0))]
    assert any('it goes on' in line for line in rig.logger.lines)


@virtual
async def test_what_is_not_tracked_any_more_is_stopped_when_it_goes_on():
    rig, connection = await clicked()
    connection.feed(Start(2, 2.5, 0))
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    connection.revive()
    await rig.registered()
    assert told(rig)[2:] == [(1, Stop(2))]


@virtual
async def test_one_that_does_not_answer_is_waited_for_as_long_as_it_was_away():
    rig, connection = await clicked()
    rig.make = lambda index: in_time(2.0)
    await fall_silent(rig, connection)
    left = rig.clock()
    await rig.until(lambda: rig.connections[-1] is not connection)
    opened = rig.clock()
    assert not connection.aborted
    await rig.registered()
    assert rig.clock() - opened == pytest.approx(opened - left + 1.0, abs=0.1)
    assert connection.aborted and not rig.connections[1].aborted
    assert rig.session.number == 2
    assert rig.outbox.dropped == {'updates_former_session': 1}
    assert told(rig) == [(1, CLICK), (1, Stop(1)), (2, Update(1))]


@virtual
async def test_nobody_is_waited_for_longer_than_for_a_heartbeat():
    rig, connection = await clicked(heartbeat_timeout=3.0)
    rig.make = lambda index: in_time(30.0)
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    opened = rig.clock()
    await rig.registered()
    assert rig.clock() - opened == pytest.approx(3.0, abs=0.1)


@virtual
async def test_nobody_is_waited_for_after_a_minute():
    rig, connection = await clicked()
    rig.make = lambda index: in_time(KEPT_FOR + 1.0)
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2, 1000.0)
    opened = rig.clock()
    await rig.registered()
    assert rig.clock() - opened < 0.1 and connection.aborted


@pytest.mark.parametrize('when', ('before', 'meanwhile', 'at the ping'))
@virtual
async def test_one_that_breaks_is_not_waited_for(when):
    rig, connection = await clicked()
    rig.make = lambda index: in_time(9.0)
    await fall_silent(rig, connection)
    if when == 'before':
        connection.lose()
    await rig.until(lambda: len(rig.connections) == 2)
    opened = rig.clock()
    await asyncio.sleep(0.05)
    if when == 'meanwhile':
        connection.lose()
    elif when == 'at the ping':
        connection.pongs[-1].cancel()
    await rig.registered()
    assert rig.clock() - opened < 0.1
    assert rig.session.number == 2


@virtual
async def test_a_network_that_comes_back_as_it_was_ends_nothing():
    rig, connection = await clicked()
    rig.outcomes = [*DOWN]
    connection.routed = connection.answers = False
    rig.change_network()
    await rig.until(lambda: rig.link.cause.startswith('unreachable'))
    rig.session.extracted(Update(1, MAP))
    rig.put_update(1)
    connection.routed = True
    connection.revive()
    rig.change_network()
    await rig.registered()
    await rig.until(lambda: not len(rig.outbox))
    assert connection.kinds.count('featureMap') == 1 and told(rig) == [(1, CLICK)]


@virtual
async def test_one_whose_address_is_gone_is_not_waited_for():
    rig, connection = await clicked()
    connection.routed = connection.answers = False
    rig.change_network()
    began = rig.clock()
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()
    assert rig.clock() - began < 0.1 and connection.aborted
    assert rig.session.number == 2


@virtual
async def test_only_where_no_replay_could_prove_anything():
    rig, connection = await clicked()
    rig.make = lambda index: {'replay': [Update(1, MAP)]}
    connection.feed(Update(1, MAP))
    await asyncio.sleep(0.1)
    connection.answers = False
    await rig.until(lambda: len(rig.connections) == 2)
    assert connection.aborted
    await rig.registered()
    assert rig.session.number == 1


@pytest.mark.parametrize('fault', (LOST, LinkFault('closed', 'with code 1001', code=1001)))
@virtual
async def test_one_that_was_ended_is_not_kept(fault):
    rig, connection = await clicked()
    connection.lose(fault)
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()
    assert connection.aborted and rig.session.number == 2


@virtual
async def test_it_may_be_left_and_go_on_again_and_again():
    rig, connection = await clicked()
    for count in range(1, 4):
        await fall_silent(rig, connection)
        await rig.until(lambda: len(rig.connections) == 1 + count)
        connection.revive()
        await rig.registered()
        await rig.until(lambda: not len(rig.outbox))
    assert connection.kinds.count('featureMap') == 3 and told(rig) == [(1, CLICK)]


@virtual
async def test_it_gets_another_chance_if_it_falls_silent_before_it_is_registered_again():
    rig, connection = await clicked()
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    connection.on_sent = lambda value: setattr(connection, 'answers', False)
    connection.revive()
    await rig.until(lambda: len(rig.connections) == 3)
    connection.on_sent = lambda value: None
    connection.revive()
    await rig.registered()
    assert told(rig) == [(1, CLICK)]


@pytest.mark.parametrize('change', (True, False))
@virtual
async def test_an_attempt_that_fails_or_is_made_anew_leaves_it_its_chance(change):
    rig, connection = await clicked(watch_network=True)
    rig.outcomes = [REFUSED, REFUSED]
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    if change:
        rig.change_network()
        await rig.until(lambda: len(rig.connections) == 3)
        assert rig.connections[1].aborted and not connection.aborted
    connection.revive()
    await rig.registered()
    assert told(rig) == [(1, CLICK)]


@virtual
async def test_whoever_is_told_to_connect_anew_does_so():
    rig, connection = await clicked()
    await fall_silent(rig, connection)
    await rig.until(lambda: len(rig.connections) == 2)
    rig.link.reconnect()
    assert connection.aborted
    await rig.until(lambda: len(rig.connections) == 3)
    connection.revive()
    await rig.registered()
    assert rig.session.number == 2


@pytest.mark.parametrize('meanwhile', (True, False))
@virtual
async def test_the_end_of_the_link_is_its_end(meanwhile):
    rig, connection = await clicked()
    rig.make = lambda index: in_time(3.0)
    await fall_silent(rig, connection)
    if meanwhile:
        await rig.until(lambda: len(rig.connections) == 2)
    await rig.link.shut_down()
    rig.running.cancel()
    await asyncio.wait([rig.running])
    assert all(each.aborted for each in rig.connections)


@virtual
async def test_without_reconciling_there_is_nothing_to_prove():
    rig, connection = await clicked(reconcile=False)
    await fall_silent(rig, connection)
    assert connection.aborted
