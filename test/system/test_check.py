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

"""The `check` executable where nothing fails, and where parameters or the network do."""

import asyncio
import os
import socket

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.interface.client import Operator
import pytest
from rigs import sim_rig
from rigs.auth_rig import TOKEN
from rigs.check_rig import in_vain, NAMES, Report, report_of, run_check, silent_peer, start_check
from rigs.raw_peer import serving
from rigs.shared import own_words, run, WAIT


# ---- nothing fails

def test_a_good_orchestrator_and_no_trace_of_the_probe():
    async def test():
        async with sim_rig.serving() as sim:
            report = await report_of(sim.url)
            assert (report.code, report.statuses('failed')) == (0, [])
            probe_id = report.steps['register']['data']['probe_id']
            assert probe_id.startswith('gate-check-') and len(probe_id) > len('gate-check-')
            round_trip = report.steps['round_trip']['data']
            assert 0 < round_trip['min'] <= round_trip['median'] <= round_trip['max'] < 10
            assert round_trip['pings'] == 10
            assert not sim.stats()['registered']
    run(test())


def test_the_cameras_own_registration_is_left_alone():
    async def test():
        async with sim_rig.serving() as sim:
            camera = await Operator.connect(sim.url)
            await camera.send({'type': 'identifier', 'id': 'gate'})
            operator = await Operator.connect(sim.client_url)
            while not sim.stats()['registered']:
                await asyncio.sleep(0.01)
            before = sim.stats()['registered']
            report = await report_of(sim.url)
            assert report.code == 0
            assert sim.stats()['registered'] == before
            await camera.close()
            await operator.close()
    run(test())


def test_the_text_names_every_step_and_ends_in_a_verdict():
    async def test():
        async with sim_rig.serving() as sim:
            code, stdout, stderr = await run_check('--listen', '0', orchestrator_url=sim.url)
        assert (code, stderr) == (0, '')
        lines = [line for line in stdout.splitlines() if not line.startswith(' ')]
        assert [line.split()[1] for line in lines[:-1]] == NAMES
        assert f'json: {strict_json.WRITER}' in ' '.join(stdout.split())
        assert lines[-1].startswith('ready')
    run(test())


@pytest.mark.parametrize('options', ([], ['--json']))
def test_a_reader_who_has_gone_gets_no_traceback(options):
    async def test():
        async with sim_rig.serving() as sim:
            gone, stdout = os.pipe()
            os.close(gone)
            try:
                process = await start_check(
                    *options, '--listen', '0', orchestrator_url=sim.url, stdout=stdout)
            finally:
                os.close(stdout)
            _, stderr = await asyncio.wait_for(process.communicate(), WAIT)
        assert (process.returncode, own_words(stderr.decode())) == (1, '')
    run(test())


# ---- parameters

@pytest.mark.parametrize('parameters, part', (
    ({'orchestrator_url': ''}, 'orchestrator_url: is not set'),
    ({'orchestrator_url': 'http://a/'}, 'must begin with ws: or wss:'),
    ({'orchestrator_url': 'ws://a/', 'camera_id': ''}, 'camera_id'),
    ({'orchestrator_url': 'ws://a/', 'open_timeout': 0.0}, 'open_timeout: must be in 0.1 to 300'),
    ({'orchestrator_url': 'wss://a/', 'tls_ca_file': '/none'}, 'tls_ca_file'),
    ({'orchestrator_url': 'ws://a/', 'token_file': '/none'}, 'token_file')))
def test_parameters_that_can_never_work(parameters, part):
    async def test():
        report = Report(*await run_check('--json', '--listen', '0', **parameters))
        assert part in report.only_failure('parameters')['detail']
        assert report.statuses('skipped') == [*NAMES[1:NAMES.index('ros')], 'boxes']
    run(test())


def test_a_token_is_never_sent_in_clear(secret_file):
    async def test():
        report = await report_of('ws://192.0.2.1/', token_file=secret_file(TOKEN))
        assert 'unencrypted' in report.only_failure('parameters')['detail']
        assert 'canary' not in report.text
    run(test())


@pytest.mark.parametrize('options, arguments', (
    (['--fly'], []), (['--timeout', 'soon'], []), (['--listen', '-1'], []), ([], ['--fly'])))
def test_a_wrong_command_line(options, arguments):
    async def test():
        code, stdout, stderr = await run_check(*options, arguments=arguments)
        assert (code, stdout) == (2, '')
        assert 'check: ' in stderr
        assert 'Traceback' not in stderr
    run(test())


def test_defaults_come_from_the_environment():
    async def test():
        async with sim_rig.serving() as sim:
            code, stdout, stderr = await run_check(
                '--json', '--listen', '0', camera_id='', environment={
                    'ORCHESTRATOR_URL': sim.url, 'CAMERA_ID': 'porch'})
        report = Report(code, stdout, stderr)
        assert report.code == 0
        assert report.steps['parameters']['data'] == {
            'camera_id': 'porch', 'orchestrator_url': sim.url}
    run(test())


# ---- the network

def test_a_name_that_does_not_resolve():
    async def test():
        report = await report_of('ws://no-such-host.invalid:8080/processor')
        step = report.only_failure('resolve')
        assert step['data']['cause'] == 'dns'
        assert in_vain(report, 'resolve')
    run(test())


def test_nothing_listens():
    async def test():
        with socket.socket() as closed:
            closed.bind(('127.0.0.1', 0))  # but does not listen
            report = await report_of(f'ws://127.0.0.1:{closed.getsockname()[1]}/processor')
        step = report.only_failure('connect')
        assert step['data']['cause'] == 'refused' and 'start the orchestrator' in step['advice']
        assert in_vain(report, 'connect')
    run(test())


def test_a_machine_that_does_not_answer():
    async def test():
        with socket.socket() as full, socket.socket() as taken:
            full.bind(('127.0.0.1', 0))
            full.listen(0)
            taken.connect(full.getsockname())  # fills the queue: the kernel drops what comes now
            report = await report_of(
                f'ws://127.0.0.1:{full.getsockname()[1]}/processor', open_timeout=0.5)
        assert report.only_failure('connect')['data']['cause'] == 'timeout'
    run(test())


def test_the_time_limit_of_all():
    async def test():
        async with serving(silent_peer) as server:
            code, stdout, stderr = await run_check(
                '--json', '--listen', '0', '--timeout', '0.5', orchestrator_url=server.url)
        report = Report(code, stdout, stderr)
        assert '--timeout' in report.only_failure('upgrade')['advice']
        assert report.steps['token']['detail'] == 'the time for the whole check is up'
    run(test())
