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

"""Orders from outside: shut down, run again, reconnect."""

import asyncio

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol.update import Update
import pytest
from rigs.link_rig import a_token, REFUSED, Rig, UNAVAILABLE, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_it_can_run_again_and_goes_on_where_it_was():
    rig = Rig(make=lambda index: {'replay': [Update(7, (1.0,))]}).start()
    first = await rig.registered()
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    await rig.until(lambda: rig.commands)
    await asyncio.sleep(5)
    await rig.link.shut_down()
    await rig.running
    rig.put(2)
    await asyncio.sleep(1000)
    assert len(rig.connections) == 1 and len(rig.outbox) == 1
    second = await rig.start().registered()
    await rig.until(lambda: rig.outbox.acknowledged == 2)
    assert second is not first and second.frames == [2]
    assert 7 in rig.session.tracked and len(rig.commands) == 1
    await rig.link.shut_down()
    await rig.running


@virtual
async def test_when_run_again_connect_timeout_counts_from_then_if_it_never_registered():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=20.0).start()
    assert 'gave up after 20 s' in (await rig.end()).reason
    await rig.link.shut_down()
    await asyncio.sleep(1000)
    began = rig.clock()
    assert 'gave up after 20 s' in (await rig.start().end()).reason
    assert 15 < rig.clock() - began <= 21
    rig.make = lambda index: {}
    await rig.start().registered()
    await rig.link.shut_down()


@virtual
async def test_when_run_again_it_waits_between_attempts_as_before():
    rig = Rig(outcomes=5 * [UNAVAILABLE]).start()
    await rig.registered()
    await rig.link.shut_down()
    await rig.running
    rig.make = lambda index: UNAVAILABLE
    rig.start()
    await asyncio.sleep(7)  # the next delay is of 8 s
    assert len(rig.attempts) == 7


@virtual
async def test_shut_down_while_it_waits_to_try_again():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(20)
    began, attempts = rig.clock(), len(rig.attempts)
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() == began
    assert len(rig.attempts) == attempts
    assert rig.link.state is State.CLOSED


@virtual
async def test_shut_down_while_it_connects():
    async def slow(timeout):
        await asyncio.sleep(5)
        return {}

    rig = Rig(make=lambda index: slow).start()
    await asyncio.sleep(1)
    await rig.link.shut_down()
    await asyncio.wait([rig.running], timeout=10)
    assert rig.running.done(), 'run() goes on after shut_down()'
    assert rig.link.state is State.CLOSED
    connection, = rig.connections
    assert connection.aborted and not connection.kinds


@virtual
async def test_the_end_is_told_once_however_often_it_is_asked_for():
    rig = Rig().start()
    await rig.registered()
    await rig.link.shut_down()
    await rig.link.shut_down()
    assert rig.states.count(State.CLOSED) == 1


# ---- reconnect

@virtual
async def test_reconnect_does_not_wait():
    rig = Rig(outcomes=5 * [UNAVAILABLE]).start()
    connection = await rig.registered()  # the next delay would be 10 s
    began = rig.clock()
    rig.link.reconnect()
    assert connection.aborted
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began < 0.1
    assert rig.link.cause == 'reconnect: told to connect anew'
    (await rig.registered()).lose()
    await rig.until(lambda: rig.link.cause.startswith('lost: '))


@virtual
async def test_reconnect_says_nothing_against_the_token():
    rejected = []
    rig = Rig(make=lambda index: {'answers': index > 0}, token=a_token,
              on_token_rejected=lambda: rejected.append(1)).start()
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    rig.link.reconnect()
    await rig.registered()
    assert rig.link.cause.startswith('reconnect: ') and not rejected


@virtual
async def test_reconnect_ends_the_wait_for_the_next_attempt():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await rig.until(lambda: len(rig.attempts) == 8)
    began = rig.clock()
    rig.link.reconnect()
    await rig.until(lambda: len(rig.attempts) == 9)
    assert rig.clock() - began < 0.1
    await asyncio.sleep(9)
    assert len(rig.attempts) == 9


