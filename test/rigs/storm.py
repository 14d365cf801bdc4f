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

"""A managed bridge that lives again and again while all around it comes and goes."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import os
import pathlib
import subprocess
import sys
import time

from rigs import process_rig as rigs
from rigs.lifecycle_rig import Manager
import yaml

PEERS = pathlib.Path(__file__).with_name('storm_peers.py')
CYCLE = ('configure', 'activate', 'deactivate', 'cleanup')
SETTLED = 0.2  # of the cycles: after these, nothing may grow any more
MAY_GROW = 8 * 2**20  # bytes; a leak of one life's node, buffer and endpoints is far more
MAY_COME = 2  # threads or descriptors: of what is just coming and going


@dataclass(frozen=True)
class Resources:
    """What a process holds."""

    threads: int
    descriptors: int
    memory: int  # bytes

    @classmethod
    def of(cls, process: rigs.Process) -> Resources:
        """Ask the kernel."""
        info = process.info
        return cls(info.num_threads(), info.num_fds(), info.memory_info().rss)

    def __str__(self) -> str:
        return (f'{self.threads} threads, {self.descriptors} descriptors, '
                f'{self.memory / 2**20:.1f} MiB')


@dataclass(frozen=True)
class Outcome:
    """What a storm has left of a bridge."""

    cycles: int
    seconds: float
    settled: Resources  # after SETTLED of the cycles
    end: Resources
    exit_code: int
    log: str

    def grown(self) -> str:
        """Return of what it has more than when it had settled; empty: of nothing."""
        return _grown(self.settled, self.end)


def _grown(settled: Resources, end: Resources) -> str:
    return ', '.join(name for name, more in (
        ('threads', end.threads - settled.threads > MAY_COME),
        ('descriptors', end.descriptors - settled.descriptors > MAY_COME),
        ('memory', end.memory - settled.memory > MAY_GROW)) if more)


@contextlib.contextmanager
def _running(*commands: list[str], domain: int) -> Iterator[None]:
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, env={
            **os.environ, 'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})
        for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def storm(
        folder: pathlib.Path, cycles: int, *, cameras: int = 0, busy: int = 4,
        kind: str = 'every', period: float = 0.05, seconds: float = float('inf')) -> Outcome:
    """
    Take a bridge, or a multi_bridge of cameras, through so many lives, or for so many seconds.

    Raise AssertionError if it ends meanwhile or refuses a transition.
    """
    namespaces = [f'/camera{number}' for number in range(cameras)] or ['']
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        parameters = {'orchestrator_url': orchestrator.sim.url, 'autostart': False, **rigs.FAST}
        command: tuple[str, ...] = ('bridge',)
        if cameras:
            path = folder / 'cameras.yaml'
            path.write_text(yaml.safe_dump({'cameras': [
                {'camera_id': name[1:], 'namespace': name[1:]} for name in namespaces]}))
            command = ('multi_bridge', str(path))
        else:
            parameters['camera_id'] = rigs.CAMERA_ID
        process = rigs.Process(domain, folder / 'bridge.log', command=command, **parameters)
        probes = [rigs.Probe(domain, f'{name}/camera_ws_bridge') for name in namespaces]
        managers = [Manager(probe) for probe in probes]
        with _running(
                [sys.executable, str(PEERS), '1', str(period), kind, *namespaces],
                *busy * [[sys.executable, '-c', 'while True: pass']], domain=domain):
            began = time.monotonic()
            done = 0
            settled = Resources.of(process)
            while done < cycles and time.monotonic() < began + seconds:
                _change(process, probes, managers, CYCLE)
                done += 1
                if done <= cycles * SETTLED and time.monotonic() <= began + seconds * SETTLED:
                    settled = Resources.of(process)
            took = time.monotonic() - began
            end = _in_the_end(process, settled)
        code = process.end()
        for probe in probes:
            probe.close()
        return Outcome(done, took, settled, end, code, process.log)


def _in_the_end(process: rigs.Process, settled: Resources) -> Resources:
    """Look until what is about to be given back is; a leak never is."""
    patience = time.monotonic() + rigs.PATIENCE
    while _grown(settled, end := Resources.of(process)) and time.monotonic() < patience:
        time.sleep(0.1)
    return end


def _change(
        process: rigs.Process, probes: list[rigs.Probe], managers: list[Manager],
        transitions: tuple[str, ...]) -> None:
    for transition in transitions:
        answers = [manager.ask(transition) for manager in managers]
        for probe, answer in zip(probes, answers):
            def answered() -> bool:
                assert process.alive, (
                    f'ended with {process.wait()} in {transition}:\n{process.log[-3000:]}')
                return bool(answer.done())
            probe.wait(answered, f'{transition} is answered', patience=4 * rigs.PATIENCE)
            assert answer.result().success, f'{transition}:\n{process.log[-3000:]}'
