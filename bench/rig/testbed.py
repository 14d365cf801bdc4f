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
The processes of a measurement: the bridge in its world, and the floors in theirs.

Each world has a ROS domain, a publisher and a server of its own. All of it is on the loopback
interface, on ports that the kernel picks, and waits on conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import tempfile
import time
from typing import Any

from ament_index_python import get_package_prefix
from rig.accounting import cpu_seconds
from rig.actors import Actor, ActorError

PATIENCE = 60.0  # seconds; only a run that fails waits so long
REGISTERED = (2, 3)  # Status.state
CAMERA_ID = 'bench'


def executable(name: str) -> str:
    """Return the path of an installed executable; on PATH another `bridge` could answer."""
    return str(pathlib.Path(get_package_prefix('camera_ws_bridge'), 'lib/camera_ws_bridge', name))


BRIDGE = [executable('bridge')]  # what starts it; `make bench` can be told of another


def wait(condition: Callable[[], Any], what: str, timeout: float = PATIENCE) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise ActorError(f'waited {timeout:g} s in vain until {what}')
        time.sleep(0.02)


@contextlib.contextmanager
def own_domain() -> Iterator[dict[str, str]]:
    """Reserve a ROS domain that no other test or bench uses; yield the environment for it."""
    for domain in range(1, 101):
        path = pathlib.Path(tempfile.gettempdir(), f'camera_ws_bridge_domain_{domain}.lock')
        with path.open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
            return
    raise ActorError('all ROS domains are in use')


class Bridge:
    """The bridge as a process, of one camera or (multi_bridge) of many."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str],
                 log: pathlib.Path) -> None:
        """Start it."""
        without = {
            'ORCHESTRATOR_URL', 'CAMERA_ID', 'AUTH_SERVER_URL', 'CLIENT_ID', 'CLIENT_SECRET'}
        self._log = log
        self.started_at = time.monotonic_ns()
        with log.open('a') as file:
            self._process = subprocess.Popen(
                list(command), stdout=file, stderr=subprocess.STDOUT, env={
                    **{key: value for key, value in os.environ.items() if key not in without},
                    **environment})
        self.pid = self._process.pid

    def close(self) -> None:
        """Interrupt it, and raise if it does not end with 0."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(20.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code != 0:
            raise ActorError(f'the bridge ended with code {code}:\n{self._log.read_text()}')


def bridge_command(port: int, **parameters: object) -> list[str]:
    """Return the command line of a bridge for one camera."""
    arguments = [*BRIDGE, '--ros-args']
    for name, value in {
            'orchestrator_url': f'ws://127.0.0.1:{port}/processor', 'camera_id': CAMERA_ID,
            **parameters}.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        arguments += ['-p', f'{name}:={text}']
    return arguments


class World:
    """A domain with a publisher and a server, and files for what they write down."""

    def __init__(self, stack: contextlib.ExitStack, namespaces: Sequence[str] = (), *,
                 nagle: bool = False) -> None:
        """Start publisher and server; `stack` ends them."""
        self.environment = stack.enter_context(own_domain())
        self.folder = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix='camera_ws_bridge_bench_')))
        counter = self.folder / 'counter'
        counter.write_bytes(bytes(8))
        self.stack = stack
        self.server = self.actor('server', str(counter), *(['nagle'] if nagle else []))
        self.publisher = self.actor('publisher', str(counter), *namespaces)
        self.port: int = self.server.call('listen')['port']
        self.url = f'ws://127.0.0.1:{self.port}/processor'

    def actor(self, module: str, *arguments: str) -> Actor:
        """Start an actor in this world's domain."""
        actor = Actor(module, *arguments, environment=self.environment)
        self.stack.callback(actor.close)
        return actor

    def process_environment(self) -> dict[str, str]:
        """Return the environment for other processes in this world's domain."""
        return {**os.environ, **self.environment}

    def file(self, name: str) -> str:
        """Return a path in the world's own folder."""
        return str(self.folder / name)

    def start_bridge(self, command: Sequence[str] = (), **parameters: object) -> Bridge:
        """Start a bridge, without waiting for anything."""
        bridge = Bridge(command or bridge_command(self.port, **parameters), self.environment,
                        self.folder / 'bridge.log')
        self.stack.callback(bridge.close)
        return bridge

    def wait_until_registered(self, cameras: int = 1) -> None:
        """Wait until frames flow from ROS to the server."""
        wait(lambda: self.server.call('seen')['connections'] >= cameras
             and len(self.server.call('seen')['registered_at']) >= cameras, 'all are registered')
        wait(lambda: self.publisher.call('matched'), 'boxes is subscribed')
        # A publisher may know a subscription that does not know it yet: only a message tells.
        before = self.server.call('seen')['count']

        def arrived() -> bool:
            self.publisher.call('one')
            return bool(self.server.call('wait', count=before + 1, timeout=0.2)['count'] > before)
        wait(arrived, 'boxes arrive')


def count_until(server: Actor, begin: int, expected: int) -> int:
    """Wait until so many more boxes have come than `begin`, or no more come; return how many."""
    seen = begin
    while seen < begin + expected:
        now = server.call('wait', count=begin + expected, timeout=2.0)['count']
        if now == seen:
            break
        seen = now
    return seen - begin


def idle_share(pid: int, seconds: float) -> float:
    """Return the share of a core that a process takes while nothing is asked of it."""
    begin, cpu = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - begin)
