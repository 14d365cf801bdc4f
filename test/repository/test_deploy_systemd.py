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
import contextlib
import ctypes
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess

from ament_index_python import get_package_prefix
from camera_ws_bridge.config.parameters import SPECS
from camera_ws_bridge.process.run import EXIT_CONFIGURATION, EXIT_UNREACHABLE
from camera_ws_bridge_msgs.msg import Stop
import psutil
import pytest
from rclpy import get_rmw_implementation_identifier
from rigs import process_rig as rigs

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'deploy' / 'systemd'
UNIT = FOLDER / 'camera_ws_bridge@.service'
DROP_INS = sorted(FOLDER.glob('*.conf'))
MANY_CAMERAS = FOLDER / 'many_cameras.conf'
SECRETS = [path for path in DROP_INS if path != MANY_CAMERAS]
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
LISTS = {'Environment', 'EnvironmentFile', 'ExecStart', 'LoadCredential', 'SystemCallFilter'}
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


@pytest.mark.parametrize('path', SECRETS, ids=lambda path: path.name)
def test_a_drop_in_uses_just_the_credentials_that_it_loads(path):
    loaded = {entry.partition(':')[0] for entry in values(path, 'LoadCredential')}
    used = re.findall(r'%d/(\w+)', ' '.join(values(path, 'Environment')))
    assert loaded and sorted(loaded) == sorted(used)
    names = {spec.name for spec in SPECS}
    arguments = ' '.join(values(path, 'Environment'))
    assert {*re.findall(r'-p (\w+):=', arguments)} <= names


def test_the_drop_ins_do_not_overwrite_each_other():
    names = [entry.partition('=')[0] for path in SECRETS
             for assignment in values(path, 'Environment') for entry in shlex.split(assignment)]
    assert len(names) == len({*names})
    arguments = {name for name in names if name.endswith('_ARGUMENTS')}
    for path in (UNIT, MANY_CAMERAS):
        assert all(f'${name}' in values(path, 'ExecStart')[-1].split() for name in arguments)


@pytest.mark.parametrize('path', [UNIT, MANY_CAMERAS], ids=lambda path: path.name)
def test_it_waits_for_ever_and_sends_nothing_old_unless_something_else_is_said(path):
    assert values(path, 'ExecStart')[:-1] == ([''] if path == MANY_CAMERAS else [])
    words = shlex.split(values(path, 'ExecStart')[-1])
    given = [words.index(f'{name}:={number}') for name, number in (
        ('connect_timeout', '0.0'), ('boxes_max_age', '60.0'))]
    assert all(words[at - 1] == '-p' for at in given)
    last = [words.index('$BRIDGE_ARGUMENTS')]
    if path == UNIT:
        last.append(words.index('--params-file'))
    assert max(given) < min(last), 'what stands behind wins'


def test_the_drop_in_for_many_cameras_keeps_what_the_unit_sees_to():
    def shell(path):
        return shlex.split(values(path, 'ExecStart')[-1])[2]
    assert shell(MANY_CAMERAS) == shell(UNIT).replace('camera_ws_bridge/bridge', (
        'camera_ws_bridge/multi_bridge'))


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


@pytest.fixture(params=[SECRETS, DROP_INS], ids=['a camera', 'many cameras'])
def installed(tmp_path, request):
    """Return the unit as it would be installed, with drop-ins."""
    unit = shutil.copy(UNIT, tmp_path)
    folder = tmp_path / f'{UNIT.name}.d'
    folder.mkdir()
    for path in request.param:
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

NOBODY = 65534
# The interpreter may be in the home folder of whoever runs the tests, so it may read everything.
# That opens no shared memory: Fast DDS wants to write there.
AS_NOBODY = ('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups',
             '--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search')


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


@contextlib.contextmanager
def started(path, folder, domain, files, user=()):
    """Start what a unit or drop-in says, by systemd's rules, with files in its prefix and etc."""
    prefix, etc, state = folder / 'prefix', folder / 'etc', folder / 'state'
    for needed in (prefix / 'lib', etc, state / 'camera_ws_bridge/gate'):
        needed.mkdir(parents=True, exist_ok=True)
    for name, content in {'setup.bash': 'export SOURCED=1\n', **files}.items():
        ((prefix if name == 'setup.bash' else etc) / name).write_text(content)
    executables = prefix / 'lib/camera_ws_bridge'
    if not executables.exists():
        executables.symlink_to(
            pathlib.Path(get_package_prefix('camera_ws_bridge')) / 'lib/camera_ws_bridge')
    environment = dict(
        entry.split('=', 1) for assignment in values(UNIT, 'Environment')
        for entry in shlex.split(assignment))
    environment.update(BRIDGE_PREFIX=str(prefix), NOTIFY_SOCKET=str(folder / 'notify'))
    command = values(path, 'ExecStart')[-1].replace('/etc/camera_ws_bridge', str(etc))
    words = expand(command, environment, {'i': 'gate', 'S': str(state), 'd': str(folder)})
    process = subprocess.Popen(
        [*user, *words], preexec_fn=confine, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, **environment, 'ROS_DOMAIN_ID': str(domain),
                        'HOME': '/nonexistent'})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(name='domain')
