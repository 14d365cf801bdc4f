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

"""Short ways to a connection, and peers to have one with."""

import asyncio
from contextlib import asynccontextmanager
import socket
import time

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.transport import tls, websocket
from camera_ws_bridge.transport.websocket import Options
import pytest
from rigs.raw_peer import serving
from rigs.shared import WAIT

MIB = 2**20
SECRET = 'eyJhbGciOiJub25lIn0.canary.'


async def open_link(url, options=Options(), timeout=WAIT):
    return await websocket.connect(url, options, None, timeout)


async def open_tls(url, options=Options()):
    context = tls.context(options.tls_ca_file, options.tls_cert_file, options.tls_key_file)
    return await websocket.connect(url, options, context, WAIT)


@asynccontextmanager
async def linked(behave, options=Options()):
    """Serve with `behave` after the handshake; give connection and server."""
    async def upgraded(peer):
        await peer.upgrade()
        await behave(peer)

    async with serving(upgraded) as server:
        connection = await open_link(server.url, options)
        try:
            yield connection, server
        finally:
            connection.abort()


async def fault_of(job):
    with pytest.raises(LinkFault) as caught:
        await asyncio.wait_for(job, WAIT)
    return caught.value


async def idle(peer):
    await peer.read_to_end()


async def stall(peer):
    """Never read, never answer."""
    peer.writer.transport.pause_reading()
    await asyncio.Event().wait()


async def send_for_ever(connection):
    while True:
        await connection.send(b'x' * 10_000)


async def stands_still(connection):
    """Wait until no more bytes get through."""
    seen, since = connection.progress(), time.monotonic()
    while time.monotonic() - since < 0.5:
        await asyncio.sleep(0.02)
        if connection.progress() != seen:
            seen, since = connection.progress(), time.monotonic()


def closed_port(family, address, port=0):
    """Return a socket whose port refuses everybody and is given to nobody else."""
    holder = socket.socket(family)
    holder.bind((address, port))
    return holder
