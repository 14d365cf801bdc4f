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
Three network namespaces: bridge, router, server; and the links between them.

    bridge --- up0 (10.77.1.0/24) --- router --- out0 (10.77.2.0/24) --- server
           --- up1 (10.77.3.0/24) ---
           ... slow0 (10.77.4.0/24) ...

up1 is down until it is set up; slow0 is there while its process runs.

Nothing leaves this machine. What is made here is named after this process and removed at the end;
what a killed one has left, the next one removes.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import threading
from typing import Any

PREFIX = 'cwb-'
NAMES = ('bridge', 'router', 'server')
ETC = pathlib.Path('/etc/netns')  # `ip netns exec` shows a namespace what lies there as /etc
SERVER, MOVED, RESOLVER = '10.77.2.2', '10.77.2.3', '10.77.2.53'  # all the server's
BRIDGE = ('10.77.1.2', '10.77.3.2')  # on up0, on up1
ROUTER = ('10.77.1.1', '10.77.3.1')
LOCK = threading.Lock()  # the folder is that of all networks


def why_not() -> str:
    """Return why there can be none here; empty: there can."""
    for program in ('ip', 'nft', 'tc'):
        if shutil.which(program) is None:
            return f'the program {program} is not installed (packages iproute2, nftables)'
    if os.geteuid() != 0:
        return 'network namespaces need root'
    name = f'{PREFIX}{os.getpid()}-try'
    made = subprocess.run(
        ['ip', 'netns', 'add', name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f'no network namespace can be made here: {made.stderr.strip()}'
    # In a chroot that is no mount point there can be one, but nobody can enter it.
    entered = subprocess.run(
        ['ip', 'netns', 'exec', name, 'true'], capture_output=True, text=True, check=False)
    subprocess.run(['ip', 'netns', 'del', name], check=True)
    if entered.returncode:
        return f'no network namespace can be entered here: {entered.stderr.strip()}'
    return ''


class Network:
    """The three namespaces, ready to use; a context."""

    def __init__(self, label: str = '') -> None:
        """Make them; label: tells apart the networks of one process."""
        self._prefix = f'{PREFIX}{os.getpid()}-{label}'
        try:
            with LOCK:
                remove_left()
                self._make()
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _make(self) -> None:
        for name in NAMES:
            _run(['ip', 'netns', 'add', self.name(name)])
            (ETC / self.name(name)).mkdir(parents=True)
            self.ip(name, 'link set lo up')
            self.shell(name, 'echo 1 > /proc/sys/net/ipv4/ip_forward')
            # No addresses that come late by themselves.
            self.shell(name, 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true')
        folder = ETC / self.name('bridge')
        (folder / 'resolv.conf').write_text(
            f'nameserver {RESOLVER}\noptions timeout:1 attempts:5\n')
        (folder / 'nsswitch.conf').write_text('hosts: files dns\n')
        for index, (near, far) in enumerate(zip(BRIDGE, ROUTER)):
            self.cable('bridge', f'up{index}', near, 'router', f'to{index}', far)
        self.cable('router', 'out0', '10.77.2.1', 'server', 'eth0', SERVER)
        self.shell('server', 'echo 1 > /proc/sys/net/ipv4/conf/all/promote_secondaries')
        for address in (MOVED, RESOLVER):
            self.ip('server', f'addr add {address}/24 dev eth0')
        self.ip('server', 'route add default via 10.77.2.1')
        self.route()
        self.ip('bridge', 'link set up1 down')

    def cable(self, near: str, device: str, address: str,
              far: str, far_device: str, far_address: str) -> None:
        """Put a pair of devices with their addresses between two namespaces."""
        self.ip(near, f'link add {device} type veth peer name {far_device} '
                      f'netns {self.name(far)}')
        for name, each, own in ((near, device, address), (far, far_device, far_address)):
            self.ip(name, f'addr add {own}/24 dev {each}')
            self.ip(name, f'link set {each} up')

    def slow_cable(self, delay: float) -> subprocess.Popen[str]:
        """Have all between bridge and server go by a slow cable; return its process."""
        script = pathlib.Path(__file__).with_name('slow_cable.py')
        cable = subprocess.Popen(
            [sys.executable, str(script), self.name('bridge'), 'slow0', self.name('router'),
             'slow1', '--delay', str(delay)], stdout=subprocess.PIPE, text=True)
        assert cable.stdout is not None and cable.stdout.readline() == 'ready\n'
        for name, device, address in (
                ('bridge', 'slow0', '10.77.4.2'), ('router', 'slow1', '10.77.4.1')):
            self.ip(name, f'addr add {address}/24 dev {device}')
            self.ip(name, f'link set {device} up')
        self.ip('bridge', f'route add {SERVER} via 10.77.4.1')
        return cable

    def remove(self) -> None:
        """Remove all of it; processes in there have to be ended before."""
        with LOCK:
            for name in NAMES:
                remove(self.name(name))

    # ---- what can be done with them

    def name(self, name: str) -> str:
        """Return a namespace's name on this machine."""
        return f'{self._prefix}{name}'

    def command(self, name: str, *command: str) -> list[str]:
        """Return the command as one that runs within a namespace."""
        return ['ip', 'netns', 'exec', self.name(name), *command]

    def ip(self, name: str, arguments: str) -> None:
        """Run `ip` in a namespace."""
        _run(['ip', '-n', self.name(name), *arguments.split()])

    def tc(self, name: str, arguments: str) -> None:
        """Run `tc` in a namespace."""
        _run(['tc', '-n', self.name(name), *arguments.split()])

    def shell(self, name: str, script: str) -> None:
        """Run a line of shell in a namespace."""
        _run(self.command(name, 'sh', '-c', script))

    def rules(self, name: str, chain: str = '', hook: str = 'forward') -> None:
        """Have these rules of nft (a line each) for what passes; without any, let all pass."""
        ruleset = 'flush ruleset\n'
        if chain:
            ruleset += (f'table ip fault {{\nchain fault {{\n'
                        f'type filter hook {hook} priority 0;\n{chain}\n}}\n}}\n')
        _run(self.command(name, 'nft', '-f', '-'), input=ruleset)

    def route(self, uplink: int = 0, action: str = 'add', metric: int = 10) -> None:
        """Add or delete the bridge's default route by this uplink."""
        self.ip('bridge', f'route {action} default via {ROUTER[uplink]} metric {metric}')


def _run(command: list[str], **arguments: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **arguments)
    assert done.returncode == 0, f'{" ".join(command)}: {done.stderr.strip()}'
    return done.stdout


def remove(name: str) -> None:
    """Remove one namespace and its folder, if they are there."""
    subprocess.run(['ip', 'netns', 'del', name], capture_output=True, check=False)
    shutil.rmtree(ETC / name, ignore_errors=True)
    if ETC.is_dir() and not any(ETC.iterdir()):
        ETC.rmdir()


def remove_left() -> None:
    """Remove what a process that was killed has left."""
    for path in pathlib.Path('/run/netns').glob(f'{PREFIX}*-*'):
        if not pathlib.Path('/proc', path.name[len(PREFIX):].partition('-')[0]).exists():
            remove(path.name)
