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

"""The `check` executable against certificates of all kinds."""

import datetime

import pytest
from rigs import sim_rig
from rigs.check_rig import in_vain, report_of, silent_peer
from rigs.raw_peer import serving
from rigs.shared import run, server_tls
from rigs.tls_certificates import BAD_CERTIFICATES, not_trusted

ADVICE = {  # the library's codes of verification, and what is said of them
    'unknown authority': ((18, 19, 20), ('tls_ca_file', 'trustme')),
    'not in the system': ((19, 20), ('tls_ca_file', 'trustme')),
    'wrong host': ((62,), ('other.example', 'localhost')),
    'expired': ((10,), ('renewed', 'clock says 2')),
}


@pytest.mark.parametrize('name', BAD_CERTIFICATES)
def test_certificates_that_are_not_accepted(authority, tls_files, name):
    codes, parts = ADVICE[name]

    async def test():
        context, trust = not_trusted(name, authority, tls_files)
        async with serving(silent_peer, context) as server:
            report = await report_of(server.named_url, **trust)
        step = report.only_failure('tls')
        assert step['data']['verify_code'] in codes
        assert all(part in step['advice'] for part in parts)
        shown = step['data']['certificate']
        assert 'trustme' in shown['issuer']
        assert (shown['days_left'] < 0) is ('renewed' in parts)
        assert in_vain(report, 'tls')
    run(test())


def test_a_server_without_tls():
    async def test():
        async with sim_rig.serving() as sim:
            report = await report_of(sim.url.replace('ws:', 'wss:'), open_timeout=1.0)
        assert 'ws:' in report.only_failure('tls')['advice']
    run(test())


@pytest.mark.parametrize('days, status', ((400, 'ok'), (5, 'warning')))
def test_tls_details_and_an_end_that_is_near(authority, tls_files, days, status):
    async def test():
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days, 600)
        tls = server_tls(authority.issue_cert('127.0.0.1', not_after=end))
        async with sim_rig.serving(tls=tls) as sim:
            report = await report_of(sim.url, tls_ca_file=tls_files['ca'])
        step = report.steps['tls']
        assert (report.code, step['status']) == (0, status)
        assert step['data']['certificate']['days_left'] == days
        assert step['data']['version'].startswith('TLSv1') and step['data']['cipher']
    run(test())


def test_a_client_certificate_is_shown_and_used(authority, tls_files):
    async def test():
        tls = server_tls(authority.issue_cert('127.0.0.1'), clients=authority)
        async with sim_rig.serving(tls=tls) as sim:
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
