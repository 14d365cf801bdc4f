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

"""The orchestrator stand-in: against the recorded session, trap by trap, and fault by fault."""

import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys

from camera_ws_bridge import wire
from camera_ws_bridge.sim.operator_client import Operator
from camera_ws_bridge.sim.orchestrator import main, OrchestratorSim
from camera_ws_bridge.sim.orchestrator_state import Ignored, State
import pytest
from shared import run, WAIT
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

RECORDING = pathlib.Path(__file__).parent / 'data' / 'orchestrator-session.jsonl'
PONG = 'pong'
END = 'end'


async def until(condition):
    """Wait until the condition holds."""
    async def poll():
        while not condition():
            await asyncio.sleep(0.005)
    await asyncio.wait_for(poll(), WAIT)


async def connect(url, **arguments):
    """Open a connection that puts everything into one queue, pongs in their place."""
    events = asyncio.Queue()
    connection = await websocket_connect(
        url, on_message_callback=lambda text: events.put_nowait(END if text is None else text),
        **arguments)
    # tornado runs the receive loop only after this coroutine has had its turn.
    connection.on_pong = lambda data: events.put_nowait((PONG, data.decode()))
    connection.events = events
    return connection


async def get(connection):
    """Return the next thing that comes: a message, (PONG, data) or END."""
    event = await asyncio.wait_for(connection.events.get(), WAIT)
    return wire.loads(event) if isinstance(event, str) and event is not END else event


async def say(connection, kind, **fields):
    await connection.write_message(wire.dumps({'type': kind, **fields}))


async def settled(connection):
    """Return the messages that came before the pong of a ping that is sent now."""
    connection.ping(b'settled')
    messages = []
    while (event := await get(connection)) != (PONG, 'settled'):
        messages.append(event)
    return messages


@contextlib.asynccontextmanager
async def serving(**arguments):
    sim = OrchestratorSim(**arguments)
    await sim.start()
    try:
        yield sim
    finally:
        await sim.stop()
        assert sim.peers == []


async def registered(sim, camera_id='cam-1'):
    """Return a registered camera, behind the replay, and what was replayed."""
    camera = await connect(sim.url)
    await say(camera, 'identifier', id=camera_id)
    return camera, await settled(camera)


def tracked(objects):
    return [{'type': 'featureMap', 'objectId': number, 'featureMap': numbers}
            for number, numbers in objects.items()]


# ---- the recorded session

def read_recording():
    with RECORDING.open(encoding='utf-8') as lines:
        return [wire.loads(line) for line in lines]


def normal(text):
    """Return JSON text in one spelling; keys keep their order, and 1 is not 1.0."""
    return wire.dumps(wire.loads(text))


def test_it_answers_as_in_the_recording():
    entries = read_recording()
    expected, heard = {}, {}
    closed = []

    async def job():
        async with serving(listener=lambda name, direction, text: (
                closed.append(name) if direction == 'closed' else None)) as sim:
            connections = {}
            for entry in entries:
                name, direction, text = entry['connection'], entry['direction'], entry['text']
                connection = connections.get(name)
                if direction == 'open':
                    expected[name], heard[name] = [], []
                    connections[name] = await connect(
                        sim.client_url if text == '/client' else sim.url)
                elif direction == 'to_orchestrator':
                    await connection.write_message(text)
                elif direction == 'ping':
                    connection.ping(text.encode())
                elif direction == 'closed':
                    # A last ping, which is not in the recording, shows that nothing more came.
                    heard[name] += map(wire.dumps, await settled(connection))
                    count = len(closed)
                    connection.close(int(text))
                    await until(lambda: len(closed) > count)
                    assert connection.close_code == int(text)
                else:
                    expected[name].append((PONG, text) if direction == 'pong' else normal(text))
                    event = await asyncio.wait_for(connection.events.get(), WAIT)
                    heard[name].append(event if isinstance(event, tuple) else normal(event))
            assert sim.stats()['open'] == sim.stats()['operators'] == 0

    run(job())
    assert len(expected) == 5
    assert heard == expected


