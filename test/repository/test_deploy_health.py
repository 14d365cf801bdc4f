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

"""The health check of containers: what it judges by, and that it hears real bridges."""

import importlib.util
import os
import pathlib
import subprocess
import sys

from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rigs import process_rig as rigs
from rigs.lifecycle_rig import managed

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / 'deploy' / 'healthcheck.py'
LINK = '/camera_ws_bridge: link'


@pytest.fixture(scope='module')
def judge():
    """Return the decision of the script."""
    spec = importlib.util.spec_from_file_location('healthcheck', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.judge


def said(camera_id, level, message='registered'):
    """Return what a camera's bridge says of itself."""
    return DiagnosticStatus(
        name=f'/{camera_id}: link', hardware_id=camera_id, level=level, message=message)


GOOD = said('gate', DiagnosticStatus.OK)
SHORTLY_AWAY = said('gate', DiagnosticStatus.WARN, 'not registered (lost)')
BAD = said('hall', DiagnosticStatus.ERROR, 'not registered (lost)')


@pytest.mark.parametrize('heard, wanted, healthy, alive, text', [
    ([], set(), False, False, 'no diagnostics'),
    ([], {'gate'}, False, False, 'no diagnostics'),
    ([GOOD], set(), True, True, '/gate: link: registered'),
    ([GOOD], {'gate'}, True, True, '/gate: link: registered'),
    ([SHORTLY_AWAY], {'gate'}, True, True, '/gate: link: not registered (lost)'),
    ([BAD], {'hall'}, False, True, '/hall: link: not registered (lost)'),
    ([GOOD, BAD], set(), False, True, '/hall: link: not registered (lost)'),
])
def test_what_is_healthy_and_what_is_alive(judge, heard, wanted, healthy, alive, text):
    assert judge(heard, wanted, False) == (healthy, text)
    assert judge(heard, wanted, True) == (alive, text)


def test_a_camera_of_several_that_is_not_heard_is_missed_but_others_prove_life(judge):
    assert judge([GOOD], {'gate', 'hall'}, False) == (
        False, '/gate: link: registered\nhall: no diagnostics')
    assert judge([GOOD], {'gate', 'hall'}, True) == (True, '/gate: link: registered')


# ---- with real bridges

def check(domain, *arguments, camera_id=rigs.CAMERA_ID):
    """Return the exit code, and what it prints, without a place to write."""
    result = subprocess.run(
        [sys.executable, SCRIPT, *arguments], text=True, timeout=60, capture_output=True, env={
            **os.environ, 'HOME': '/nowhere', 'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'CAMERA_ID': camera_id})
    assert 'Traceback' not in result.stderr, result.stderr
    return result.returncode, result.stdout.strip()


def test_it_hears_the_bridge_of_its_camera(tmp_path):
    cameras_file = tmp_path / 'cameras.yaml'
    with rigs.running(tmp_path) as rig:
        for camera_id in (rigs.CAMERA_ID, ''):
            assert check(rig.domain, camera_id=camera_id) == (0, f'{LINK}: registered')
        assert check(rig.domain, camera_id='another') == (1, 'no diagnostics')
        cameras_file.write_text(f'cameras: [camera_id: {rigs.CAMERA_ID}]')
        assert check(rig.domain, '--cameras', cameras_file) == (0, f'{LINK}: registered')


def test_a_bridge_that_gave_up_is_alive_and_not_healthy_and_one_that_was_stopped_is(tmp_path):
    with managed(tmp_path, connect_timeout=0.5) as found:
        found.manager.change('configure')
        assert check(found.domain) == (0, f'{LINK}: inactive')
        found.orchestrator.die()
        found.manager.change('activate')
        found.wait(lambda: any(
            part.level == DiagnosticStatus.ERROR
            for array in found.probe.diagnostics for part in array.status), 'it has given up')
        code, text = check(found.domain)
        assert code == 1 and text.startswith(f'{LINK}: inactive ('), text
        assert check(found.domain, '--alive') == (0, text)
