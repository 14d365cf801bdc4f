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

"""The simulated operator: a client that keeps what it hears until somebody asks."""

import asyncio
import base64
import contextlib

from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.interface.client import Operator
import pytest
from rigs import sim_rig
from rigs.shared import run
from rigs.shared import until

PNG = b'any bytes'
DATA_URI = 'data:image/png;base64,YW55IGJ5dGVz'


@contextlib.asynccontextmanager
async def serving():
    """Serve; give server, an operator and a registered camera, which is an Operator too."""
    async with sim_rig.serving() as sim:
        operator = await Operator.connect(sim.client_url)
        camera = await Operator.connect(sim.url)
        await camera.send({'type': 'identifier', 'id': 'cam-1'})
        await until(lambda: sim.stats()['registered'])
        yield sim, operator, camera
        await operator.close()
        await camera.close()


def of(kind):
    return lambda fields: fields['type'] == kind


@pytest.mark.parametrize('arguments, fields', [
    ({'frame_id': 1606.0333333333335, 'box_id': 0}, {'frameId': 1606.0333333333335, 'boxId': 0}),
    ({'frame_id': 6392, 'box_id': 23}, {'frameId': 6392, 'boxId': 23}),
    ({'frame_id': 0, 'box_id': 0}, {'frameId': 0, 'boxId': 0}),
    ({'image': PNG}, {'image': DATA_URI}),
    ({'frame_id': 3.5, 'box_id': 1, 'image': PNG},
     {'frameId': 3.5, 'boxId': 1, 'image': DATA_URI}),
])
def test_start_says_all_that_it_is_told_and_returns_the_id(arguments, fields):
    async def job():
        async with serving() as (_, operator, camera):
            assert await operator.start('cam-1', **arguments) == 1
            start = await camera.wait_for(of('start'))
            assert start == {'type': 'start', 'objectId': 1, **fields}
            assert type(start.get('frameId')) is type(fields.get('frameId'))
            assert await operator.start('cam-1', **arguments) == 2

    run(job())


def test_the_picture_of_a_start_comes_out_of_the_wire_as_it_went_in():
    async def job():
        async with serving() as (_, operator, camera):
            picture = bytes(range(256)) * 5
            await operator.start('cam-1', image=picture)
            image = (await camera.wait_for(of('start')))['image']
            assert image.startswith(IMAGE_PREFIX)
            assert base64.b64decode(image[len(IMAGE_PREFIX):], validate=True) == picture

    run(job())


def test_start_on_a_camera_that_is_not_there_times_out():
    async def job():
        async with serving() as (sim, operator, camera):
            with pytest.raises(asyncio.TimeoutError):
                await operator.start('nobody', frame_id=1, box_id=0, timeout=0.1)
            assert sim.state.objects == {}
            # It can be used as before.
            assert await operator.start('cam-1', frame_id=1, box_id=0) == 1

    run(job())


def test_an_id_that_another_operator_was_told_before_is_not_taken_for_ones_own():
    async def job():
        async with serving() as (sim, operator, camera):
            other = await Operator.connect(sim.client_url)
            assert await other.start('cam-1', frame_id=1, box_id=0) == 1
            await operator.wait_for(of('newObject'))
            assert await operator.start('cam-1', frame_id=1, box_id=1) == 2
            await other.close()

    run(job())


def test_stop_is_told_to_cameras_and_operators():
    async def job():
        async with serving() as (_, operator, camera):
            number = await operator.start('cam-1', frame_id=1, box_id=0)
            await operator.stop(number)
            for listener in (operator, camera):
                assert await listener.wait_for(of('stop')) == {
                    'type': 'stop', 'objectId': number}

    run(job())


def test_what_has_come_before_counts_unless_skipped():
    async def job():
        async with serving() as (_, operator, camera):
            await operator.start('cam-1', frame_id=1, box_id=0)
            first = await camera.wait_for(of('start'))
            assert await camera.wait_for(of('start')) is first
            with pytest.raises(asyncio.TimeoutError):
                await camera.wait_for(of('start'), skip=1, timeout=0.05)
            waiting = asyncio.ensure_future(camera.wait_for(of('start'), skip=1))
            await operator.start('cam-1', frame_id=2, box_id=0)
            assert (await waiting)['objectId'] == 2
            assert [fields['type'] for fields in camera.received] == ['start', 'start']

    run(job())


