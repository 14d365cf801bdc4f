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

"""No secret gets into a log, whatever the level."""

import json
import logging

from rigs.raw_peer import close_frame, frame, PING, PONG, serving, TEXT
from rigs.shared import run
from rigs.websocket_rig import fault_of, open_link, SECRET


def test_library_logs_nothing_whatever_the_level(caplog, monkeypatch):
    for name in ('', 'websockets', 'websockets.client', 'websockets.protocol',
                 'camera_ws_bridge', 'camera_ws_bridge.websockets'):
        caplog.set_level(logging.DEBUG, logger=name)

    async def test():
        async def behave(peer):
            await peer.send(frame(TEXT, SECRET.encode()))
            payload, _ = await peer.read_until(PING)
            await peer.send(frame(PONG, payload) + close_frame(1008, SECRET))
            peer.writer.close()

        async def upgraded(peer):
            await peer.upgrade()
            await behave(peer)

        async with serving(upgraded) as server:
            connection = await open_link(f'{server.url}?token={SECRET}')
            text = json.dumps({'type': 'authenticate', 'jwt': SECRET})
            await connection.send(text.encode())
            await connection.receive()
            await connection.ping()
            await fault_of(connection.receive())
            connection.abort()
        async with serving(lambda peer: peer.answer('401 No', f'X-Token: {SECRET}')) as server:
            await fault_of(open_link(f'{server.url}?token={SECRET}'))

    run(test())
    assert [record for record in caplog.records if SECRET in str(vars(record))] == []
    assert {record.name.split('.')[0] for record in caplog.records} <= {'asyncio'}
