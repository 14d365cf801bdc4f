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

"""Attempts to connect: how often, how long, when there is no use in more, and what is said."""

import asyncio
import random

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.active_connection import REST, TICK
from camera_ws_bridge.link.link import State
from camera_ws_bridge.link.settings import Settings
import pytest
from rigs.link_rig import FakeConnection, NOT_FOUND, REFUSED, Rig, run, UNAVAILABLE, virtual

pytestmark = pytest.mark.usefixtures('writing')


@pytest.mark.parametrize('fault', (REFUSED, UNAVAILABLE))
@virtual
async def test_gives_up_after_connect_timeout(fault):
    rig = Rig(make=lambda index: fault).start()
    given_up = await rig.end()
    assert (given_up.cause, given_up.fatal) == (fault.cause, False)
    assert '60 s' in given_up.reason and fault.reason in given_up.reason
    assert 60 <= rig.clock() <= 61


@virtual
async def test_gives_up_though_every_attempt_hangs():
    async def hang(timeout):
        await asyncio.sleep(timeout)
        return LinkFault('timeout', 'it does not answer', reached=False)

    rig = Rig(make=lambda index: hang).start()
    assert (await rig.end()).cause == 'timeout'
    assert rig.timeouts[0] == 10.0
    assert all(at + timeout <= 60.2 for at, timeout in zip(rig.attempts, rig.timeouts))
    assert 60 <= rig.clock() <= 61


@virtual
async def test_gives_up_though_it_is_accepted_but_never_registered():
    def make(index):
        asyncio.get_running_loop().call_later(0.01, lambda: rig.connections[-1].lose(
            LinkFault('closed', 'it closed the connection with code 1005')))
        return {'answers': False}

    rig = Rig(make=make).start()
    assert (await rig.end()).cause == 'closed'
    assert rig.clock() <= 71


@virtual
async def test_connect_timeout_zero_is_for_ever():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(3600)
    assert not rig.running.done()
    assert rig.timeouts[-1] == 10.0
    rig.make = lambda index: {}
    await rig.registered()


@virtual
async def test_fatal_fault_ends_it_at_once():
    rig = Rig(make=lambda index: NOT_FOUND, connect_timeout=0.0).start()
    fault = await rig.end()
    assert (fault.cause, fault.reason, fault.fatal) == ('http_404', NOT_FOUND.reason, True)
    assert (rig.clock(), len(rig.attempts)) == (0.0, 1)


@virtual
async def test_once_registered_it_never_gives_up():
    rig = Rig().start()
    connection = await rig.registered()
    rig.outcomes = [*(50 * [NOT_FOUND]), *(500 * [REFUSED])]
    connection.lose()
    await rig.until(lambda: not rig.outcomes, 5000)
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()


@virtual
async def test_once_registered_a_registration_may_take_longer_than_connect_timeout():
    rig = Rig(connect_timeout=5.0).start()
    connection = await rig.registered()
    rig.make = lambda index: {'delay': 8.0}
    connection.lose()
    await rig.until(lambda: rig.link.reconnects == 1)
    assert len(rig.attempts) == 2


# ---- back-off

@virtual
async def test_back_off_doubles_while_a_server_answers():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(60)
    delays = [later - sooner for sooner, later in zip(rig.attempts, rig.attempts[1:])]
    assert delays[:7] == pytest.approx([0.5, 1, 2, 4, 8, 10, 10], abs=0.01)


@virtual
async def test_back_off_stays_short_while_nobody_answers():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=0.0).start()
    await asyncio.sleep(60)
    delays = [later - sooner for sooner, later in zip(rig.attempts, rig.attempts[1:])]
    assert delays[:5] == pytest.approx([0.5, 1, 1, 1, 1], abs=0.01)


@virtual
async def test_only_a_stable_connection_resets_the_back_off():
    rig = Rig(outcomes=4 * [UNAVAILABLE]).start()
    for lasting, delay in ((1.0, 8.0), (1.9, 10.0), (2.1, 0.5), (0.0, 1.0)):
        connection = await rig.registered()
        await asyncio.sleep(lasting)
        count = len(rig.attempts)
        lost_at = rig.clock()
        connection.lose()
        await rig.until(lambda: len(rig.attempts) > count)
        assert rig.attempts[-1] - lost_at == pytest.approx(delay, abs=0.05)


@virtual
async def test_retry_after_lengthens_the_wait():
    busy = LinkFault('http_503', 'it answers HTTP 503', retry_after=40.0)
    rig = Rig(outcomes=[busy]).start()
    await rig.registered()
    assert 40.0 <= rig.attempts[1] - rig.attempts[0] < 41.0
    await rig.link.shut_down()


@pytest.mark.parametrize('answers', (False, True))
def test_server_that_accepts_and_closes_sees_few_connects(answers):
    """At most 10 in 10 s; full jitter allows a rare exception, which is counted here."""
    def connects(seed):
        rigs = []

        async def test():
            async def closed_in_a_moment(timeout):  # registered or not
                connection = FakeConnection(rig.clock, answers=answers)
                asyncio.get_running_loop().call_later(
                    0.01, connection.lose, LinkFault('closed', 'closed with code 1005'))
                return connection

            rig = Rig(draw=random.Random(seed).random, connect_timeout=0.0,
                      reconnect_delay_max=Settings('gate').reconnect_delay_max,
                      make=lambda index: closed_in_a_moment)
            rigs.append(rig)
            rig.start()
            await asyncio.sleep(10)

        assert run(test) == []
        return len(rigs[0].attempts)

    counts = [connects(seed) for seed in range(200)]
    assert sum(count > 10 for count in counts) <= 1
    assert min(counts) >= 2


# ---- what is said

@virtual
async def test_registered_means_the_pong_is_back():
    rig = Rig(make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    assert rig.states == [State.CONNECTING, State.AUTHENTICATING]
    rig.connections[0].answer()
    await rig.registered()
    await rig.until(lambda: rig.link.state is State.STABLE)
    assert rig.states == [
        State.CONNECTING, State.AUTHENTICATING, State.REGISTERED, State.STABLE]
    assert rig.clock() == pytest.approx(2.0, abs=(1 + REST) * TICK)
    assert any('front-door' in line and 'ws://orchestrator/processor' in line
               for line in rig.logger.lines)


@virtual
async def test_what_a_fault_says_is_logged_as_one_short_line():
    rig = Rig(outcomes=[LinkFault('closed', 'evil\nline ' + 1000 * 'x')]).start()
    await rig.registered()
    assert all(line.isprintable() and len(line) < 250 for line in rig.logger.lines)
    assert rig.link.cause.startswith('closed: evil') and rig.link.cause.isprintable()
    assert any('ws://orchestrator/processor' in line and 'evil' in line
               for line in rig.logger.lines)


@virtual
async def test_failing_attempts_do_not_flood_the_log():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=0.0).start()
    await asyncio.sleep(600)
    assert len(rig.attempts) > 500
    assert len(rig.logger.lines) <= 121
