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

"""Tokens that cannot be had, and tokens that are not accepted."""

import asyncio

from camera_ws_bridge.errors import LinkFault
import pytest
from rigs.link_rig import a_token, Rig, SECRET, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_token_that_cannot_be_had_costs_a_reconnect():
    answers = [LinkFault('token', 'the token server is down'), RuntimeError('a bug'), SECRET]

    async def token():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    rig = Rig(token=token).start()
    await rig.registered()
    assert [connection.kinds[:1] for connection in rig.connections] == [[], [], ['authenticate']]


@virtual
async def test_a_token_that_never_comes_costs_a_reconnect():
    async def never():
        await asyncio.Event().wait()

    rig = Rig(token=never).start()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.link.cause.startswith('token_server')
    await rig.link.shut_down()


@virtual
async def test_a_token_that_does_not_come_within_connect_timeout_is_what_is_blamed():
    async def never():
        await asyncio.Event().wait()

    rig = Rig(token=never, connect_timeout=5.0)
    with pytest.raises(LinkFault, match='gave up after 5 s: there is no token') as caught:
        await rig.link.run()
    assert caught.value.cause == 'token_server'


@virtual
async def test_a_close_right_after_the_token_is_a_rejected_token():
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1))
    rig.make = lambda index: {'answers': False}
    rig.start()
    await rig.until(lambda: rig.connections and 'identifier' in rig.connections[0].kinds)
    rig.connections[0].lose(LinkFault('closed', 'it closed the connection with code 1005'))
    await rig.until(lambda: rejected)
    assert rig.link.cause.startswith('rejected_token')
    await rig.link.shut_down()


@virtual
async def test_a_wordless_close_instead_of_a_registration_names_the_token_that_may_be_missing():
    rig = Rig()
    rig.make = lambda index: {'answers': False}
    rig.start()
    await rig.until(lambda: rig.connections and 'identifier' in rig.connections[0].kinds)
    rig.connections[0].lose(LinkFault('closed', 'code 1005', code=1005))
    await rig.until(lambda: rig.link.cause)
    assert rig.link.cause.startswith('closed') and 'AUTH_SERVER_URL' in rig.link.cause
    await rig.link.shut_down()


@virtual
async def test_a_wordless_close_behind_the_registration_has_nothing_to_do_with_tokens():
    rig = Rig().start()
    connection = await rig.registered()
    connection.lose(LinkFault('closed', 'code 1005', code=1005))
    await rig.until(lambda: rig.link.cause)
    assert rig.link.cause == 'closed: code 1005'
    await rig.link.shut_down()


@pytest.mark.parametrize('cause, after', (('lost', 0.0), ('closed', 5.0)))
@virtual
async def test_other_losses_are_not_blamed_on_the_token(cause, after):
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1)).start()
    connection = await rig.registered()
    await asyncio.sleep(after)
    connection.lose(LinkFault(cause, 'gone'))
    await rig.until(lambda: len(rig.connections) > 1)
    assert rejected == [] and rig.link.cause.startswith(cause)
    await rig.link.shut_down()


@virtual
async def test_a_close_during_a_flush_is_not_blamed_on_the_token():
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1)).start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    asyncio.get_running_loop().call_later(0.5, connection.lose, LinkFault('closed', 'code 1001'))
    await rig.link.shut_down()
    await rig.running
    assert not rejected


@virtual
async def test_a_token_that_comes_back_in_a_message_is_not_logged():
    rig = Rig(token=a_token).start()
    connection = await rig.registered()
    connection.feed(f'{{"type": "{SECRET}"}}')
    await rig.until(lambda: rig.inbound.rejected)
    assert any('ignored' in line for line in rig.logger.lines)
    assert not any(SECRET in line for line in rig.logger.lines)