def test_several_can_wait_at_once():
    async def job():
        async with serving() as (_, operator, camera):
            waiting = [asyncio.ensure_future(camera.wait_for(of(kind)))
                       for kind in ('stop', 'start', 'start')]
            await operator.stop(await operator.start('cam-1', frame_id=1, box_id=0))
            assert [fields['type'] for fields in await asyncio.gather(*waiting)] == [
                'stop', 'start', 'start']

    run(job())


def test_a_condition_that_fails_fails_only_its_own_wait():
    async def job():
        async with serving() as (_, operator, camera):
            waiting = asyncio.ensure_future(camera.wait_for(lambda fields: fields['nothing']))
            other = asyncio.ensure_future(camera.wait_for(of('stop')))
            await operator.stop(await operator.start('cam-1', frame_id=1, box_id=0))
            with pytest.raises(KeyError):
                await waiting
            assert (await other)['type'] == 'stop'

    run(job())


def test_the_listener_hears_everything_in_order_as_it_comes():
    async def job():
        heard = []
        async with serving() as (sim, operator, camera):
            listener = await Operator.connect(sim.client_url, listener=heard.append)
            await until(lambda: sim.stats()['operators'] == 2)
            for frame_id in range(20):
                await camera.send({'type': 'boundingBoxes', 'frameId': frame_id, 'boxes': []})
            await listener.wait_for(lambda fields: fields['frameId'] == 19)
            assert heard == listener.received
            assert [fields['frameId'] for fields in heard] == list(range(20))
            assert all(fields['cameraId'] == 'cam-1' for fields in heard)
            await listener.close()

    run(job())


@pytest.mark.parametrize('text', [
    'not json', '[]', '"text"', '{"type": "a", "type": "b"}', '', '{"type": "start"'])
def test_what_is_not_a_json_object_is_logged_and_survived(text, caplog):
    async def job():
        async with serving() as (sim, operator, camera):
            sim.send('cam-1', text)
            sim.send('cam-1', '{"type": "next"}')
            assert await camera.wait_for(lambda fields: True) == {'type': 'next'}
            assert not camera.closed

    run(job())
    assert [record.levelname for record in caplog.records
            if record.name == 'operator'] == ['WARNING']


@pytest.mark.parametrize('uses_images', [False, True])
def test_images_of_new_objects_come_only_if_asked_for(uses_images):
    async def job():
        async with serving() as (sim, _, camera):
            operator = await Operator.connect(sim.client_url, uses_images=uses_images)
            other = await Operator.connect(sim.client_url)
            await other.start('cam-1', image=PNG)
            await other.close()
            await until(lambda: len(sim.state.operators) == 2)
            new = {'type': 'newObject', 'objectId': 1, 'image': DATA_URI}
            assert operator.received == [new] * uses_images
            await operator.close()

    run(job())


def test_closing_is_seen_by_both_sides_and_may_be_repeated():
    async def job():
        async with serving() as (sim, operator, camera):
            waiting = asyncio.ensure_future(operator.wait_for(of('stop')))
            await asyncio.sleep(0)
            assert not operator.closed
            await operator.close()
            assert operator.closed
            await operator.close()
            with pytest.raises(ConnectionError):
                await waiting
            await until(lambda: sim.stats()['operators'] == 0)

    run(job())


def test_what_came_before_the_end_can_still_be_asked_for():
    async def job():
        async with serving() as (sim, operator, camera):
            await operator.start('cam-1', frame_id=1, box_id=0)
            await camera.wait_for(of('start'))
            sim.drop()
            await until(lambda: camera.closed)
            assert (await camera.wait_for(of('start')))['objectId'] == 1
            with pytest.raises(ConnectionError):
                await camera.wait_for(of('stop'))

    run(job())


@pytest.mark.parametrize('status', [302, 401, 503])
def test_a_refusal_is_an_error(status):
    async def job():
        async with serving() as (sim, _, _):
            sim.refuse(status)
            with pytest.raises(Exception, match=str(status)):
                await Operator.connect(sim.url)

    run(job())


def test_nobody_there_is_an_oserror():
    async def job():
        async with serving() as (sim, _, _):
            url = sim.client_url
        with pytest.raises(OSError):
            await Operator.connect(url)

    run(job())
