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

"""The `check` executable against orchestrators and token servers that do not do their part."""

from camera_ws_bridge.protocol.rejection import TOKEN_WANTED
import pytest
from rigs import sim_rig
from rigs.auth_rig import serving as token_serving, TOKEN
from rigs.check_rig import in_vain, report_of, silent_peer
from rigs.raw_peer import CLOSE, close_frame, frame, PING, PONG, serving
from rigs.shared import run


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
        async with sim_rig.serving(token=TOKEN) as sim:
            report = await report_of(sim.url)
        step = report.only_failure('register')
        assert step['data']['cause'] == 'closed' and 'token_file' in step['advice']
        assert step['detail'] == TOKEN_WANTED
    run(test())


# ---- tokens

def test_a_token_that_is_accepted(secret_file):
    async def test():
        async with sim_rig.serving(token=TOKEN) as sim:
            report = await report_of(sim.url, token_file=secret_file(TOKEN))
        assert report.code == 0
        assert report.steps['authenticate']['status'] == 'ok'
        assert 'canary' not in report.text
    run(test())


def test_a_token_that_is_not_accepted(secret_file):
    async def test():
        async with sim_rig.serving(token=TOKEN) as sim:
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


# ---- token servers

def oauth(server, **changes):
    """Return the environment for a token server."""
    return {'AUTH_SERVER_URL': server.url, 'CLIENT_ID': 'gate', 'CLIENT_SECRET': 'canary-secret',
            **changes}


def test_a_token_from_a_token_server():
    async def test():
        async with token_serving() as tokens, sim_rig.serving(token=f'{TOKEN}1') as sim:
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
        async with token_serving(behave) as tokens, sim_rig.serving() as sim:
            report = await report_of(sim.url, environment=oauth(tokens))
        step = report.only_failure('token')
        assert part in step['detail'] and step['data']['cause'] == 'token_server'
        assert report.steps['upgrade']['status'] == 'ok'
        assert report.steps['authenticate']['detail'] == 'in vain without token'
        assert 'canary' not in report.text
    run(test())
