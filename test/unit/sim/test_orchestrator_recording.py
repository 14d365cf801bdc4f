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

"""The executable's journal of the recorded session is the recording; over IPv4 and IPv6."""

import asyncio
import json
import pathlib
import signal
import socket
import subprocess
import sys

from camera_ws_bridge.protocol import strict_json
import pytest
from tornado.websocket import websocket_connect

RECORDING = pathlib.Path(__file__).parents[2] / 'data' / 'orchestrator-session.jsonl'
WAIT = 30.0  # seconds until a test gives up; no test takes that long when all is well
INPUTS = ('open', 'to_orchestrator', 'ping', 'closed')


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(('::1', 0))
    except OSError:
        return False
    return True


def rows(path):
    """Return direction and text of every whole line; JSON in one spelling."""
    result = []
    for line in path.read_text(encoding='utf-8').splitlines():
        row = json.loads(line)
        assert list(row) == ['t', 'connection', 'direction', 'text']
        assert type(row['t']) is float
        text = row['text']
        if row['direction'].endswith('orchestrator') and text.startswith('{'):
            text = json.dumps(json.loads(text))  # keys keep their order, and 1 is not 1.0
        result.append((row['direction'], text))
    return result


def acts(all_rows):
    """Return every input with the outputs that it led to, whichever connection got them first."""
    result = []
    for row in all_rows:
        if row[0] in INPUTS:
            result.append((row, []))
        else:
            result[-1][1].append(row)
    return [(cause, sorted(effects)) for cause, effects in result]


async def play(origin, journal):
    """Say everything that was said in the recorded session, each when the last one is through."""
    connections = {}
    expected = 0
    for line in RECORDING.read_text(encoding='utf-8').splitlines():
        entry = strict_json.loads(line)
        name, direction, text = entry['connection'], entry['direction'], entry['text']
        expected += 1
        if direction == 'open':
            connections[name] = await websocket_connect(
                origin + text, on_message_callback=lambda text: None)
        elif direction == 'to_orchestrator':
            await connections[name].write_message(text)
        elif direction == 'ping':
            connections[name].ping(text.encode())
        elif direction == 'closed':
            connections[name].close(int(text))
        while len(journal.read_bytes().splitlines()) < expected and direction in INPUTS:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize('host, shown', [
    ('127.0.0.1', '127.0.0.1'),
    pytest.param('::1', '[::1]', marks=pytest.mark.skipif(not has_ipv6(), reason='no IPv6'))])
def test_the_journal_of_the_recorded_session_is_the_recording(tmp_path, host, shown):
    journal = tmp_path / 'journal.jsonl'
    with subprocess.Popen(
            [sys.executable, '-m', 'camera_ws_bridge.sim.orchestrator.main', '--port', '0',
             '--host', host, '--record', str(journal), '--ros-args', '-r', '__node:=sim'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith(f'listening on ws://{shown}:') and line.endswith('/processor\n')
            origin = line.split()[-1].removesuffix('/processor')
            asyncio.run(asyncio.wait_for(play(origin, journal), 2 * WAIT))
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT) == 0
        finally:
            process.kill()
    recorded = rows(RECORDING)
    assert acts(rows(journal)) == acts(recorded)
    assert len(recorded) == 70
