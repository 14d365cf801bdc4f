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

"""
Compose, swarm and Kubernetes, by rules: nothing here runs them.

What they start is run, with the paths of the container replaced by those of the test.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

from ament_index_python import get_package_prefix
from camera_ws_bridge.config import cameras
from camera_ws_bridge.config.parameters import SPECS
import pytest
from rigs import process_rig as rigs
import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / 'deploy'
UID = 10001  # of the image
DATA, SECRETS, ETC = '/var/lib/camera_ws_bridge', '/run/secrets', '/etc/camera_ws_bridge'
MANIFESTS = [
    'compose.yaml', 'stack.yaml', 'kubernetes/one_camera.yaml', 'kubernetes/many_cameras.yaml']


@dataclass(frozen=True)
class Container:
    """What a manifest says of its one container, whatever language it speaks."""

    command: list[str]
    environment: dict[str, str]
    read_only: bool
    dropped: list[str]
    memory: str
    writable: set[str]
    checks: list[list[str]]  # liveness first
    stops_after: int  # seconds


def documents(name: str) -> list[dict[str, Any]]:
    """Return all documents of a manifest."""
    return [*yaml.safe_load_all((DEPLOY / name).read_text(encoding='utf-8'))]


def of_kind(name: str, kind: str) -> dict[str, Any]:
    """Return the one document of this kind."""
    (found,) = (document for document in documents(name) if document['kind'] == kind)
    return found


def container(name: str) -> Container:
    """Return a manifest's container."""
    if name.startswith('kubernetes'):
        pod = of_kind(name, 'Deployment')['spec']['template']['spec']
        (found,) = pod['containers']
        return Container(
            found['args'], {entry['name']: entry['value'] for entry in found['env']},
            found['securityContext']['readOnlyRootFilesystem'],
            found['securityContext']['capabilities']['drop'],
            found['resources']['limits']['memory'],
            {mount['mountPath'] for mount in found['volumeMounts'] if not mount.get('readOnly')},
            [found[f'{probe}Probe']['exec']['command'] for probe in ('liveness', 'readiness')],
            pod['terminationGracePeriodSeconds'])
    ((found,),) = ([*document['services'].values()] for document in documents(name))
    deploy = found.get('deploy', {}).get('resources', {}).get('limits', {})
    return Container(
        found['command'], found['environment'], found['read_only'], found['cap_drop'],
        found.get('mem_limit') or deploy['memory'], {*found.get('tmpfs', []), *(
            volume['target'] if isinstance(volume, dict) else volume.split(':')[1]
            for volume in found['volumes'])},
        [found['healthcheck']['test'][1:]] if 'healthcheck' in found else [of_the_image()],
        int(found['stop_grace_period'].rstrip('s')))


def of_the_image() -> list[str]:
    """Return the health check of the Dockerfile."""
    text = (DEPLOY / 'Dockerfile').read_text(encoding='utf-8')
    match = re.search(r'HEALTHCHECK [^\[]*(\[.*\])', text)
    assert match
    check: list[str] = json.loads(match[1])
    return check


def parameters(command: list[str]) -> dict[str, str]:
    """Return what a command sets by -p."""
    return dict(command[at + 1].split(':=', 1)
                for at, word in enumerate(command) if word == '-p')


# ---- rules

@pytest.mark.parametrize('name', MANIFESTS)
def test_it_is_confined_and_has_all_places_to_write_that_it_needs(name):
    found = container(name)
    assert found.read_only is True and found.dropped == ['ALL']
    assert found.memory and {'/tmp', DATA} <= found.writable
    text = (DEPLOY / 'Dockerfile').read_text(encoding='utf-8')
    assert 'ROS_LOG_DIR=/tmp/ros' in text and f'USER {UID}' in text
    assert found.environment.get('HOME', '/tmp') == '/tmp'
    default = next(spec.default for spec in SPECS if spec.name == 'shutdown_timeout')
    assert found.stops_after >= default + 5, 'time to flush'


