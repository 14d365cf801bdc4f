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

"""The `check` executable: each step that fails, as a process against servers that do so."""

import asyncio
from contextlib import asynccontextmanager
import datetime
import socket

from auth_rig import serving as token_serving, TOKEN
from camera_ws_bridge.sim.orchestrator import OrchestratorSim
from check_rig import NAMES, Report, report_of, run_check
import pytest
from raw_peer import CLOSE, close_frame, frame, PING, PONG, serving
from shared import run, server_tls


@asynccontextmanager
async def orchestrator(**arguments):
    """Run the stand-in."""
    sim = OrchestratorSim(**arguments)
    await sim.start()
    try:
        yield sim
    finally:
        await sim.stop()


def after(name):
    """Return the steps between one and the spool, but the token's, which needs no connection."""
    names = NAMES[NAMES.index(name) + 1:NAMES.index('spool')]
    return [name for name in names if name != 'token']


def in_vain(report, failed):
    """Return whether all that comes behind the failed step was skipped."""
    return all(report.steps[name]['status'] == 'skipped'
               and report.steps[name]['detail'].startswith('in vain without')
               for name in after(failed))


# ---- nothing fails

def test_a_good_orchestrator_and_no_trace_of_the_probe():
    async def test():
        async with orchestrator() as sim:
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
    from camera_ws_bridge.sim.operator_client import Operator

    async def test():
        async with orchestrator() as sim:
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
        async with orchestrator() as sim:
            code, stdout, stderr = await run_check('--listen', '0', orchestrator_url=sim.url)
        assert (code, stderr) == (0, '')
        lines = [line for line in stdout.splitlines() if not line.startswith(' ')]
        assert [line.split()[1] for line in lines[:-1]] == NAMES
        assert lines[-1].startswith('ready')
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
        assert report.statuses('skipped') == [*NAMES[1:10], 'boxes']
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
        async with orchestrator() as sim:
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
        async def silent(peer):
            await peer.read_to_end()

        async with serving(silent) as server:
            code, stdout, stderr = await run_check(
                '--json', '--listen', '0', '--timeout', '0.5', orchestrator_url=server.url)
        report = Report(code, stdout, stderr)
        assert '--timeout' in report.only_failure('upgrade')['advice']
        assert report.steps['token']['detail'] == 'the time for the whole check is up'
    run(test())


# ---- TLS

async def silent_peer(peer):
    """Take what comes and say nothing."""
    await peer.read_to_end()


def _expired(authority):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    return authority.issue_cert('localhost', not_after=past)


@pytest.mark.parametrize('issue, trusted, code, parts', (
    pytest.param(lambda ca: type(ca)().issue_cert('localhost'), True, (18, 19, 20),
                 ('tls_ca_file', 'trustme'), id='unknown authority'),
    pytest.param(lambda ca: ca.issue_cert('localhost'), False, (19, 20),
                 ('tls_ca_file', 'trustme'), id='not in the system'),
    pytest.param(lambda ca: ca.issue_cert('other.example'), True, (62,),
                 ('other.example', 'localhost'), id='wrong host'),
    pytest.param(_expired, True, (10,), ('renewed', 'clock says 2'), id='expired')))
def test_certificates_that_are_not_accepted(authority, tls_files, issue, trusted, code, parts):
    async def test():
        async with serving(silent_peer, server_tls(issue(authority))) as server:
            report = await report_of(
                server.named_url, **({'tls_ca_file': tls_files['ca']} if trusted else {}))
        step = report.only_failure('tls')
        assert step['data']['verify_code'] in code
        assert all(part in step['advice'] for part in parts)
        shown = step['data']['certificate']
        assert 'trustme' in shown['issuer']
        assert (shown['days_left'] < 0) is ('renewed' in parts)
        assert in_vain(report, 'tls')
    run(test())


def test_a_server_without_tls():
    async def test():
        async with orchestrator() as sim:
            report = await report_of(sim.url.replace('ws:', 'wss:'), open_timeout=1.0)
        assert 'ws:' in report.only_failure('tls')['advice']
    run(test())


@pytest.mark.parametrize('days, status', ((400, 'ok'), (5, 'warning')))
def test_tls_details_and_an_end_that_is_near(authority, tls_files, days, status):
    async def test():
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days, 600)
        tls = server_tls(authority.issue_cert('127.0.0.1', not_after=end))
        async with orchestrator(tls=tls) as sim:
            report = await report_of(sim.url, tls_ca_file=tls_files['ca'])
        step = report.steps['tls']
        assert (report.code, step['status']) == (0, status)
        assert step['data']['certificate']['days_left'] == days
        assert step['data']['version'].startswith('TLSv1') and step['data']['cipher']
    run(test())


def test_a_client_certificate_is_shown_and_used(authority, tls_files):
    async def test():
        tls = server_tls(authority.issue_cert('127.0.0.1'), clients=authority)
        async with orchestrator(tls=tls) as sim:
            files = {'tls_ca_file': tls_files['ca']}
            report = await report_of(sim.url, **files)
            assert report.statuses('failed')[0] in ('tls', 'upgrade')
            step = report.steps[report.statuses('failed')[0]]
            assert 'tls_cert_file' in step['detail'] + step['advice']
            report = await report_of(
                sim.url, **files, tls_cert_file=tls_files['cert'], tls_key_file=tls_files['key'])
            assert report.code == 0
            own = report.steps['tls']['data']['client_certificate']
            assert own['names'] == 'camera@site' and own['days_left'] > 30
    run(test())


