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
The systemd unit: what it says, what systemd says of it, and that what it starts works.

No test here needs a running systemd; the service manager's part is played by the test.
"""

import collections
import ctypes
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess

from camera_ws_bridge.config.parameters import SPECS
from camera_ws_bridge.process.run import EXIT_CONFIGURATION, EXIT_UNREACHABLE
import pytest
from rigs import process_rig as rigs
from rigs.installed import executable

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'deploy' / 'systemd'
UNIT = FOLDER / 'camera_ws_bridge@.service'
DROP_INS = sorted(FOLDER.glob('*.conf'))
KNOWN = {  # systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5)
    'Unit': {'After', 'Description', 'Documentation', 'StartLimitIntervalSec', 'Wants'},
    'Service': {
        'AmbientCapabilities', 'CapabilityBoundingSet', 'DevicePolicy', 'DynamicUser',
        'Environment', 'EnvironmentFile', 'ExecStart', 'KeyringMode', 'LimitCORE',
        'LoadCredential', 'LockPersonality', 'MemoryDenyWriteExecute', 'MemoryMax',
        'NoNewPrivileges', 'NotifyAccess', 'PrivateDevices', 'PrivateTmp', 'ProtectClock',
        'ProtectControlGroups', 'ProtectHome', 'ProtectHostname', 'ProtectKernelLogs',
        'ProtectKernelModules', 'ProtectKernelTunables', 'ProtectProc', 'ProtectSystem',
        'RemoveIPC', 'Restart', 'RestartPreventExitStatus', 'RestartSec',
        'RestrictAddressFamilies', 'RestrictNamespaces', 'RestrictRealtime', 'RestrictSUIDSGID',
        'StateDirectory', 'StateDirectoryMode', 'SystemCallArchitectures',
        'SystemCallErrorNumber', 'SystemCallFilter', 'TasksMax', 'TimeoutStartSec',
        'TimeoutStopSec', 'Type', 'UMask', 'WatchdogSec'},
    'Install': {'WantedBy'},
}
LISTS = {'Environment', 'EnvironmentFile', 'LoadCredential', 'SystemCallFilter'}
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65


def parse(path):
    """Return the assignments of each section, in order."""
    found = collections.defaultdict(list)
    section = None
    for line in path.read_text(encoding='utf-8').splitlines():
        if not line.strip() or line[0] in '#;':
            continue
        assert not line.endswith('\\'), 'this parser knows no continued lines'
        heading = re.fullmatch(r'\[(\w+)\]', line)
        if heading:
            section = heading[1]
            continue
        name, equals, value = line.partition('=')
        assert section and equals, line
        found[section].append((name, value))
    return found


def values(path, name):
    """Return what is assigned to one key of the service."""
    return [value for key, value in parse(path)['Service'] if key == name]


def value(name):
    """Return the one assignment of the unit to a key of the service."""
    (only,) = values(UNIT, name)
    return only


# ---- what it says

@pytest.mark.parametrize('path', [UNIT, *DROP_INS], ids=lambda path: path.name)
def test_every_key_is_known_and_only_lists_repeat(path):
    for section, assignments in parse(path).items():
        names = collections.Counter(name for name, _ in assignments)
        assert {*names} <= KNOWN[section]
        assert not {name for name, count in names.items() if count > 1} - LISTS


def test_the_exit_codes_are_those_of_the_bridge():
    assert value('Restart') == 'on-failure'
    assert value('RestartPreventExitStatus').split() == [str(EXIT_CONFIGURATION)]
    assert EXIT_UNREACHABLE != EXIT_CONFIGURATION


def test_it_has_time_to_flush():
    default = next(spec.default for spec in SPECS if spec.name == 'shutdown_timeout')
    assert int(value('TimeoutStopSec')) >= default + 5


def test_the_kernel_may_be_asked_for_what_dds_needs():
    assert {*value('RestrictAddressFamilies').split()} == {
        'AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX'}


def test_secrets_come_as_credentials_only():
    for path in (UNIT, *DROP_INS):
        for assignment in values(path, 'Environment'):
            for name, given in (entry.split('=', 1) for entry in shlex.split(assignment)):
                if re.search('SECRET|TOKEN|TLS|CLIENT_ID', name):
                    assert not given or '%d/' in given, name


@pytest.mark.parametrize('path', DROP_INS, ids=lambda path: path.name)
def test_a_drop_in_uses_just_the_credentials_that_it_loads(path):
    loaded = {entry.partition(':')[0] for entry in values(path, 'LoadCredential')}
    used = re.findall(r'%d/(\w+)', ' '.join(values(path, 'Environment')))
    assert loaded and sorted(loaded) == sorted(used)
    names = {spec.name for spec in SPECS}
    arguments = ' '.join(values(path, 'Environment'))
    assert {*re.findall(r'-p (\w+):=', arguments)} <= names


def test_the_drop_ins_do_not_overwrite_each_other():
    names = [entry.partition('=')[0] for path in DROP_INS
             for assignment in values(path, 'Environment') for entry in shlex.split(assignment)]
    assert len(names) == len({*names})
    arguments = {name for name in names if name.endswith('_ARGUMENTS')}
    assert all(f'${name}' in value('ExecStart').split() for name in arguments)


# ---- what systemd says

def analyze(*arguments):
    """Return what systemd-analyze prints."""
    if shutil.which('systemd-analyze') is None:
        pytest.skip('systemd-analyze is not installed')
    result = subprocess.run(
        ['systemd-analyze', *arguments], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60)
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture
def installed(tmp_path):
    """Return the unit as it would be installed, with all drop-ins."""
    unit = shutil.copy(UNIT, tmp_path)
    folder = tmp_path / f'{UNIT.name}.d'
    folder.mkdir()
    for path in DROP_INS:
        shutil.copy(path, folder)
    return unit


def test_systemd_has_nothing_to_say_against_it(installed):
    text = analyze('verify', installed)
    assert UNIT.stem not in text, text


def test_systemd_rates_it_as_confined(installed):
    version = int(re.search(r'systemd (\d+)', analyze('--version'))[1])
    if version < 250:
        pytest.skip('systemd-analyze is too old to rate a file')
    rating = re.search(r'exposure level for .*: ([\d.]+)', analyze(
        'security', '--offline=true', '--no-pager', installed))
    assert float(rating[1]) <= 2.0


# ---- what it starts

def expand(command, environment, specifiers):
    """Return a command line's words as systemd makes them."""
    words = []
    for word in shlex.split(command):
        word = re.sub('%([A-Za-z])', lambda match: specifiers[match[1]], word)
        if re.fullmatch(r'\$\w+', word):
            words += environment[word[1:]].split()
            continue
        word = re.sub(r'(?<!\$)\$\{(\w+)\}', lambda match: environment[match[1]], word)
        words.append(word.replace('$$', '$'))
    return words


