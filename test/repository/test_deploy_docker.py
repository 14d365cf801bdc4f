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
The Dockerfile, by rules of hadolint's kind: nothing here builds it, which needs Docker.

That the image has what package.xml asks for, and that the entry point runs the bridge, is checked.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

from ament_index_python import get_package_prefix
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / 'deploy'
SECRET = re.compile('secret|token|password|credential|client_id', re.IGNORECASE)


def instructions():
    """Return the Dockerfile's instructions, each as its name and the rest in one line."""
    text = (DEPLOY / 'Dockerfile').read_text(encoding='utf-8')
    lines = [line for line in text.splitlines() if not line.lstrip().startswith('#')]
    joined = re.sub(r'\\\n\s*', '', '\n'.join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def of(name, among=None):
    """Return what stands after all instructions of this name."""
    return [rest for key, rest in among or instructions() if key == name]


def stages():
    """Return the instructions of each stage."""
    found = []
    for instruction in instructions():
        if instruction[0] == 'FROM':
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def apt_packages(stage):
    """Return what a stage installs from apt."""
    names = set()
    for command in of('RUN', stage):
        match = re.search(r'apt-get install ((?:(?!&&).)*)', command)
        if match:
            names |= {word.strip('"') for word in match[1].split() if not word.startswith('--')}
    return names


def dependencies(path, *tags):
    """Return the names that a package.xml gives in these tags."""
    root = ElementTree.parse(path).getroot()
    return {element.text for tag in tags for element in root.iter(tag)}


def as_apt(key):
    """Return the name of a dependency's package in apt."""
    if key.startswith('python3-'):
        return key
    return 'ros-${ROS_DISTRO}-' + key.replace('_', '-')


# ---- rules

def test_every_base_image_has_a_tag_that_does_not_move_between_releases():
    assert of('ARG') == ['ROS_DISTRO=jazzy', 'ROS_DISTRO', 'ROS_DISTRO'], 'one argument for both'
    # The compiler stays in the first stage.
    assert of('FROM') == ['ros:${ROS_DISTRO}-ros-base AS build', 'ros:${ROS_DISTRO}-ros-core']


def test_apt_leaves_nothing_behind():
    for command in of('RUN'):
        if 'apt-get install' in command:
            assert 'apt-get update &&' in command
            assert '--yes' in command and '--no-install-recommends' in command
            assert 'rm -rf /var/lib/apt/lists/*' in command
        assert not re.search(r'\b(sudo|curl|wget|apt) ', command)


def test_the_image_runs_as_a_user_without_rights():
    (user,) = of('USER', stages()[-1])
    created = ' '.join(of('RUN', stages()[-1]))
    # A number: the host need not know the name.
    assert int(user) > 0 and re.search(rf'useradd --system --uid {user}\b', created)


def test_commands_are_lists_so_that_signals_arrive():
    for name in ('ENTRYPOINT', 'CMD'):
        (command,) = of(name)
        assert all(isinstance(word, str) for word in json.loads(command))
    (check,) = of('HEALTHCHECK')
    *_, interpreter, script = json.loads(check[check.index('['):])
    assert interpreter == 'python3' and pathlib.Path(script).name in ' '.join(of('COPY'))


def test_a_detector_in_another_container_is_heard():
    """What the variable does is tested with the unit: test_deploy_systemd.py."""
    assert 'FASTDDS_BUILTIN_TRANSPORTS=UDPv4' in of('ENV', stages()[-1])[0].split()


def test_no_secret_is_built_in():
    for name in ('ARG', 'ENV'):
        for rest in of(name):
            assert not SECRET.search(rest), rest
    assert not of('ADD')


def test_only_what_is_built_reaches_the_docker_daemon():
    lines = [line for line in (ROOT / '.dockerignore').read_text().splitlines()
             if line and not line.startswith('#')]
    assert lines[0] == '*', 'nothing but what is named'
    named = {line[1:] for line in lines if line.startswith('!')}
    assert all((ROOT / name).exists() for name in named)
    copied = [rest.split()[1:-1] for rest in of('COPY', stages()[-1]) if 'from=' not in rest]
    assert copied and {*sum(copied, [])} <= named
    assert {'package.xml', 'setup.py', 'setup.cfg', 'resource', 'launch', 'config',
            'camera_ws_bridge', 'camera_ws_bridge_msgs'} <= named


def test_hadolint_has_nothing_to_say():
    if shutil.which('hadolint') is None:
        pytest.skip('hadolint is not installed')
    # DL3008: versions of apt packages; the base image's release holds them still.
    result = subprocess.run(
        ['hadolint', '--ignore', 'DL3008', DEPLOY / 'Dockerfile'], text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 0, result.stdout


# ---- what is in it

def test_it_has_what_package_xml_asks_for():
    needed = dependencies(ROOT / 'package.xml', 'depend', 'exec_depend') | dependencies(
        ROOT / 'camera_ws_bridge_msgs/package.xml', 'depend', 'exec_depend')
    needed -= {'camera_ws_bridge_msgs'}
    assert {as_apt(key) for key in needed} <= apt_packages(stages()[-1])


def test_it_is_built_with_what_package_xml_asks_for():
    needed = dependencies(
        ROOT / 'camera_ws_bridge_msgs/package.xml', 'buildtool_depend', 'depend')
    # builtin_interfaces comes with the generators.
    assert {as_apt(key) for key in needed - {'builtin_interfaces'}} <= apt_packages(stages()[0])


def test_the_entry_point_is_replaced_by_the_bridge(tmp_path):
    prefix = tmp_path / 'prefix'
    (prefix / 'lib').mkdir(parents=True)
    (prefix / 'setup.bash').write_text('export SOURCED=1\n')
    (prefix / 'lib/camera_ws_bridge').symlink_to(
        pathlib.Path(get_package_prefix('camera_ws_bridge')) / 'lib/camera_ws_bridge')
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('ORCHESTRATOR_URL', 'CAMERA_ID')}
    environment.update(BRIDGE_PREFIX=str(prefix))
    (command,) = map(json.loads, of('CMD'))
    result = subprocess.run(
        [DEPLOY / 'entrypoint.bash', *command], text=True, capture_output=True,
        env=environment, timeout=60)
    assert result.returncode == 2
    assert 'orchestrator_url: is not set' in result.stderr
    assert os.access(DEPLOY / 'entrypoint.bash', os.X_OK)


@pytest.mark.parametrize('distribution, discovery, only', [
    ('humble', 'LOCALHOST', '1'), ('humble', 'SUBNET', ''), ('jazzy', 'LOCALHOST', '')])
def test_humble_keeps_to_this_machine_as_well(tmp_path, distribution, discovery, only):
    (tmp_path / 'setup.bash').write_text(f'export ROS_DISTRO={distribution}\n')
    said = subprocess.run(
        [DEPLOY / 'entrypoint.bash', 'sh', '-c', 'echo "$ROS_LOCALHOST_ONLY"'], text=True,
        stdout=subprocess.PIPE, timeout=60, check=True, env={
            'PATH': os.environ['PATH'], 'BRIDGE_PREFIX': str(tmp_path),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': discovery}).stdout
    assert said.strip() == only


@pytest.mark.parametrize('version, installs', [
    ('9.1-1', True), ('10.4-1', False), ('15.0.1-1', False)])  # Ubuntu 22.04, 24.04, 26.04
def test_websockets_comes_from_elsewhere_where_the_distributions_is_too_old(
        tmp_path, version, installs):
    """The versions are those of the releases; dpkg itself compares them."""
    if shutil.which('dpkg') is None:
        pytest.skip('dpkg is not installed')
    (command,) = (part for part in of('RUN', stages()[-1]) if 'dpkg' in part)
    condition = command[command.index('if dpkg'):command.index('fi ')] + 'fi'
    for name, says in {'dpkg-query': f'echo {version}', 'apt-get': 'echo apt-get "$@"',
                       'pip3': 'echo pip3 "$@"'}.items():
        (tmp_path / name).write_text(f'#!/bin/sh\n{says}\n')
        (tmp_path / name).chmod(0o755)
    said = subprocess.run(
        ['bash', '-c', condition], text=True, stdout=subprocess.PIPE, timeout=60, check=True,
        env={'PATH': f'{tmp_path}:{os.environ["PATH"]}'}).stdout
    assert ('pip3 install --no-cache-dir websockets>=10.4,<18' in said) is installs
    assert installs or not said
