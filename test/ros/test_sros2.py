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

"""The SROS2 policy: exactly what a running node has, and enough to run under Enforce."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import time
from xml.etree import ElementTree

from ament_index_python.packages import get_package_share_directory
from camera_ws_bridge.ros import features
import pytest
from rclpy.node import NodeNameNonExistentError
from rigs import process_rig as rigs

POLICY = pathlib.Path(
    get_package_share_directory('camera_ws_bridge')) / 'config' / 'sros2' / 'policy.xml'
ENCLAVE = '/camera_ws_bridge'


def policy(namespace: str = '/') -> set[tuple[str, str]]:
    """Return what the policy allows, as (permission, full name)."""
    profile, = ElementTree.parse(POLICY).getroot().findall('enclaves/enclave/profiles/profile')
    return {(permission, full_name(entry.text, namespace, profile.get('node')))
            for rules in profile for permission in rules.attrib for entry in rules}


def full_name(name: str, namespace: str, node: str = 'camera_ws_bridge') -> str:
    """Resolve a name as sros2 does."""
    if name.startswith('/'):
        return name
    return namespace.rstrip('/') + '/' + (node + name[1:] if name.startswith('~') else name)


def not_here() -> set[str]:
    """Return the services of the policy that a node of an older rclpy does not offer."""
    missing = set()
    if importlib.util.find_spec('rclpy.type_description_service') is None:
        missing |= {'get_type_description'}
    if (not features.node_arguments(enable_logger_service=True)
            or os.environ.get('CAMERA_WS_BRIDGE_COMPAT') == 'humble'):
        missing |= {'get_logger_levels', 'set_logger_levels'}
    return missing


def graph(probe: rigs.Probe, namespace: str = '/') -> set[tuple[str, str]]:
    """Return what the bridge really has, as far as it is known by now."""
    found = set()
    for permission, kind in (
            ('publish', 'publisher'), ('subscribe', 'subscriber'), ('reply', 'service'),
            ('request', 'client')):
        ask = getattr(probe.node, f'get_{kind}_names_and_types_by_node')
        try:
            found |= {(permission, name) for name, _ in ask(probe.bridge, namespace)}
        except NodeNameNonExistentError:
            pass
    return found


@pytest.mark.parametrize('namespace', ['/', '/gate'])
def test_the_policy_is_exactly_what_a_running_node_has(tmp_path, namespace):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        probe = rigs.Probe(domain, namespace=namespace)
        process = rigs.Process(
            domain, tmp_path / 'log', '-r', f'__ns:={namespace}',
            orchestrator_url=orchestrator.sim.url, camera_id=rigs.CAMERA_ID)
        probe.wait_until_registered()
        allowed = {(permission, name) for permission, name in policy(namespace)
                   if name.rpartition('/')[2] not in not_here()}
        probe.wait(lambda: len(graph(probe, namespace)) >= len(allowed), 'the graph is known')
        assert graph(probe, namespace) == allowed
        assert process.end() == 0
        probe.close()


def test_the_policy_is_of_the_form_that_sros2_takes():
    root = ElementTree.parse(POLICY).getroot()
    assert (root.tag, root.get('version')) == ('policy', '0.2.0')
    enclave, = root.findall('enclaves/enclave')
    assert enclave.get('path') == ENCLAVE
    for rules in enclave.find('profiles/profile'):
        assert rules.tag in ('topics', 'services') and set(rules.attrib.values()) == {'ALLOW'}
        names = [entry.text for entry in rules]
        assert len(names) == len(set(names))
        assert {entry.tag for entry in rules} == {rules.tag[:-1]}


def secure(keystore: pathlib.Path) -> dict[str, str]:
    return {'ROS_SECURITY_KEYSTORE': str(keystore), 'ROS_SECURITY_ENABLE': 'true',
            'ROS_SECURITY_STRATEGY': 'Enforce'}


def reason_for_no_security(folder: pathlib.Path) -> str:
    """Try it: return what the RMW says if it cannot do security at all, else ''."""
    enclave = folder / 'enclaves' / 'trial'
    enclave.mkdir(parents=True)
    for name in ('identity_ca.cert.pem', 'cert.pem', 'key.pem', 'governance.p7s',
                 'permissions.p7s', 'permissions_ca.cert.pem'):
        (enclave / name).touch()
    # An RMW that has the plug-ins stumbles over the empty files, and says something else.
    trial = subprocess.run(
        [sys.executable, '-c', 'import rclpy; rclpy.init(); rclpy.create_node("trial")',
         '--ros-args', '--enclave', '/trial'], env={**os.environ, **secure(folder)},
        capture_output=True, text=True, timeout=rigs.PATIENCE)
    said = (trial.stdout + trial.stderr).splitlines()
    return next((line.strip()[:200] for line in said if 'security libraries' in line), '')


def test_the_bridge_runs_under_enforce(tmp_path):
    reason = reason_for_no_security(tmp_path / 'trial')
    if reason:
        pytest.skip(f'the RMW cannot do security: {reason}')
    if shutil.which('ros2') is None or subprocess.run(
            ['ros2', 'security', '--help'], capture_output=True).returncode:
        pytest.skip('the RMW can do security, but sros2 is not installed: there is no keystore')
    keystore = tmp_path / 'keystore'
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        # Permissions hold for a domain.
        for words in (['create_keystore', keystore], ['create_enclave', keystore, ENCLAVE],
                      ['create_permission', keystore, ENCLAVE, POLICY]):
            subprocess.run(['ros2', 'security', *map(str, words)], check=True,
                           env={**os.environ, 'ROS_DOMAIN_ID': str(domain)})
        process = rigs.Process(
            domain, tmp_path / 'log', '--enclave', ENCLAVE, environment=secure(keystore),
            orchestrator_url=orchestrator.sim.url, camera_id=rigs.CAMERA_ID)
        end = time.monotonic() + rigs.PATIENCE
        while not orchestrator.messages('identifier'):
            assert process.alive and time.monotonic() < end, process.log
            time.sleep(0.05)
        assert process.end() == 0, process.log
        assert 'security' not in process.log.replace('Found security directory', '').lower()


@pytest.mark.parametrize('command', ['bridge', 'multi_bridge'])
def test_security_that_the_middleware_refuses_ends_with_a_line_and_2(tmp_path, command):
    keystore = tmp_path / 'keystore'  # without any enclave: refused by an RMW with plug-ins, too
    keystore.mkdir()
    cameras = tmp_path / 'cameras.yaml'
    cameras.write_text('cameras: [{camera_id: a}]')
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', environment=secure(keystore),
            command=(command, *([str(cameras)] if command == 'multi_bridge' else [])),
            orchestrator_url='ws://127.0.0.1:1/processor', camera_id=rigs.CAMERA_ID)
        assert process.wait() == 2, process.log
    assert 'Traceback' not in process.log
    said = [line for line in process.log.splitlines() if line.startswith('camera_ws_bridge: ')]
    assert said and 'secur' in said[0], process.log