# ---- traps

def test_trap_1_an_identifier_is_answered_with_what_is_tracked_now():
    async def job():
        async with serving() as sim:
            camera, replayed = await registered(sim)
            assert replayed == []
            operator = await Operator.connect(sim.client_url)
            for _ in range(3):
                await operator.start('cam-1', frame_id=1, box_id=0)
            await say(camera, 'featureMap', objectId=3, featureMap=[1, 0.5])
            await settled(camera)
            camera.close()
            await until(lambda: not sim.connections)
            seen = len(operator.received)
            await operator.stop(1)
            await operator.wait_for(lambda fields: fields['type'] == 'stop', skip=seen)
            # Neither the starts nor the missed stop: only the state, and the pong behind it.
            camera, replayed = await registered(sim)
            assert replayed == tracked({2: {}, 3: [1, 0.5]})
            await say(camera, 'identifier', id='cam-1')
            assert await settled(camera) == replayed

    run(job())


def test_trap_2_the_older_connections_end_drops_the_newer_registration():
    async def job():
        async with serving() as sim:
            older, _ = await registered(sim)
            newer, _ = await registered(sim)
            operator = await connect(sim.client_url)
            await say(operator, 'start', cameraId='cam-1', frameId=1, boxId=0)
            assert (await get(newer))['type'] == 'start'
            assert await settled(older) == []
            assert [message['type'] for message in await settled(operator)] == ['newObject']
            older.close()
            await until(lambda: len(sim.connections) == 1)
            await say(operator, 'start', cameraId='cam-1', frameId=2, boxId=0)
            await say(operator, 'stop', objectId=1)
            assert await settled(operator) == [{'type': 'stop', 'objectId': 1}]
            assert await settled(newer) == []  # commands have silently stopped
            await say(newer, 'boundingBoxes', frameId=2, boxes=[])
            assert (await get(operator))['cameraId'] == 'cam-1'  # boxes still flow
            await say(newer, 'identifier', id='cam-1')
            assert await settled(newer) == []
            await say(operator, 'start', cameraId='cam-1', frameId=3, boxId=0)
            assert await get(newer) == {
                'type': 'start', 'objectId': 2, 'frameId': 3, 'boxId': 0}

    run(job())


def test_trap_4_object_ids_restart_at_1_with_the_orchestrator():
    async def job():
        port = 0
        for _ in range(2):
            async with serving(port=port) as sim:
                port = sim.port  # the same again at once, with connections that were open
                _, replayed = await registered(sim)
                assert replayed == []
                operator = await Operator.connect(sim.client_url)
                assert await operator.start('cam-1', frame_id=1, box_id=0) == 1
                assert await operator.start('cam-1', frame_id=1, box_id=1) == 2

    run(job())


@pytest.mark.parametrize('number', ['1', '1.0', '1606.0333333333335', '5e-324', '-0.0'])
def test_trap_5_numbers_are_passed_on_as_they_came(number):
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            operator = await connect(sim.client_url)
            await camera.write_message(
                '{"type": "boundingBoxes", "frameId": %s, "boxes": []}' % number)
            assert repr((await get(operator))['frameId']) == repr(
                wire.loads('{"value": %s}' % number)['value'])
            await operator.write_message(
                '{"type": "start", "cameraId": "cam-1", "frameId": %s, "boxId": 0}' % number)
            assert repr((await get(camera))['frameId']) == repr(
                wire.loads('{"value": %s}' % number)['value'])

    run(job())