def own_domain():
    """Return a ROS domain of the test's own."""
    with rigs.own_domain() as found:
        yield found


@pytest.fixture
def service_manager(tmp_path):
    """Return the socket on which systemd would hear."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / 'notify'))
        found.settimeout(rigs.PATIENCE)
        yield found


def end(process):
    """Stop it as systemd does; return what it has said."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=rigs.PATIENCE)
    assert process.returncode == 0, output
    assert 'rror' not in output, output


def ids_of(orchestrator):
    """Return the ids under which cameras have registered."""
    return {message['id'] for message in orchestrator.messages('identifier')}


def test_what_it_starts_registers_is_ready_keeps_a_spool_and_ends(
        tmp_path, domain, service_manager):
    with rigs.serving() as orchestrator, started(UNIT, tmp_path, domain, {'gate.yaml': (
            '/**:\n  ros__parameters:\n    camera_id: the gate\n'
            f'    orchestrator_url: {orchestrator.sim.url}\n')}) as process:
        assert service_manager.recv(4096) == b'READY=1'
        # NotifyAccess=main: it must be the process that systemd has started.
        executable = os.readlink(f'/proc/{process.pid}/exe')
        assert 'python' in executable, executable
        while service_manager.recv(4096) != b'STATUS=the gate: stable':
            pass
        assert ids_of(orchestrator) == {'the gate'}
        spool = tmp_path / 'state/camera_ws_bridge/gate/spool.sqlite'
        assert spool.stat().st_mode & 0o777 == 0o600
        end(process)


def test_what_it_starts_for_many_cameras_registers_each_and_ends(
        tmp_path, domain, service_manager):
    with rigs.serving() as orchestrator, started(MANY_CAMERAS, tmp_path, domain, {'gate.yaml': (
            f'cameras:\n- {{camera_id: a, orchestrator_url: "{orchestrator.sim.url}"}}\n'
            f'- {{camera_id: b, orchestrator_url: "{orchestrator.sim.url}"}}\n')}) as process:
        assert service_manager.recv(4096) == b'READY=1'
        while service_manager.recv(4096) != b'STATUS=a: stable; b: stable':
            pass
        assert ids_of(orchestrator) == {'a', 'b'}
        end(process)


@pytest.mark.parametrize('distribution, only', [('humble', '1'), ('jazzy', '')])
def test_humble_keeps_to_this_machine_as_well(tmp_path, domain, distribution, only):
    executable = tmp_path / 'prefix/lib/camera_ws_bridge/bridge'
    executable.parent.mkdir(parents=True)
    executable.write_text('#!/bin/sh\necho "<$ROS_LOCALHOST_ONLY>"\n')
    executable.chmod(0o755)
    files = {'setup.bash': f'ROS_DISTRO={distribution}\n'}
    with started(UNIT, tmp_path, domain, files) as process:
        assert process.communicate(timeout=rigs.PATIENCE)[0] == f'<{only}>\n'


@pytest.mark.parametrize('path, bridge', [
    (UNIT, '/gate/camera_ws_bridge'), (MANY_CAMERAS, '/gate/a/camera_ws_bridge')],
    ids=['a camera', 'many cameras'])
def test_it_and_a_detector_of_another_user_hear_each_other(tmp_path, domain, path, bridge):
    """DynamicUser=yes: nobody else is that user, and DDS's shared memory belongs to one."""
    if shutil.which('setpriv') is None or subprocess.run(
            [*AS_NOBODY, 'true'], stderr=subprocess.DEVNULL).returncode:
        pytest.skip('only root can start a process of another user')
    tmp_path.chmod(0o755)
    (tmp_path / 'state/camera_ws_bridge/gate').mkdir(parents=True)
    os.chown(tmp_path / 'state/camera_ws_bridge/gate', NOBODY, NOBODY)
    with rigs.serving(landmark=True) as orchestrator:
        url = orchestrator.sim.url
        configuration = (
            f'cameras:\n- {{camera_id: a, orchestrator_url: "{url}"}}\n'
            if path == MANY_CAMERAS else
            f'/**: {{ros__parameters: {{camera_id: a, orchestrator_url: "{url}"}}}}\n')
        probe = rigs.Probe(domain, bridge, namespace=bridge.rpartition('/')[0])
        with started(
                path, tmp_path, domain, {'gate.yaml': configuration}, AS_NOBODY) as process:
            probe.wait_until_registered()
            orchestrator.do('send', camera='a', text='{"type": "stop", "objectId": 7}')
            probe.wait(lambda: [stop.object_id for stop in probe.of(Stop)] == [7])
            if 'fastrtps' in get_rmw_implementation_identifier():  # no ear for other machines
                assert {connection.laddr.ip for connection in psutil.net_connections('udp')
                        if connection.pid == process.pid} == {'127.0.0.1'}
            probe.close()
            end(process)
