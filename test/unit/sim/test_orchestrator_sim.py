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

"""The simulated orchestrator: against the recorded session, and quirk by quirk."""

import asyncio
import contextlib
import os
import pathlib
import socket

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.interface.client import Operator
import pytest
from rigs.shared import run, until, WAIT
from rigs.sim_rig import (
    connect, END, get, normal, PONG, registered, say, serving, settled, tracked)

RECORDING = pathlib.Path(__file__).parents[2] / 'data' / 'orchestrator-session.jsonl'


# ---- the recorded session

def read_recording():
    with RECORDING.open(encoding='utf-8') as lines:
        return [strict_json.loads(line) for line in lines]


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
                    heard[name] += map(strict_json.dumps, await settled(connection))
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


# ---- quirks

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
            await say(operator, 'setUsesImages', usesImages=True)
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
                strict_json.loads('{"value": %s}' % number)['value'])
            await operator.write_message(
                '{"type": "start", "cameraId": "cam-1", "frameId": %s, "boxId": 0}' % number)
            assert repr((await get(camera))['frameId']) == repr(
                strict_json.loads('{"value": %s}' % number)['value'])

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
            assert start['image'].startswith(IMAGE_PREFIX)
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
    '{"type": "a", "type": "b"}', '{"type": "featureMap", "objectId": [], "featureMap": []}',
    '{"type": "featureMap", "objectId": 7, "featureMap": [1]}', '[' * 10**5,
    '{"type": "stop", "objectId": 1}'])
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
            camera, _ = await registered(sim)
            heard = []
            plain = await Operator.connect(sim.client_url, uses_images=False)
            rich = await Operator.connect(sim.client_url, listener=heard.append)
            assert await rich.start('cam-1', image=b'png') == 1
            await say(camera, 'boundingBoxes', frameId=1, boxes=[])
            await plain.wait_for(lambda fields: fields['type'] == 'boundingBoxes')
            assert len(plain.received) == 1
            assert heard[0] == rich.received[0] == {
                'type': 'newObject', 'objectId': 1, 'image': IMAGE_PREFIX + 'cG5n'}
            await rich.close()
            assert rich.closed

    run(job())


def test_an_operator_notices_that_the_orchestrator_has_gone():
    async def job():
        async with serving() as sim:
            operator = await Operator.connect(sim.client_url)
            await until(lambda: sim.all.peers)
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
