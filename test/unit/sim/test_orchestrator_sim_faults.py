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

"""The simulated orchestrator, fault by fault, in this process and ordered over HTTP."""

import asyncio
import contextlib
import ssl

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.interface.client import Operator
import pytest
from rigs.shared import run, until, WAIT
from rigs.sim_rig import (
    connect, END, get, handshake, PONG, registered, say, serving, settled, tracked, upgrade)
from tornado.httpclient import AsyncHTTPClient, HTTPRequest


# ---- faults

@pytest.mark.parametrize('status', [401, 403, 404, 503])
def test_refusal(status):
    async def job():
        async with serving() as sim:
            sim.refuse(status, retry_after=7)
            answer, headers = await handshake(sim.port)
            assert (answer, headers['Retry-After']) == (status, '7')
            sim.refuse(status)
            answer, headers = await handshake(sim.port)
            assert answer == status and 'Retry-After' not in headers
            assert (await handshake(sim.port, '/client'))[0] == 101
            assert (sim.refused, sim.opened) == (2, 0)
            sim.accept()
            assert (await handshake(sim.port))[0] == 101

    run(job())


def test_redirect():
    async def job():
        async with serving() as sim:
            sim.redirect('ws://127.0.0.1:1/elsewhere')
            status, headers = await handshake(sim.port)
            assert (status, headers['Location']) == (302, 'ws://127.0.0.1:1/elsewhere')
            sim.refuse(503)
            status, headers = await handshake(sim.port)
            assert status == 503 and 'Location' not in headers

    run(job())


@pytest.mark.parametrize('code', [None, 1011, 4001])
def test_accept_then_close(code):
    async def job():
        async with serving() as sim:
            sim.accept_then_close(code)
            camera = await connect(sim.url)
            with contextlib.suppress(Exception):
                await say(camera, 'identifier', id='cam-1')
            assert await get(camera) is END
            assert camera.close_code == code
            await until(lambda: not sim.connections)
            assert sim.opened == 1 and not sim.state.received
            sim.accept()
            await registered(sim)

    run(job())


def test_drop_resets_processors_and_leaves_operators():
    async def job():
        async with serving() as sim:
            operator = await connect(sim.client_url)
            camera, _ = await registered(sim)
            reader, writer = await asyncio.open_connection('127.0.0.1', sim.port)
            writer.write(upgrade())
            await reader.readuntil(b'\r\n\r\n')
            await until(lambda: len(sim.connections) == 2)
            sim.drop()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(), WAIT)
            assert await get(camera) is END
            assert camera.close_code is None
            await until(lambda: not sim.connections)
            assert await settled(operator) == []
            assert sim.stats()['registered'] == []
            writer.close()
            await registered(sim)

    run(job())


def test_drop_over_tls(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert('127.0.0.1').configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    async def job():
        async with serving(tls=context) as sim:
            camera = await connect(HTTPRequest(sim.url, ssl_options=trust))
            await settled(camera)
            sim.drop()
            assert await get(camera) is END

    run(job())


def test_a_stalled_one_answers_nothing_until_it_resumes():
    async def job():
        async with serving() as sim:
            operator = await Operator.connect(sim.client_url)
            camera, _ = await registered(sim)
            other, _ = await registered(sim, 'cam-2')
            sim.faults.stall()
            other.ping(b'idle')  # a connection on which nothing else is under way
            await say(camera, 'boundingBoxes', frameId=1, boxes=[])
            camera.ping(b'behind')
            handshaking = asyncio.ensure_future(connect(sim.url))
            # It is alive behind its back: what it answers here came after the frames above.
            stats = await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            assert strict_json.loads(stats.body)['open'] == 2
            for pending in (other.events.get(), camera.events.get(), handshaking):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(pending), 0.1)
            assert operator.received == [] and sim.state.received['boundingBoxes'] == 0
            sim.faults.resume()
            await operator.wait_for(lambda fields: fields['type'] == 'boundingBoxes')
            await handshaking

    run(job())


def test_pings_of_a_stall_are_answered_in_order_afterwards():
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            sim.faults.stall()
            await say(camera, 'identifier', id='cam-1')
            sim.state.objects[4] = {}
            camera.ping(b'behind')
            sim.faults.resume()
            assert [await get(camera), await get(camera)] == [
                *tracked({4: {}}), (PONG, 'behind')]

    run(job())