def confine():
    """Do to this process what can be done without systemd."""
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)  # MemoryDenyWriteExecute; since Linux 6.3
    os.umask(int(value('UMask'), 8))


def test_what_it_starts_registers_is_ready_keeps_a_spool_and_ends(tmp_path):
    prefix, etc, state = tmp_path / 'prefix', tmp_path / 'etc', tmp_path / 'state'
    for folder in (prefix / 'lib', etc, state / 'camera_ws_bridge/gate'):
        folder.mkdir(parents=True)
    (prefix / 'setup.bash').write_text('export SOURCED=1\n')
    (prefix / 'lib/camera_ws_bridge').symlink_to(pathlib.Path(executable('bridge')).parent)
    address = str(tmp_path / 'notify')
    environment = dict(
        entry.split('=', 1) for assignment in values(UNIT, 'Environment')
        for entry in shlex.split(assignment))
    environment.update(BRIDGE_PREFIX=str(prefix), NOTIFY_SOCKET=address)
    command = value('ExecStart').replace('/etc/camera_ws_bridge', str(etc))
    words = expand(command, environment, {'i': 'gate', 'S': str(state), 'd': str(tmp_path)})
    loop_thread = rigs.LoopThread()
    with rigs.own_domain() as domain, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
        service_manager.bind(address)
        service_manager.settimeout(rigs.PATIENCE)
        orchestrator = rigs.Orchestrator(loop_thread)
        (etc / 'gate.yaml').write_text(
            '/**:\n  ros__parameters:\n    camera_id: the gate\n'
            f'    orchestrator_url: {orchestrator.sim.url}\n')
        process = subprocess.Popen(
            words, preexec_fn=confine, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env={**os.environ, **environment, 'ROS_DOMAIN_ID': str(domain),
                            'HOME': '/nonexistent'})
        try:
            assert service_manager.recv(4096) == b'READY=1'
            # NotifyAccess=main: it must be the process that systemd has started.
            program = os.readlink(f'/proc/{process.pid}/exe')
            assert 'python' in program, program
            while service_manager.recv(4096) != b'STATUS=the gate: stable':
                pass
            assert {message['id'] for message in orchestrator.messages('identifier')} == {
                'the gate'}
            spool = state / 'camera_ws_bridge/gate/spool.sqlite'
            assert spool.stat().st_mode & 0o777 == 0o600
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=rigs.PATIENCE)
            assert process.returncode == 0, output
            assert 'rror' not in output, output
        finally:
            process.kill()
            process.wait()
            orchestrator.die()
            loop_thread.stop()