@pytest.mark.parametrize('name', MANIFESTS)
def test_a_site_heals_after_a_power_cut_and_sends_nothing_old(name):
    given = parameters(container(name).command)
    assert (given['connect_timeout'], given['boxes_max_age']) == ('0.0', '60.0')
    assert {*given} <= {spec.name for spec in SPECS}


@pytest.mark.parametrize('name', MANIFESTS)
def test_it_holds_no_secret(name):
    secret = re.compile('secret|token|password|credential', re.IGNORECASE)
    for key, value in container(name).environment.items():
        assert not secret.search(f'{key}={value}')
    path = parameters(container(name).command).get('token_file', f'{SECRETS}/x')
    assert path.startswith(f'{SECRETS}/')
    for document in documents(name):
        assert document.get('kind') != 'Secret'


@pytest.mark.parametrize('name', MANIFESTS[1:])
def test_who_restarts_the_unhealthy_only_asks_for_life(name):
    alive, *others = container(name).checks
    assert '--alive' in alive and not any('--alive' in check for check in others)
    assert [word for word in alive if word != '--alive'] == (others or [of_the_image()])[0]


def test_compose_uses_the_tag_that_is_built():
    (service,) = documents('compose.yaml')[0]['services'].values()
    assert service['image'] == 'camera_ws_bridge'
    assert (DEPLOY / service['build']['context'] / service['build']['dockerfile']).exists()
    assert 'no-new-privileges:true' in service['security_opt']


def test_the_swarm_file_has_nothing_that_a_swarm_ignores():
    (service,) = documents('stack.yaml')[0]['services'].values()
    assert not {*service} & {
        'build', 'network_mode', 'restart', 'security_opt', 'mem_limit', 'pids_limit', 'tmpfs',
        'container_name', 'depends_on'}
    (secret,) = service['secrets']
    assert (secret['uid'], secret['gid'], secret['mode']) == (str(UID), str(UID), 0o400)
    assert {secret['source']} == {*documents('stack.yaml')[0]['secrets']}
    assert service['deploy']['update_config']['order'] == 'stop-first', 'one bridge a spool'


def test_dockers_own_reader_takes_the_swarm_file():
    if shutil.which('docker') is None:
        pytest.skip('docker is not installed')
    result = subprocess.run(
        ['docker', 'stack', 'config', '--compose-file', DEPLOY / 'stack.yaml'], text=True,
        env={**os.environ, 'BRIDGE_IMAGE': 'image', 'ORCHESTRATOR_URL': 'ws://o/processor'},
        capture_output=True, timeout=60)
    if 'not a docker command' in result.stderr or 'unknown command' in result.stderr:
        pytest.skip('this docker has no stack')
    assert result.returncode == 0, result.stderr
    assert {*yaml.safe_load(result.stdout)['services']} == {'gate'}


@pytest.mark.parametrize('name', MANIFESTS[2:])
def test_a_pod_may_read_its_secret_and_nobody_else(name):
    deployment = of_kind(name, 'Deployment')['spec']
    pod = deployment['template']['spec']
    context = pod['securityContext']
    assert context['runAsNonRoot'] is True
    assert {context['runAsUser'], context['runAsGroup'], context['fsGroup']} == {UID}
    assert pod['containers'][0]['securityContext']['allowPrivilegeEscalation'] is False
    (secret,) = (volume['secret'] for volume in pod['volumes'] if 'secret' in volume)
    assert secret['defaultMode'] == 0o440, "root's, and for the group of the pod"
    assert deployment['strategy']['type'] == 'Recreate', 'one bridge a spool'
    assert deployment['selector']['matchLabels'] == deployment['template']['metadata']['labels']
    mounted = {mount['name'] for mount in pod['containers'][0]['volumeMounts']}
    assert mounted == {volume['name'] for volume in pod['volumes']}
    (claim,) = (volume['persistentVolumeClaim']['claimName'] for volume in pod['volumes']
                if 'persistentVolumeClaim' in volume)
    assert claim == of_kind(name, 'PersistentVolumeClaim')['metadata']['name']


