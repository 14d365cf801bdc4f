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

"""The parts of the preflight that are no network: report, advice, certificates, spool, tokens."""

import base64
import datetime
import os

from camera_ws_bridge import wire
from camera_ws_bridge.client import Options
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import (
    advice, certificates, jwt, report, sequence, spool as spool_check)
from camera_ws_bridge.preflight.orchestrator import Target
from camera_ws_bridge.preflight.report import failed, ok, skipped, Status, Step, warning
from camera_ws_bridge.spool import Spool
import pytest
from raw_peer import serving
from shared import run

NOW = 1_800_000_000.0


# ---- the report

STEPS = [Step('resolve', ok('a is 1.2.3.4', addresses=['1.2.3.4']), 0.0014),
         Step('tls', warning('5 days left', 'have it renewed', days_left=5), 0.25),
         Step('token', skipped('not needed'), 0.0)]
BROKEN = Step('upgrade', failed('HTTP \x1b[2J404', 'correct\nthe path', cause='http_404'), 1.0)


def test_what_the_object_says():
    value = report.as_object([*STEPS, BROKEN])
    assert wire.loads(wire.dumps(value)) == value
    assert (value['format'], value['ok'], value['seconds']) == (1, False, 1.251)
    assert value['steps'][1] == {
        'name': 'tls', 'status': 'warning', 'seconds': 0.25, 'detail': '5 days left',
        'advice': 'have it renewed', 'data': {'days_left': 5}}
    assert value['steps'][3]['detail'] == 'HTTP \\x1b[2J404'


def test_warnings_and_skipped_steps_are_no_failure():
    assert report.all_well(STEPS) and not report.all_well([*STEPS, BROKEN])
    assert report.summary(STEPS) == 'ready, with 1 warning'
    assert report.summary(STEPS[:1]) == 'ready'
    assert report.summary([*STEPS, BROKEN, BROKEN]) == '2 of 5 steps failed'


def test_text_is_printable_and_no_wider_than_a_terminal():
    text = report.as_text(Step('upgrade', failed('word ' * 60 + '\x1b[2J', 'do ' * 60), 1.0))
    assert all(len(line) <= report.WIDTH and line.isprintable() for line in text.splitlines())
    assert text.startswith('failed   upgrade       word word') and '-> do do' in text
    assert '\\x1b' in text


@pytest.mark.parametrize('status', Status)
def test_a_status_is_one_word(status):
    assert status.value.isalpha() and len(status.value) < 8


# ---- advice

@pytest.mark.parametrize('cause', [
    'dns', 'refused', 'timeout', 'unreachable', 'lost', 'redirect', 'http_404', 'http_400',
    'http_503', 'http_418', 'rejected_token', 'not_websocket', 'tls', 'token_server',
    'secret_file', 'closed', 'silent', 'protocol', 'internal'])
def test_there_is_advice_for_every_fault(cause):
    text = advice.of_fault(LinkFault(cause, 'reason'))
    assert text and '{' not in text


@pytest.mark.parametrize('code', (9, 10, 18, 19, 20, 21, 23, 62, 64, 999))
def test_there_is_advice_for_every_certificate(code):
    for issuer, names in (('CN=ca', 'DNS:a'), ('', '')):
        text = advice.of_certificate(code, issuer=issuer, names=names, host='b', now='2026')
        assert text and '{' not in text


# ---- the sequence

def test_a_bug_in_a_step_costs_that_step_only(monkeypatch):
    def broken(*arguments):
        raise RuntimeError('a bug')
    monkeypatch.setattr(sequence.network, 'handshake', broken)
    steps = []

    async def test():
        async with serving(lambda peer: peer.upgrade()) as server:
            await sequence.check(
                Target(server.url, Options(), None, None, 'probe', 5.0, 5.0), 10.0, steps.append)
    run(test())
    found = {step.name: step.finding for step in steps}
    assert [*found] == [*sequence.NEEDS]
    assert found['connect'].status is Status.OK
    assert found['tls'].status is Status.FAILED and 'RuntimeError: a bug' in found['tls'].detail
    assert found['upgrade'].status is Status.SKIPPED


# ---- tokens