# ---- the orchestrator

@pytest.mark.parametrize('answer, cause, part', (
    (('404 Not Found',), 'http_404', '/processor'),
    (('400 Bad Request',), 'http_400', '/processor'),
    (('401 Unauthorized',), 'rejected_token', 'login'),
    (('503 Service Unavailable',), 'http_503', 'try again'),
    (('200 OK',), 'http_200', 'log'),
    (('302 Found', 'Location: ws://canary:x@elsewhere/?canary'), 'redirect',
     'set orchestrator_url')))
def test_upgrades_that_are_refused(answer, cause, part):
    async def test():
        async with serving(lambda peer: peer.answer(*answer)) as server:
            report = await report_of(server.url)
        step = report.only_failure('upgrade')
        assert step['data']['cause'] == cause and part in step['advice']
        assert in_vain(report, 'upgrade')
        assert 'canary' not in report.text
    run(test())


def test_a_server_that_says_nothing():
    async def test():
        async with serving(silent_peer) as server:
            report = await report_of(server.url, open_timeout=0.5)
        assert report.only_failure('upgrade')['data']['cause'] == 'timeout'
    run(test())


def test_an_orchestrator_that_never_pongs():
    async def test():
        async def behave(peer):
            await peer.upgrade()
            await peer.read_until(PING)
            await peer.read_to_end()

        async with serving(behave) as server:
            report = await report_of(server.url, heartbeat_timeout=0.5)
        assert report.only_failure('register')['data']['cause'] == 'silent'
        assert in_vain(report, 'register')
    run(test())


def test_an_orchestrator_that_closes_without_being_shown_a_token():
    async def test():
        async with orchestrator(token=TOKEN) as sim:
            report = await report_of(sim.url)
        step = report.only_failure('register')
        assert step['data']['cause'] == 'closed' and 'token_file' in step['advice']
    run(test())


# ---- tokens

def test_a_token_that_is_accepted(secret_file):
    async def test():
        async with orchestrator(token=TOKEN) as sim:
            report = await report_of(sim.url, token_file=secret_file(TOKEN))
        assert report.code == 0
        assert report.steps['authenticate']['status'] == 'ok'
        assert 'canary' not in report.text
    run(test())


def test_a_token_that_is_not_accepted(secret_file):
    async def test():
        async with orchestrator(token=TOKEN) as sim:
            report = await report_of(sim.url, token_file=secret_file(TOKEN + 'x'))
        assert report.only_failure('authenticate')['data']['cause'] == 'rejected_token'
        assert in_vain(report, 'authenticate')
        assert 'canary' not in report.text
    run(test())


def test_whether_a_token_is_accepted_may_stay_open(secret_file):
    async def test():
        async def behave(peer):
            await peer.upgrade()
            await peer.read_to_end()

        async with serving(behave) as server:
            report = await report_of(
                server.url, token_file=secret_file(TOKEN), heartbeat_timeout=0.5)
        report.only_failure('register')
        assert report.steps['authenticate']['status'] == 'warning'
    run(test())


def test_a_close_with_a_reason_is_told():
    async def test():
        async def behave(peer):
            await peer.upgrade()
            await peer.send(close_frame(1013, 'try \x1b[2Jlater'))
            await peer.read_until(CLOSE)
            peer.writer.close()

        async with serving(behave) as server:
            report = await report_of(server.url)
        assert 'later' in report.only_failure('register')['detail']
    run(test())


def test_a_token_that_is_sent_back_is_hidden(secret_file):
    async def test():
        async def behave(peer):
            await peer.upgrade()
            payload, _ = await peer.read_until(PING)
            await peer.send(frame(PONG, payload) + close_frame(1008, f'no {TOKEN} here'))
            await peer.read_until(CLOSE)
            peer.writer.close()

        async with serving(behave) as server:
            report = await report_of(server.url, token_file=secret_file(TOKEN))
        (failed,) = report.statuses('failed')
        assert 'no *** here' in report.steps[failed]['detail'] or failed == 'authenticate'
        assert 'canary' not in report.text
    run(test())


def oauth(server, **changes):
    """Return the environment for a token server."""
    return {'AUTH_SERVER_URL': server.url, 'CLIENT_ID': 'gate', 'CLIENT_SECRET': 'canary-secret',
            **changes}


def test_a_token_from_a_token_server():
    async def test():
        async with token_serving() as tokens, orchestrator(token=f'{TOKEN}1') as sim:
            report = await report_of(sim.url, environment=oauth(tokens))
        assert report.code == 0
        assert len(tokens.requests) == 1
        assert 'canary' not in report.text
    run(test())


@pytest.mark.parametrize('behave, part', (
    (lambda server: (401, {}, '{"error": "invalid_client"}'), 'HTTP 401 invalid_client'),
    (lambda server: (200, {}, 'canary'), 'not with a JSON object'),
    (lambda server: (302, {'Location': 'http://canary/'}, ''), 'redirects')))
def test_a_token_server_that_gives_none(behave, part):
    async def test():
        async with token_serving(behave) as tokens, orchestrator() as sim:
            report = await report_of(sim.url, environment=oauth(tokens))
        step = report.only_failure('token')
        assert part in step['detail'] and step['data']['cause'] == 'token_server'
        assert report.steps['upgrade']['status'] == 'ok'
        assert report.steps['authenticate']['detail'] == 'in vain without token'
        assert 'canary' not in report.text
    run(test())
