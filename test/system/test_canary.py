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

"""
A secret is told nowhere: not in success, and not by a peer that sends it back.

One bridge process per kind of secret goes through all failures of token server and orchestrator
and then registers; meanwhile all that it says is taken down, with every logger at DEBUG.
"""

from __future__ import annotations

import pathlib

from camera_ws_bridge_msgs.msg import Status, Update
import pytest
from rigs import process_rig as rigs
from rigs.canary import Canaries, Ear, files
from rigs.canary_peers import Orchestrator, TokenServer

TOKEN = 'Zq7-token.hXv2LwK9_mPd4RsT.uYb8NcQ3jGfE6'
SECRET = 'Wk5&secret=%41/x+HdJ9 vBn3MzLt7'
WRONG = 'Vr2-wrong.gTp6QyXs_kBn8JdF.aWe4ZcH7mRuL9'
CANARIES = Canaries(token=TOKEN, secret=SECRET, wrong=WRONG)

pytestmark = pytest.mark.timeout(120)

# Turns on every logger of Python in the bridge's process, asyncio's debug mode included.
LOUD = 'import logging\nlogging.basicConfig(level=1)\nlogging.raiseExceptions = True\n'


class Watched:
    """A bridge process, and everything that it tells."""

    def __init__(
            self, domain: int, folder: pathlib.Path, environment: dict[str, str],
            **parameters: object) -> None:
        (folder / 'loud').mkdir()
        (folder / 'loud' / 'sitecustomize.py').write_text(LOUD)
        self.folder = folder
        self.probe = rigs.Probe(domain)
        self.ear = Ear(self.probe)
        self.process = rigs.Process(
            domain, folder / 'stdout', '--log-level', 'debug', environment={
                'ROS_LOG_DIR': str(folder / 'ros_logs'), 'PYTHONASYNCIODEBUG': '1',
                'PYTHONPATH': f'{folder / "loud"}:{rigs.os.environ.get("PYTHONPATH", "")}',
                **environment},
            camera_id=rigs.CAMERA_ID, spool_path=str(folder / 'spool' / 'gate.sqlite'),
            connect_timeout=0.0, **rigs.FAST, **parameters)
        self.probe.wait_for_status(lambda status: status.camera_id)
        self.ear.listen()

    def wait(self, condition: object, what: str) -> None:
        """Wait until the condition holds; look at the process meanwhile."""
        def holds() -> bool:
            assert self.process.alive, self.process.log
            self.ear.look_at(self.process.info)
            return bool(condition())
        self.probe.wait(holds, what)

    def go_through(self, server: Orchestrator | TokenServer, *more: object) -> None:
        """Let the server misbehave in all its ways, each until the bridge has reported it."""
        for phase in (*server.PHASES, *more):
            server.turn_to(phase)
            # The cause may be that of the phase before: after a second try the first is reported.
            self.wait(lambda: server.served > 1 or phase.untrusted,
                      f'it has been told {phase.behave}')
            self.probe.statuses.clear()
            self.wait(lambda: any(phase.says in status.cause for status in self.probe.statuses),
                      f'the cause says {phase.says!r} for {phase.behave}')
        server.turn_to(phase._replace(behave='good', untrusted=False))

    def work(self, orchestrator: Orchestrator) -> None:
        """Register, and use all that the bridge has."""
        self.wait(lambda: self.probe.status.state in (Status.REGISTERED, Status.STABLE),
                  'it is registered')
        self.wait(lambda: sum(count.count for count in self.probe.status.rejected_inbound) >= 10,
                  'all messages that hold the token are refused')
        self.probe.wait_until_connected()
        self.probe.publish_frames([4.5])
        self.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        self.wait(lambda: 4.5 in orchestrator.frame_ids, 'boxes arrive')
        self.ear.ask()
        self.wait(lambda: self.ear.heard['/diagnostics'], 'diagnostics are heard')

    def end(self) -> dict[str, set[str]]:
        """End the process; return the channels that told, and which secrets."""
        assert self.process.end() == 0, self.process.log
        self.probe.close()
        # Otherwise the test could pass because nothing was heard.
        assert {'/rosout', '/parameter_events', '/diagnostics', '/camera_ws_bridge/status',
                '/camera_ws_bridge/start'} <= self.ear.heard.keys()
        for channel in ('/rosout', '/diagnostics', '/camera_ws_bridge/status', 'get_parameters'):
            assert self.ear.heard[channel], channel
        assert self.ear.heard['children'] == [], 'a child would inherit the environment'
        log = self.process.log
        assert 'DEBUG:asyncio' in log and '[DEBUG]' in log, 'loggers are on'
        found = dict(files(self.folder / 'ros_logs', self.folder / 'spool'))
        assert any(name.endswith('.log') for name in found) and 'file gate.sqlite' in found
        told = {channel: set().union(*map(CANARIES.told_by, parts), set())
                for channel, parts in self.ear.heard.items()}
        told |= {name: CANARIES.told_by(content) for name, content in found.items()}
        told['stdout'] = CANARIES.told_by(log.encode())
        return {channel: secrets for channel, secrets in told.items() if secrets}