def token(payload, head='eyJhbGciOiJub25lIn0'):
    """Return a JWT with this payload."""
    body = base64.urlsafe_b64encode(payload.encode()).decode().rstrip('=')
    return f'{head}.{body}.signature'


@pytest.mark.parametrize('text, left', (
    (token(f'{{"exp": {NOW + 60:.0f}}}'), 60.0), (token(f'{{"exp": {NOW - 5.5}}}'), -5.5),
    (token('{}'), None), (token('{"exp": "soon"}'), None), (token('{"exp": true}'), None),
    (token('{"exp": NaN}'), None), (token('{"exp": 1e999}'), None), (token('[1]'), None),
    (token('{"exp": 1'), None), ('opaque', None), ('a.b', None), ('a.%%%.c', None),
    ('..', None), ('a.\u00e4.c', None)))
def test_what_a_token_says_of_its_life(text, left):
    assert jwt.seconds_left(text, NOW) == left


# ---- certificates

def test_our_own_certificate(tls_files):
    for certificate, key in (('cert', 'key'), ('both', '')):
        own = certificates.of_files(tls_files[certificate], tls_files[key] if key else '')
        assert own.names == 'camera@site' and 'trustme' in own.issuer


@pytest.mark.parametrize('certificate, key', (
    ('missing', ''), ('garbage', ''), ('cert', 'other_key'), ('cert', 'locked'), ('folder', '')))
def test_files_that_hold_no_usable_certificate(tls_files, certificate, key):
    assert certificates.of_files(tls_files[certificate], tls_files[key] if key else '') is None


def test_an_expired_one_is_read_all_the_same(authority, tmp_path):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    issued = authority.issue_cert('camera@site', not_after=past)
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / 'both'))
    own = certificates.of_files(str(tmp_path / 'both'), '')
    assert own.expires_at == past.timestamp()
    assert own.days_left(past.timestamp() + 1) == -1
    assert own.days_left(past.timestamp() - 86400) == 1


def test_no_certificate_at_all():
    assert certificates.from_peer({}) is None and certificates.from_peer(None) is None


# ---- the spool

def test_a_spool_that_is_not_wanted():
    assert spool_check.check('', 1).status is Status.SKIPPED


def test_a_spool_that_can_be_made_is_not_made(tmp_path):
    found = spool_check.check(str(tmp_path / 'one' / 'two' / 'queue'), 2**20)
    assert (found.status, found.data['exists']) == (Status.OK, False)
    assert os.listdir(tmp_path) == []


def test_a_spool_in_use_is_left_alone(spool, spool_path):
    before = os.stat(spool_path)
    found = spool_check.check(spool_path, 2**20)
    assert (found.status, found.data['exists']) == (Status.OK, True)
    assert os.stat(spool_path) == before
    spool.write((), ())  # still works


def test_too_little_room(tmp_path):
    found = spool_check.check(str(tmp_path / 'queue'), 2**60)
    assert found.status is Status.WARNING and 'spool_max_bytes' in found.detail


@pytest.mark.parametrize('spoil, part', (
    (lambda path: os.chmod(path.parent, 0o777), 'chmod go-w'),
    (lambda path: path.symlink_to('/etc/passwd'), 'symbolic link'),
    (lambda path: path.mkdir(), 'not a regular file'),
    (lambda path: os.rmdir(path.parent) or path.parent.write_bytes(b''), 'not a directory')))
def test_paths_that_the_bridge_would_refuse(tmp_path, spoil, part):
    path = tmp_path / 'folder' / 'queue'
    path.parent.mkdir(0o700)
    spoil(path)
    found = spool_check.check(str(path), 2**20)
    assert found.status is Status.FAILED and part in found.detail
    with pytest.raises(Exception, match=part):
        Spool.open(str(path), 2**20)


@pytest.mark.parametrize('path', ('a\0b', '/x' * 3000))
def test_paths_that_are_none(path):
    assert spool_check.check(path, 2**20).status is Status.FAILED


def test_a_place_where_we_may_not_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)  # root may write everywhere
    tmp_path.chmod(0o700)
    found = spool_check.check(str(tmp_path / 'queue'), 2**20)
    assert found.status is Status.FAILED and 'not writable' in found.detail