def test_trap_6_megabytes_pass_and_more_than_10_mib_do_not():
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            operator = await Operator.connect(sim.client_url, uses_images=True)
            image = os.urandom(3 * 2**20)
            assert await operator.start('cam-1', image=image) == 1
            start = await get(camera)
            assert list(start) == ['type', 'objectId', 'image']
            assert start['image'] == operator.received[-1]['image']
            assert start['image'].startswith(wire.IMAGE_PREFIX)
            await camera.write_message('x' * (10 * 2**20))
            assert await settled(camera) == []
            with contextlib.suppress(Exception):  # it need not take it to the end
                await camera.write_message('x' * (10 * 2**20 + 1))
            await until(lambda: not sim.connections)

    run(job())


def test_trap_7_nagle_is_on():
    async def job():
        async with serving() as sim:
            await registered(sim)
            stream = sim.connections[0].ws_connection.stream
            assert stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0

    run(job())


# ---- what else is on the wire

@pytest.mark.parametrize('text', [
    'not json', '[]', '{}', '{"type": 1}', '{"type": "unheardOf"}', '{"type": "identifier"}',
    '{"type": "identifier", "id": ["a"]}', '{"type": "boundingBoxes", "frameId": 2}',
    '{"type": "boundingBoxes", "frameId": NaN, "boxes": []}', '{"type": "a", "type": "b"}',
    '{"type": "featureMap", "objectId": 1, "featureMap": [NaN]}',
    '{"type": "featureMap", "objectId": [], "featureMap": []}',
    '{"type": "featureMap", "objectId": 7, "featureMap": [1]}', '{"type": "identifier", "id": 5}',
    '{"type": "identifier", "id": "\\ud800"}', '{"type": "stop", "objectId": 1}'])
def test_what_makes_no_sense_changes_nothing(text):
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            operator = await Operator.connect(sim.client_url)
            await operator.start('cam-1', frame_id=1, box_id=0)
            await get(camera)
            await camera.write_message(text)
            assert await settled(camera) == []
            assert sim.stats()['registered'] == ['cam-1']
            assert sim.state.objects == {1: {}}
            other, replayed = await registered(sim, 'cam-2')
            assert replayed == tracked({1: {}})
            assert len(operator.received) == 1

    run(job())


def test_an_image_reaches_only_operators_who_want_images():
    async def job():
        async with serving() as sim:
            await registered(sim)
            heard = []
            plain = await Operator.connect(sim.client_url, listener=heard.append)
            rich = await Operator.connect(sim.client_url, uses_images=True)
            assert await rich.start('cam-1', image=b'png') == 1
            await plain.wait_for(lambda fields: True)
            assert heard == plain.received == [{'type': 'newObject', 'objectId': 1}]
            assert rich.received[0]['image'] == wire.IMAGE_PREFIX + 'cG5n'
            await rich.close()
            assert rich.closed

    run(job())


def test_an_operator_notices_that_the_orchestrator_has_gone():
    async def job():
        async with serving() as sim:
            operator = await Operator.connect(sim.client_url)
            await until(lambda: sim.peers)
            waiting = asyncio.ensure_future(operator.wait_for(lambda fields: True))
        with pytest.raises(ConnectionError):
            await waiting

    run(job())


def test_two_of_them_know_nothing_of_each_other():
    async def job():
        async with serving() as one, serving() as other:
            assert one.port != other.port
            await registered(one)
            assert other.stats()['registered'] == [] and other.opened == 0

    run(job())


# ---- tokens

def test_a_good_token_lets_in_and_is_not_answered():
    async def job():
        async with serving(token='secret') as sim:
            camera = await connect(sim.url)
            await say(camera, 'authenticate', jwt='secret')
            assert await settled(camera) == []
            await say(camera, 'identifier', id='cam-1')
            assert await settled(camera) == []
            assert sim.stats()['registered'] == ['cam-1']

    run(job())


