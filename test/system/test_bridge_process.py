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

"""The real bridge process as such: arguments, environment, exit codes, tokens, what it costs."""

from __future__ import annotations

import signal
import socket

from camera_ws_bridge_msgs.msg import Status, Stop
import pytest
from rigs import process_rig as rigs
from rigs.commands import stop


# ---- begin and end

@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_flushes_and_ends_with_0(tmp_path, number):
    with rigs.running(tmp_path) as rig:
        rig.probe.publish_frames(range(200))
        rig.process.signal(number)
        assert rig.process.wait() == 0
        assert set(rig.orchestrator.frame_ids()) == set(map(float, range(200)))


@pytest.mark.parametrize(('url', 'code', 'says'), [
    ('', 2, 'orchestrator_url: is not set'),
    ('http://localhost:1/processor', 2, 'must begin with ws: or wss:'),
    ('ws://localhost:99999/processor', 2, 'orchestrator_url'),
    ('ws://user:secret@localhost:1/processor', 2, 'user name or password'),
    ('ws://127.0.0.1:{closed}/processor', 3, 'gave up after 1 s: nothing listens there'),
    ('ws://127.0.0.1:{open}/wrong', 2, 'HTTP 404'),
])
def test_what_can_never_work_ends_with_one_line_that_says_what_to_do(tmp_path, url, code, says):
    with rigs.serving() as orchestrator, socket.socket() as closed, \
            rigs.own_domain() as domain:
        closed.bind(('127.0.0.1', 0))  # bound, but not listening
        url = url.format(closed=closed.getsockname()[1], open=orchestrator.port)
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=url, camera_id='cam-1',
            connect_timeout=1.0)
        assert process.wait() == code, process.log
        assert says in process.log
        assert 'Traceback' not in process.log
        assert 'secret' not in process.log


@pytest.mark.parametrize(('parameters', 'says'), [
    ({'camera_id': ''}, 'camera_id'),
    ({'connect_timeout': 60}, 'connect_timeout: must be a number with a point'),
    ({'connect_timeout': -1.0}, 'connect_timeout: must be in 0 to 86400'),
    ({'boxes_max_messages': 1}, 'boxes_max_messages: must be in 2 to'),
    ({'reconnect_delay_min': 20.0}, 'reconnect_delay_min'),
    ({'orchestrator_url': 'wss://localhost/processor', 'tls_ca_file': 'nowhere.pem'},
     'tls_ca_file: nowhere.pem'),
])
def test_bad_parameters_end_with_2(tmp_path, parameters, says):
    values = {'orchestrator_url': 'ws://localhost:1/processor', 'camera_id': 'cam-1', **parameters}
    with rigs.own_domain() as domain:
        process = rigs.Process(domain, tmp_path / 'log', **values)
        assert process.wait() == 2, process.log
        assert says in process.log
        assert 'Traceback' not in process.log


def test_the_environment_gives_url_and_camera_id(tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        process = rigs.Process(domain, tmp_path / 'log', environment={
            'ORCHESTRATOR_URL': orchestrator.sim.url, 'CAMERA_ID': 'from-environment'})
        probe.wait(lambda: orchestrator.messages('identifier'))
        assert orchestrator.messages('identifier')[0]['id'] == 'from-environment'
        assert process.end() == 0
        probe.close()


# ---- at work

@pytest.mark.serial
def test_an_idle_bridge_costs_next_to_nothing(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.probe.wait_for_status(lambda status: status.state == Status.STABLE)
        used, began = rig.process.info.cpu_times(), rigs.time.monotonic()
        rig.wait(lambda: rigs.time.monotonic() - began > 5.0)
        now = rig.process.info.cpu_times()
        share = (now.user + now.system - used.user - used.system) / (
            rigs.time.monotonic() - began)
        assert share < 0.02, f'{share:.1%} of one core'
        assert rig.process.info.memory_info().rss < 90 * 2**20


def test_two_bridges_in_namespaces_do_not_mix(tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        probes, processes = [], []
        for name in ('gate', 'hall'):
            (tmp_path / name).mkdir()
            probes.append(rigs.Probe(domain, namespace=name))
            processes.append(rigs.Process(
                domain, tmp_path / name / 'log', '-r', f'__ns:=/{name}',
                orchestrator_url=orchestrator.sim.url, camera_id=name))
        for probe in probes:
            probe.wait_until_registered()
        orchestrator.do('send', camera='hall', text=stop(5))
        probes[1].wait(lambda: probes[1].of(Stop))
        orchestrator.do('send', camera='gate', text=stop(6))
        probes[0].wait(lambda: probes[0].of(Stop))
        assert [command.object_id for command in probes[0].commands] == [6]
        assert [command.object_id for command in probes[1].commands] == [5]
        for probe, process in zip(probes, processes):
            assert process.end() == 0
            probe.close()


# ---- tokens

def test_a_token_from_a_file_is_shown_and_never_told(tmp_path):
    canary = 'eyJhbGciOiJub25lIn0.canary-7f3a.'
    token = tmp_path / 'token'
    token.touch(0o600)
    token.write_text('wrong-' + canary)
    with rigs.serving(token=canary) as orchestrator, rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        process = rigs.Process(
            domain, tmp_path / 'log', '--log-level', 'debug', camera_id=rigs.CAMERA_ID,
            orchestrator_url=orchestrator.sim.url, token_file=str(token), **rigs.FAST)
        probe.wait_for_status(lambda status: status.cause.startswith('rejected_token'))
        token.write_text(canary + '\n')
        probe.wait_until_registered()
        assert orchestrator.messages('authenticate')[-1]['jwt'] == canary
        probe.wait(lambda: probe.diagnostics)
        told = [process.log, str(probe.statuses), str(probe.diagnostics),
                ' '.join(process.info.cmdline()), str(process.info.environ())]
        assert all('canary-7f3a' not in text for text in told)
        assert process.end() == 0
        probe.close()


def test_a_token_does_not_cross_a_network_in_clear_text(tmp_path):
    token = tmp_path / 'token'
    token.touch(0o600)
    token.write_text('secret')
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url='ws://orchestrator.example:1/processor',
            camera_id='cam-1', token_file=str(token))
        assert process.wait() == 2
        assert 'unencrypted' in process.log and 'insecure_token_host' in process.log