@virtual
async def test_reconnect_ends_an_attempt_that_hangs():
    async def hang(timeout):
        try:
            await asyncio.sleep(timeout)
        except asyncio.CancelledError:
            ended.append(rig.clock())
            raise

    ended = []
    rig = Rig(outcomes=[hang], open_timeout=60.0, connect_timeout=0.0).start()
    await asyncio.sleep(15)
    rig.link.reconnect()
    await rig.registered()
    assert ended == [15.0] and rig.attempts == [0.0, pytest.approx(15.0, abs=0.1)]
    assert rig.link.cause == 'reconnect: told to connect anew'


@virtual
async def test_reconnect_ends_a_wait_that_the_server_has_asked_for():
    busy = LinkFault('http_503', 'it answers HTTP 503', retry_after=120.0)
    rig = Rig(outcomes=[busy]).start()
    await asyncio.sleep(1)
    rig.link.reconnect()
    await rig.registered()
    assert rig.attempts == [0.0, pytest.approx(1.0, abs=0.1)]


@virtual
async def test_an_attempt_that_was_ended_says_nothing_of_the_server():
    async def hang(timeout):
        await asyncio.sleep(timeout)

    rig = Rig(outcomes=[*(5 * [hang]), UNAVAILABLE], connect_timeout=0.0).start()
    for count in range(1, 6):
        await rig.until(lambda: len(rig.attempts) == count)
        rig.link.reconnect()
    await rig.registered()
    assert rig.attempts[-1] - rig.attempts[-2] < 1.1


@virtual
async def test_an_attempt_that_is_over_when_it_is_to_be_ended_counts_as_it_went():
    async def refused(timeout):
        asyncio.get_running_loop().call_soon(rig.link.reconnect)
        return REFUSED

    rig = Rig(outcomes=[refused]).start()
    await rig.registered()
    assert rig.link.cause.startswith('refused: ') and rig.clock() < 0.1


@virtual
async def test_the_end_of_the_link_ends_its_attempt():
    async def hang(timeout):
        try:
            await asyncio.sleep(timeout)
        finally:
            ended.append(rig.clock())

    ended = []
    rig = Rig(make=lambda index: hang).start()
    await asyncio.sleep(1)
    rig.running.cancel()
    await asyncio.wait([rig.running])
    assert rig.running.cancelled() and ended == [1.0]


@virtual
async def test_a_link_that_ends_in_the_moment_that_it_connects_leaves_no_connection():
    async def slow(timeout):
        await answered.wait()
        return {}

    made = 0
    for turns in range(10):  # of the loop, from the answer to the end
        answered = asyncio.Event()
        rig = Rig(make=lambda index: slow).start()
        await rig.until(lambda: rig.attempts)
        answered.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        rig.running.cancel()
        await asyncio.wait([rig.running])
        await asyncio.sleep(0)
        assert all(connection.aborted for connection in rig.connections), turns
        made += len(rig.connections)
    assert made > 5


@virtual
async def test_an_attempt_that_does_not_hear_of_its_end_leaves_no_connection():
    async def deaf(timeout):  # as asyncio.wait_for before Python 3.12, now and then
        try:
            await asyncio.sleep(timeout)
        except asyncio.CancelledError:
            return {}

    rig = Rig(outcomes=[deaf, deaf]).start()
    await asyncio.sleep(1)
    rig.link.reconnect()
    await rig.until(lambda: len(rig.attempts) == 2)
    await asyncio.sleep(1)
    rig.running.cancel()
    await asyncio.wait([rig.running])
    assert [connection.aborted for connection in rig.connections] == [True, True]
    assert rig.link.cause == 'reconnect: told to connect anew'


@virtual
async def test_reconnect_during_an_attempt_does_not_shorten_a_later_wait():
    async def slow(timeout):
        await asyncio.sleep(1)
        return {}

    rig = Rig(outcomes=[*(5 * [UNAVAILABLE]), slow]).start()
    await rig.until(lambda: len(rig.attempts) == 6)
    rig.link.reconnect()
    connection = await rig.registered()
    count, began = len(rig.attempts), rig.clock()
    connection.lose()
    await rig.until(lambda: len(rig.attempts) > count)
    assert rig.clock() - began > 5


@virtual
async def test_reconnect_during_the_flush_of_the_end_ends_it():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    asyncio.get_running_loop().call_later(0.5, rig.link.reconnect)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() - began < 0.6
    assert len(rig.attempts) == 1