@pytest.mark.parametrize('at_run_time', [False, True])
@pytest.mark.parametrize('jwt', ['wrong', 5, None])
def test_a_bad_token_shows_on_the_next_message(jwt, at_run_time):
    async def job():
        async with serving(token=None if at_run_time else 'secret') as sim:
            if at_run_time:
                sim.demand_token('secret')
            camera = await connect(sim.url)
            if jwt is not None:
                await say(camera, 'authenticate', jwt=jwt)
                assert await settled(camera) == []
            await say(camera, 'identifier', id='cam-1')
            assert await get(camera) is END
            assert camera.close_code is None
            await until(lambda: not sim.connections)
            assert sim.stats()['registered'] == []
            sim.demand_token(None)
            await registered(sim)

    run(job())


# ---- faults

async def handshake(port, path='/processor'):
    """Return the status line and the headers that answer a WebSocket handshake."""
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    writer.write(
        f'GET {path} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
        .encode())
    head = (await asyncio.wait_for(reader.readuntil(b'\r\n\r\n'), WAIT)).decode()
    writer.close()
    status, *headers = head.strip().split('\r\n')
    return int(status.split()[1]), dict(header.split(': ', 1) for header in headers)


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
            writer.write(
                b'GET /processor HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n'
                b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
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


def test_a_stalled_one_answers_nothing_until_it_resumes():
    async def job():
        async with serving() as sim:
            operator = await Operator.connect(sim.client_url)
            camera, _ = await registered(sim)
            other, _ = await registered(sim, 'cam-2')
            sim.stall()
            other.ping(b'idle')  # a connection on which nothing else is under way
            await say(camera, 'boundingBoxes', frameId=1, boxes=[])
            camera.ping(b'behind')
            handshaking = asyncio.ensure_future(connect(sim.url))
            # It is alive behind its back: what it answers here came after the frames above.
            stats = await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            assert wire.loads(stats.body)['open'] == 2
            for pending in (other.events.get(), camera.events.get(), handshaking):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(pending), 0.1)
            assert operator.received == [] and sim.state.received['boundingBoxes'] == 0
            sim.resume()
            await operator.wait_for(lambda fields: fields['type'] == 'boundingBoxes')
            await handshaking

    run(job())


def test_pings_of_a_stall_are_answered_in_order_afterwards():
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            sim.stall()
            await say(camera, 'identifier', id='cam-1')
            sim.state.objects[4] = {}
            camera.ping(b'behind')
            sim.resume()
            assert [await get(camera), await get(camera)] == [
                *tracked({4: {}}), (PONG, 'behind')]

    run(job())