def test_a_handshake_that_was_given_up_in_a_stall_leaves_nothing():
    async def job():
        async with serving() as sim:
            sim.faults.stall()
            _, writer = await asyncio.open_connection('127.0.0.1', sim.port)
            writer.write(upgrade())
            await writer.drain()
            writer.transport.abort()
            await asyncio.wait_for(writer.wait_closed(), WAIT)
            # The end of a connection that waits is noticed in its own time; one behind it shows.
            await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            sim.faults.resume()
            await registered(sim)
            await until(lambda: len(sim.connections) == 1)

    run(job())


def test_what_was_stalled_is_lost_when_it_stops():
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            sim.faults.stall()
            await say(camera, 'boundingBoxes', frameId=1, boxes=[])
            await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            await sim.stop()
            assert await get(camera) is END
            assert sim.state.received['boundingBoxes'] == 0

    run(job())


# ---- HTTP

async def order(sim, **fields):
    answer = await AsyncHTTPClient().fetch(HTTPRequest(
        f'http://127.0.0.1:{sim.port}/control', method='POST', body=strict_json.dumps(fields)),
        raise_error=False)
    return answer.code, strict_json.loads(answer.body)


def test_stats():
    async def job():
        async with serving() as sim:
            for _ in range(2):
                camera, _ = await registered(sim)
            await connect(sim.url)
            operator = await Operator.connect(sim.client_url)
            await operator.start('cam-1', frame_id=1, box_id=0)
            sim.connections[0].abort()
            await until(lambda: len(sim.connections) == 2)
            answer = await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            assert strict_json.loads(answer.body) == {
                'opened': 3, 'refused': 0, 'open': 2,
                'cameras': {'cam-1': {'open': 1, 'opened': 2}},
                'registered': [],  # quirk 2
                'operators': 1, 'objects': [1],
                'received': {'identifier': 2, 'setUsesImages': 1, 'start': 1}}

    run(job())


def test_orders_over_http():
    async def job():
        async with serving() as sim:
            assert (await order(sim, do='refuse', status=503, retry_after=3))[0] == 200
            assert (await handshake(sim.port))[1]['Retry-After'] == '3'
            await order(sim, do='redirect', location='ws://there/')
            assert (await handshake(sim.port))[0] == 302
            await order(sim, do='accept_then_close', code=1011)
            assert await get(camera := await connect(sim.url)) is END
            assert camera.close_code == 1011
            await order(sim, do='accept')
            camera, _ = await registered(sim)
            await order(sim, do='send', camera='cam-1', text='{"any": "text"}')
            assert await get(camera) == {'any': 'text'}
            await order(sim, do='stall')
            assert sim.faults.stalled
            await order(sim, do='resume')
            assert not sim.faults.stalled
            await order(sim, do='demand_token', token='t')
            await order(sim, do='demand_token', token='o', operators=True)
            assert (sim.state.token, sim.state.operator_token) == ('t', 'o')
            await order(sim, do='drop')
            assert await get(camera) is END

    run(job())


@pytest.mark.parametrize('fields', [
    {}, {'do': 'fly'}, {'do': ['drop']}, {'do': 'drop', 'what': 1}, {'do': 'redirect'},
    {'do': 'refuse', 'status': '503'}, {'do': 'refuse', 'status': 200},
    {'do': 'refuse', 'status': True}, {'do': 'redirect', 'location': 5},
    {'do': 'refuse', 'retry_after': 'a\r\nb'}, {'do': 'accept_then_close', 'code': 70000},
    {'do': 'demand_token', 'token': 1}, {'do': 'send', 'camera': 'nobody', 'text': ''},
    {'do': 'send', 'camera': ['a'], 'text': ''}, {'do': 'send', 'camera': 'cam-1', 'text': 5}])
def test_a_bad_order_is_refused_and_changes_nothing(fields):
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            code, answer = await order(sim, **fields)
            assert code == 400 and answer['error']
            assert (await handshake(sim.port))[0] == 101
            assert await settled(camera) == []

    run(job())
