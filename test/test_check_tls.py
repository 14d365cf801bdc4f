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

from check_rig import in_vain, report_of, silent_peer
import pytest
from raw_peer import serving
from shared import run, server_tls
import sim_rig


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
