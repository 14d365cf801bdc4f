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

"""The `check` executable as a process, and what it says."""

import asyncio
import os
import sys

from camera_ws_bridge.preflight.report import Status
from camera_ws_bridge.protocol import strict_json
from rigs.installed import executable
from rigs.shared import own_words, WAIT

NAMES = ['parameters', 'resolve', 'connect', 'tls', 'upgrade', 'token', 'authenticate', 'register',
         'round_trip', 'spool', 'metrics', 'ros', 'boxes']
OURS = ('ORCHESTRATOR_URL', 'CAMERA_ID', 'AUTH_SERVER_URL', 'CLIENT_ID', 'CLIENT_SECRET')


class Report:
    """What a check has printed as JSON."""

    def __init__(self, code, stdout, stderr):
        self.code = code
        self.text = stdout + stderr
        self.stderr = stderr
        self.value = strict_json.loads(stdout)
        self.steps = {step['name']: step for step in self.value['steps']}
        assert_schema(self.value)
        assert self.code == (not self.value['ok'])

    def statuses(self, status):
        """Return the names of the steps with this status, in order."""
        return [name for name, step in self.steps.items() if step['status'] == status]

    def only_failure(self, name):
        """Return the step that has failed; no other may have."""
        assert self.statuses('failed') == [name], self.text
        assert self.steps[name]['advice']
        return self.steps[name]


def in_vain(report, failed):
    """Return whether all that comes behind the failed step was skipped."""
    behind = NAMES[NAMES.index(failed) + 1:NAMES.index('spool')]
    return all(report.steps[name]['status'] == 'skipped'
               and report.steps[name]['detail'].startswith('in vain without')
               for name in behind if name != 'token')  # which needs no connection


def assert_schema(value):
    """Hold the object to what docs/preflight.md says."""
    assert [*value] == ['format', 'ok', 'seconds', 'steps']
    assert (value['format'], type(value['ok']), type(value['seconds'])) == (1, bool, float)
    assert [step['name'] for step in value['steps']] == NAMES
    for step in value['steps']:
        assert [*step] == ['name', 'status', 'seconds', 'detail', 'advice', 'data']
        assert step['status'] in {status.value for status in Status}
        assert isinstance(step['seconds'], float) and isinstance(step['data'], dict)
        assert step['detail'].isprintable() and step['advice'].isprintable()
        assert bool(step['advice']) is (step['status'] in ('warning', 'failed'))


async def start_check(
        *options, environment=None, domain='0', arguments=(), stdout=asyncio.subprocess.PIPE,
        **parameters):
    """Start the executable; return its process."""
    given = [*arguments]
    for name, value in {'camera_id': 'gate', **parameters}.items():
        given += ['-p', f'{name}:={value}' if not isinstance(value, str) else f'{name}:="{value}"']
    return await asyncio.create_subprocess_exec(
        executable('check'), *options, '--ros-args', *given, stdout=stdout,
        stderr=asyncio.subprocess.PIPE, env={
            **{key: value for key, value in os.environ.items() if key not in OURS},
            'ROS_DOMAIN_ID': domain, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF',
            'RES_OPTIONS': 'timeout:1 attempts:1', **(environment or {})})


async def run_check(*options, **given):
    """Run the executable to its end; return exit code, stdout and stderr."""
    process = await start_check(*options, **given)
    try:
        stdout, stderr = await asyncio.wait_for(process.communicate(), WAIT)
    except BaseException:
        process.kill()
        raise
    print(stdout.decode(), stderr.decode(), file=sys.stderr)
    return process.returncode, stdout.decode(), own_words(stderr.decode())


async def report_of(url, **parameters):
    """Check a URL; return the report, without waiting for boxes."""
    return Report(*await run_check(
        '--json', '--listen', '0', orchestrator_url=url, **parameters))


async def silent_peer(peer):
    """Take what comes and say nothing."""
    await peer.read_to_end()