def a_file(path: pathlib.Path, text: str) -> str:
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def certificates(authority):
    """Return a certificate that is trusted, and one that is not."""
    return authority.issue_cert('localhost'), type(authority)().issue_cert('localhost')


def test_a_token_in_a_file_is_never_told(tmp_path, authority, tls_files):
    orchestrator = Orchestrator(TOKEN, certificates(authority))
    orchestrator.behave = 'close'
    try:
        with rigs.own_domain() as domain:
            watched = Watched(
                domain, tmp_path, {}, orchestrator_url=orchestrator.url,
                tls_ca_file=tls_files['ca'], token_file=a_file(tmp_path / 'token', WRONG))
            watched.wait(lambda: WRONG in orchestrator.tokens, 'the first token is shown')
            a_file(tmp_path / 'token', TOKEN)
            watched.wait(lambda: TOKEN in orchestrator.tokens, 'the second token is shown')
            watched.go_through(orchestrator, Orchestrator.UNTRUSTED)
            watched.work(orchestrator)
            assert watched.end() == {}
    finally:
        orchestrator.stop()


def test_a_client_secret_in_the_environment_and_the_token_it_buys_are_never_told(tmp_path):
    server, orchestrator = TokenServer(TOKEN), Orchestrator(TOKEN)
    server.behave = TokenServer.PHASES[0].behave
    try:
        with rigs.own_domain() as domain:
            watched = Watched(
                domain, tmp_path, {
                    'AUTH_SERVER_URL': server.url, 'CLIENT_ID': 'camera', 'CLIENT_SECRET': SECRET},
                orchestrator_url=orchestrator.url)
            watched.go_through(server)
            watched.go_through(orchestrator)
            watched.work(orchestrator)
            assert server.secrets == {SECRET} and orchestrator.tokens == {TOKEN}
            assert watched.end() == {}
    finally:
        orchestrator.stop()
        server.stop()


def test_a_client_secret_in_a_file_and_the_token_it_buys_are_never_told(
        tmp_path, authority, tls_files):
    server = TokenServer(TOKEN, certificates(authority))
    server.behave = TokenServer.PHASES[0].behave
    orchestrator = Orchestrator(TOKEN, certificates(authority))
    try:
        with rigs.own_domain() as domain:
            watched = Watched(
                domain, tmp_path, {
                    'AUTH_SERVER_URL': server.url, 'CLIENT_ID': 'camera',
                    'CLIENT_SECRET_FILE': a_file(tmp_path / 'secret', SECRET)},
                orchestrator_url=orchestrator.url, tls_ca_file=tls_files['ca'])
            watched.go_through(server, TokenServer.UNTRUSTED)
            watched.go_through(orchestrator, Orchestrator.UNTRUSTED)
            watched.work(orchestrator)
            assert server.secrets == {SECRET} and orchestrator.tokens == {TOKEN}
            assert not CANARIES.told_by(str(watched.process.info.environ()).encode())
            assert watched.end() == {}
    finally:
        orchestrator.stop()
        server.stop()


@pytest.mark.parametrize(('environment', 'says'), [
    ({'CLIENT_SECRET': SECRET + '\n' + SECRET}, 'CLIENT_SECRET'),
    ({'CLIENT_SECRET': SECRET, 'CLIENT_SECRET_FILE': '{open}'}, 'CLIENT_SECRET'),
    ({'CLIENT_SECRET_FILE': '{open}'}, 'can be used by others'),
    ({'CLIENT_SECRET': SECRET, 'AUTH_SERVER_URL': f'https://u:{TOKEN}@localhost/'}, 'password'),
    ({'AUTH_SERVER_URL': f'http://auth.example/{TOKEN}', 'CLIENT_SECRET': SECRET}, 'https:'),
])
def test_what_cannot_be_configured_is_refused_without_the_secret(tmp_path, environment, says):
    path = a_file(tmp_path / 'open', SECRET)
    pathlib.Path(path).chmod(0o644)
    values = {'AUTH_SERVER_URL': 'https://localhost:1/token', 'CLIENT_ID': 'camera'}
    values |= {name: value.replace('{open}', path) for name, value in environment.items()}
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'stdout', '--log-level', 'debug', environment={
                'ROS_LOG_DIR': str(tmp_path / 'ros_logs'), **values},
            orchestrator_url='ws://localhost:1/processor', camera_id='cam-1')
        assert process.wait() == 2, process.log
    assert says in process.log
    told = {name: CANARIES.told_by(content) for name, content in files(tmp_path)
            if name != 'file open'}
    assert not any(told.values()), told


@pytest.mark.parametrize('told', [
    TOKEN, f'x{TOKEN[:8]}y', f"got '{SECRET}'", 'client_secret=Wk5%26secret%3D%2541%2Fx%2BHdJ9+vB',
    'Basic Y2FtZXJhOldrNSZzZWNyZXQ9JTQxL3grSGRKOSB2Qm4zTXpMdDc=', SECRET.encode().hex()])
def test_a_told_secret_is_found(told):
    assert CANARIES.told_by(told.encode())


@pytest.mark.parametrize('told', ['', 'client_secret', 'a token', TOKEN[:7]])
def test_what_is_no_secret_is_not_found(told):
    assert not CANARIES.told_by(told.encode())
