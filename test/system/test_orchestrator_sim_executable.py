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

"""The executable orchestrator_sim: its options, its journal, its end."""

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.orchestrator.main import main
import pytest
from rigs.shared import run, until, WAIT
from rigs.sim_rig import (
    connect, END, get, handshake, normal, read_journal, say, serving, settled)
from tornado.httpclient import HTTPRequest


# ---- journal

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
    assert strict_json.loads(relayed)['cameraId'] == 'cam-ü'
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
    assert [list(strict_json.loads(line)) for line in path.read_text().splitlines()] == (
        26 * [['t', 'connection', 'direction', 'text']])


# ---- the process

@contextlib.contextmanager
def executable(*arguments, stderr=None):
    """Run it; give the process and the URL that it says it listens on."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'camera_ws_bridge.sim.orchestrator.main', '--port', '0',
         *arguments],
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
    numbers = [strict_json.loads(text)['frameId'] for _, direction, text in read_journal(path)
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


# ---- the command line

def test_a_port_in_use_is_one_line_and_1(capsys):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        assert main(['--port', str(taken.getsockname()[1])]) == 1
    error = capsys.readouterr().err
    assert error.startswith('orchestrator_sim: 127.0.0.1 port ') and error.count('\n') == 1


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