@pytest.mark.parametrize('name', MANIFESTS[2:])
@pytest.mark.parametrize('version', ['1.30', 'newest'])
def test_kubernetes_schemas_have_nothing_to_say(name, version):
    checker = pytest.importorskip(
        'kubernetes_validate', reason='kubernetes-validate is not installed: no schemas')
    if version == 'newest':
        version = checker.latest_version()
    for document in documents(name):
        checker.validate(document, version, strict=True)


# ---- what they start

@contextlib.contextmanager
def started(found: Container, folder: pathlib.Path, url: str):
    """Run the command of a container; yields what runs another one in the same place."""
    replaced = {DATA: folder / 'data', SECRETS: folder / 'secrets', ETC: folder / 'etc',
                '/usr/local/bin': DEPLOY, 'entrypoint.bash': DEPLOY / 'entrypoint.bash'}
    prefix = folder / 'prefix'
    (prefix / 'lib').mkdir(parents=True)
    (prefix / 'setup.bash').touch()
    (prefix / 'lib/camera_ws_bridge').symlink_to(
        pathlib.Path(get_package_prefix('camera_ws_bridge')) / 'lib/camera_ws_bridge')

    def outside(words: list[str]) -> list[str]:
        for old, new in replaced.items():
            words = [word.replace(old, str(new)) for word in words]
        return words

    def run(words: list[str]) -> str:
        return subprocess.run(
            outside(words), env=environment, text=True, timeout=60, check=True,
            stdout=subprocess.PIPE).stdout.strip()
    with rigs.own_domain() as domain:
        environment = {**os.environ, **found.environment, 'ORCHESTRATOR_URL': url,
                       'BRIDGE_PREFIX': str(prefix), 'ROS_DOMAIN_ID': str(domain)}
        if 'CAMERA_ID' in found.environment:
            environment['CAMERA_ID'] = 'gate'
        process = subprocess.Popen(
            outside(['entrypoint.bash', *found.command]), env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield domain, run
            process.terminate()
            output, _ = process.communicate(timeout=rigs.PATIENCE)
            assert process.returncode == 0 and 'rror' not in output, output
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize('name', MANIFESTS)
def test_what_it_starts_registers_is_healthy_and_keeps_a_spool(name, tmp_path):
    found = container(name)
    for folder in ('data', 'etc', 'secrets/orchestrator'):
        (tmp_path / folder).mkdir(parents=True)
    if name.startswith('kubernetes'):
        (tmp_path / 'data').chmod(0o2777)  # root's, and writable for the pod's group, or for all
    expected = {'gate'}
    if 'multi_bridge' in found.command:
        text = of_kind(name, 'ConfigMap')['data']['cameras.yaml']
        expected = {camera['camera_id']
                    for camera in cameras.checked(yaml.safe_load(text), 'cameras.yaml')}
        (tmp_path / 'etc/cameras.yaml').write_text(text.replace(DATA, str(tmp_path / 'data')))
    token = parameters(found.command).get('token_file', f'{SECRETS}/none')
    path = tmp_path / 'secrets' / pathlib.PurePosixPath(token).relative_to(SECRETS)
    path.touch(0o600)
    path.write_text('header.payload.signature')
    with rigs.serving() as orchestrator, \
            started(found, tmp_path, orchestrator.sim.url) as (domain, run):
        for camera_id in expected:
            namespace = camera_id if len(expected) > 1 else ''
            rigs.Probe(domain, namespace=namespace).wait_until_registered()
        assert {message['id'] for message in orchestrator.messages('identifier')} == expected
        for check in found.checks:
            said = run(check)
            assert {line.rpartition(': ')[2] for line in said.splitlines()} == {'registered'}, said
    assert len([*(tmp_path / 'data').rglob('spool.sqlite')]) == len(expected)
