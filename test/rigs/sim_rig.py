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

"""The simulated orchestrator in this process, and a camera or operator connected to it by hand."""

import asyncio
import contextlib

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from camera_ws_bridge.sim.orchestrator.timelines import Timelines
from rigs.shared import WAIT
from tornado.websocket import websocket_connect

__all__ = ['OrchestratorSim', 'Timelines']

PONG = 'pong'
END = 'end'


@contextlib.asynccontextmanager
async def serving(**arguments):
    """Run the simulator; nobody may be left in the end."""
    sim = OrchestratorSim(**arguments)
    await sim.start()
    try:
        yield sim
    finally:
        await sim.stop()
        assert sim.all.peers == []


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
    return strict_json.loads(event) if isinstance(event, str) and event is not END else event


async def say(connection, kind, **fields):
    """Send a message."""
    await connection.write_message(strict_json.dumps({'type': kind, **fields}))


async def settled(connection):
    """Return the messages that came before the pong of a ping that is sent now."""
    connection.ping(b'settled')
    messages = []
    while (event := await get(connection)) != (PONG, 'settled'):
        messages.append(event)
    return messages


async def registered(sim, camera_id='cam-1'):
    """Return a registered camera, behind the replay, and what was replayed."""
    camera = await connect(sim.url)
    await say(camera, 'identifier', id=camera_id)
    return camera, await settled(camera)


def tracked(objects):
    """Return the feature maps with which these objects are replayed."""
    return [{'type': 'featureMap', 'objectId': number, 'featureMap': numbers}
            for number, numbers in objects.items()]


def upgrade(path='/processor'):
    """Return the bytes that ask for a WebSocket."""
    return (
        f'GET {path} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
        ).encode()


async def handshake(port, path='/processor'):
    """Return the status line and the headers that answer a WebSocket handshake."""
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    writer.write(upgrade(path))
    head = (await asyncio.wait_for(reader.readuntil(b'\r\n\r\n'), WAIT)).decode()
    writer.close()
    status, *headers = head.strip().split('\r\n')
    return int(status.split()[1]), dict(header.split(': ', 1) for header in headers)


def normal(text):
    """Return JSON text in one spelling; keys keep their order, and 1 is not 1.0."""
    return strict_json.dumps(strict_json.loads(text))


def read_journal(path):
    """Return what a file that records traffic holds, without the times."""
    with path.open(encoding='utf-8') as lines:
        return [(entry['connection'], entry['direction'], entry['text'])
                for entry in map(strict_json.loads, lines)]