def test_a_handshake_that_was_given_up_in_a_stall_leaves_nothing():
    async def job():
        async with serving() as sim:
            sim.stall()
            _, writer = await asyncio.open_connection('127.0.0.1', sim.port)
            writer.write(
                b'GET /processor HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n'
                b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
            await writer.drain()
            writer.transport.abort()
            await asyncio.wait_for(writer.wait_closed(), WAIT)
            # The end of a connection that waits is noticed in its own time; one behind it shows.
            await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            sim.resume()
            await registered(sim)
            await until(lambda: len(sim.connections) == 1)

    run(job())


def test_what_was_stalled_is_lost_when_it_stops():
    async def job():
        async with serving() as sim:
            camera, _ = await registered(sim)
            sim.stall()
            await say(camera, 'boundingBoxes', frameId=1, boxes=[])
            await AsyncHTTPClient().fetch(f'http://127.0.0.1:{sim.port}/stats')
            await sim.stop()
            assert await get(camera) is END
            assert sim.state.received['boundingBoxes'] == 0

    run(job())


# ---- HTTP

async def order(sim, **fields):
    answer = await AsyncHTTPClient().fetch(HTTPRequest(
        f'http://127.0.0.1:{sim.port}/control', method='POST', body=wire.dumps(fields)),
        raise_error=False)
    return answer.code, wire.loads(answer.body)


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
            assert wire.loads(answer.body) == {
                'opened': 3, 'refused': 0, 'open': 2,
                'cameras': {'cam-1': {'open': 1, 'opened': 2}},
                'registered': [],  # trap 2
                'operators': 1, 'objects': [1], 'received': {'identifier': 2, 'start': 1}}

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
            assert sim.stalled
            await order(sim, do='resume')
            assert not sim.stalled
            await order(sim, do='demand_token', token='t')
            assert sim.state.token == 't'
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


# ---- journal

def read_journal(path):
    with path.open(encoding='utf-8') as lines:
        return [(entry['connection'], entry['direction'], entry['text'])
                for entry in map(wire.loads, lines)]


def test_the_journal_holds_every_frame(tmp_path):
    path = tmp_path / 'traffic.jsonl'

    async def job():
        for _ in range(2):  # it appends
            async with serving(record=path) as sim:
                camera = await connect(sim.url)
                await camera.write_message('not json')
                await camera.write_message('{"type":"identifier","id":"cam-ü"}')
                assert await settled(camera) == []
                operator = await connect(sim.client_url)
                await operator.write_message('{"type":"stop","objectId":1}')
                assert await settled(operator) == []
                await camera.write_message('{"type": "boundingBoxes", "frameId": 1, "boxes": []}')
                await get(operator)
                camera.close(1000)
                await until(lambda: not sim.connections)

    run(job())
    journal = read_journal(path)
    relayed = journal[10][2]
    assert wire.loads(relayed)['cameraId'] == 'cam-ü'
    assert journal == 2 * [
        ('processor 1', 'open', '/processor'),
        ('processor 1', 'to_orchestrator', 'not json'),
        ('cam-ü', 'to_orchestrator', '{"type":"identifier","id":"cam-ü"}'),
        ('cam-ü', 'ping', 'settled'),
        ('cam-ü', 'pong', 'settled'),
        ('operator', 'open', '/client'),
        ('operator', 'to_orchestrator', '{"type":"stop","objectId":1}'),
        ('operator', 'ping', 'settled'),
        ('operator', 'pong', 'settled'),
        ('cam-ü', 'to_orchestrator', '{"type": "boundingBoxes", "frameId": 1, "boxes": []}'),
        ('operator', 'from_orchestrator', relayed),
        ('cam-ü', 'closed', '1000'),
        ('operator', 'closed', ''),
    ]
    assert [list(wire.loads(line)) for line in path.read_text().splitlines()] == (
        26 * [['t', 'connection', 'direction', 'text']])


# ---- the executable

@contextlib.contextmanager
def executable(*arguments, stderr=None):
    """Run it; give the process and the URL that it says it listens on."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'camera_ws_bridge.sim.orchestrator', '--port', '0', *arguments],
        stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith('listening on ws')
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if process.stderr:
            process.stderr.close()


@pytest.mark.parametrize('arguments', [(), ('--stall-after', '0')])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_0(number, arguments):
    with executable(*arguments, '--ros-args', '-r', '__node:=sim') as (process, url):
        async def job():
            if not arguments:
                await connect(url)
            process.send_signal(number)
            assert await asyncio.to_thread(process.wait, WAIT) == 0
        run(job())


def test_a_kill_loses_nothing_that_was_answered(tmp_path):
    path = tmp_path / 'traffic.jsonl'
    port = '0'
    for life in range(2):  # the second one on the port of the first, at once
        with executable('--port', port, '--record', str(path)) as (process, url):
            port = url.rpartition(':')[2].partition('/')[0]

            async def job():
                camera = await connect(url)
                for number in range(300):
                    await say(camera, 'boundingBoxes', frameId=number, boxes=[])
                await settled(camera)
                process.kill()
                assert await get(camera) is END
            run(job())
    numbers = [wire.loads(text)['frameId'] for _, direction, text in read_journal(path)
               if direction == 'to_orchestrator']
    assert numbers == 2 * list(range(300))


@pytest.mark.parametrize('arguments, status, header', [
    (('--refuse', '503', '--retry-after', '5'), 503, ('Retry-After', '5')),
    (('--redirect', 'ws://there/'), 302, ('Location', 'ws://there/')),
])
def test_faults_from_the_command_line(arguments, status, header):
    with executable(*arguments) as (_, url):
        async def job():
            answer, headers = await handshake(int(url.rpartition(':')[2].partition('/')[0]))
            assert answer == status
            assert header in headers.items()
        run(job())


@pytest.mark.parametrize('arguments, code', [
    (('--accept-then-close',), None), (('--accept-then-close', '4000'), 4000),
    (('--drop-every', '0.05'), None)])
def test_closing_from_the_command_line(arguments, code):
    with executable(*arguments) as (_, url):
        async def job():
            camera = await connect(url)
            assert await get(camera) is END
            assert camera.close_code == code
        run(job())


def test_token_and_record_from_the_command_line(tmp_path):
    path = tmp_path / 'traffic.jsonl'
    with executable('--token', 'secret', '--record', str(path)) as (_, url):
        async def job():
            camera = await connect(url)
            await say(camera, 'identifier', id='cam-1')
            assert await get(camera) is END
        run(job())
        assert ('cam-1', 'to_orchestrator', '{"type":"identifier","id":"cam-1"}') in [
            (name, direction, normal(text) if direction == 'to_orchestrator' else text)
            for name, direction, text in read_journal(path)]


def test_tls(authority, tmp_path):
    certificate = authority.issue_cert('127.0.0.1')
    cert, key = tmp_path / 'cert.pem', tmp_path / 'key.pem'
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with executable('--tls-cert', str(cert), '--tls-key', str(key)) as (_, url):
        async def job():
            camera = await connect(HTTPRequest(url, ssl_options=trust))
            await say(camera, 'identifier', id='cam-1')
            assert await settled(camera) == []
        assert url.startswith('wss://127.0.0.1:')
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


def test_a_port_in_use_is_one_line_and_1(capsys):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        assert main(['--port', str(taken.getsockname()[1])]) == 1
    error = capsys.readouterr().err
    assert error.startswith('orchestrator_sim: ') and error.count('\n') == 1


@pytest.mark.parametrize('arguments', [
    ['--refuse', '200'], ['--accept-then-close', '5'], ['--record', '/nowhere/traffic']])
def test_what_cannot_be_is_one_line_and_1(arguments, capsys):
    assert main(['--port', '0', *arguments]) == 1
    assert capsys.readouterr().err.count('\n') == 1


@pytest.mark.parametrize('arguments', [
    ['--fly'], ['--tls-key', 'key.pem'], ['--refuse', '503', '--redirect', 'ws://there'],
    ['--ros-args', '-r', 'a:=b', '--', '--fly']])
def test_bad_arguments_are_named(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert '--' in capsys.readouterr().err


def test_help_names_the_orders_and_gives_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['--help', '--ros-args', '--log-level', 'info'])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    for word in ('/control', '/stats', 'examples:', 'demand_token', '--record'):
        assert word in output


# ---- the state, without sockets

def a_state(**arguments):
    """Return a state with two cameras a and b, and two operators of which y wants images."""
    state = State(**arguments)
    for peer in 'xy':
        state.operator_opened(peer)
    state.from_operator('y', {'type': 'setUsesImages', 'usesImages': True})
    for peer in 'ab':
        assert state.from_processor(peer, {'type': 'identifier', 'id': 'id-' + peer}) == []
    return state


def start(state, **fields):
    return state.from_operator('x', {'type': 'start', 'cameraId': 'id-a', **fields})


def test_start_goes_to_the_camera_and_to_operators():
    state = a_state()
    image = {'image': 'data'}
    assert start(state, image='data', boxId=1, frameId=2) == [
        ('a', {'type': 'start', 'objectId': 1, 'frameId': 2, 'boxId': 1, **image}),
        ('x', {'type': 'newObject', 'objectId': 1}),
        ('y', {'type': 'newObject', 'objectId': 1, **image})]
    state.from_operator('y', {'type': 'setUsesImages', 'usesImages': False})
    assert start(state, image='data')[2] == ('y', {'type': 'newObject', 'objectId': 2})


def test_start_for_a_camera_that_is_not_there_takes_no_id():
    state = a_state()
    with pytest.raises(Ignored):
        state.from_operator('x', {'type': 'start', 'cameraId': 'nobody', 'boxId': 1, 'frameId': 1})
    assert start(state, boxId=1, frameId=1)[0][1]['objectId'] == 1


def test_stop_goes_to_everybody_once():
    state = a_state()
    start(state, boxId=1, frameId=1)
    stop = {'type': 'stop', 'objectId': 1}
    assert state.from_operator('x', stop) == [(peer, stop) for peer in 'abxy']
    with pytest.raises(Ignored):
        state.from_operator('x', stop)


def test_a_feature_map_goes_to_processors_and_is_kept():
    state = a_state()
    start(state, boxId=1, frameId=1)
    message = {'type': 'featureMap', 'objectId': 1, 'featureMap': [1, 0.5]}
    assert state.from_processor('b', message) == [('a', message), ('b', message)]
    assert state.from_processor('c', {'type': 'identifier', 'id': 'id-c'}) == [('c', message)]


def test_boxes_of_an_unregistered_camera_have_a_null_id():
    state = a_state()
    boxes = {'type': 'boundingBoxes', 'frameId': 1, 'boxes': []}
    (peer, relayed), _ = state.from_processor('stranger', boxes)
    assert peer == 'x'
    assert list(relayed.items()) == [
        ('type', 'boundingBoxes'), ('cameraId', None), ('frameId', 1), ('boxes', [])]


def test_operators_come_and_go():
    state = a_state()
    state.operator_closed('x')
    state.operator_closed('x')
    assert [peer for peer, _ in start(state, boxId=1, frameId=1)] == ['a', 'y']


def test_the_older_connection_takes_the_registration_with_it():
    state = a_state()
    state.from_processor('a2', {'type': 'identifier', 'id': 'id-a'})
    assert state.connections_by_camera()['id-a'] == {'open': 2, 'opened': 2}
    state.processor_closed('a')
    state.processor_closed('a')
    with pytest.raises(Ignored):
        start(state, boxId=1, frameId=1)
    state.from_processor('a2', {'type': 'identifier', 'id': 'id-a'})
    assert start(state, boxId=1, frameId=1)[0][0] == 'a2'
    assert state.connections_by_camera()['id-a'] == {'open': 1, 'opened': 2}


def test_a_token_must_be_shown_first_on_every_connection():
    state = State(token='t')
    identifier = {'type': 'identifier', 'id': 'id'}
    assert state.from_processor('a', identifier) is None
    assert state.from_processor('a', {'type': 'authenticate', 'jwt': 't'}) == []
    assert state.from_processor('a', identifier) == []
    assert state.from_processor('a', {'type': 'authenticate', 'jwt': 'anything'}) == []
    assert state.from_processor('b', identifier) is None
    state.processor_closed('a')
    assert state.from_processor('a', identifier) is None


@pytest.mark.parametrize('message', [
    {'type': 'identifier'}, {'type': 'identifier', 'id': 1}, {'type': 'unheardOf'}, {},
    {'type': 'boundingBoxes', 'boxes': []}, {'type': 'featureMap', 'objectId': 1}])
def test_processors_nonsense_is_ignored_with_a_reason(message):
    with pytest.raises(Ignored, match='.+'):
        a_state().from_processor('a', message)


@pytest.mark.parametrize('message', [
    {'type': 'start'}, {'type': 'stop'}, {'type': 'setUsesImages'}, {'type': 'unheardOf'}, {}])
def test_operators_nonsense_is_ignored_with_a_reason(message):
    with pytest.raises(Ignored, match='.+'):
        a_state().from_operator('x', message)
