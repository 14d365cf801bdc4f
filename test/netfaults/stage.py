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

"""What a scenario plays on: bridge, detector, orchestrator and name server in their namespaces."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from network import BRIDGE, Network, RESOLVER, SERVER
import psutil
from rigs.installed import executable

HERE = pathlib.Path(__file__).resolve().parent
PORT = 8080
RATE = 30  # boxes messages a second
# How many of them the detector remembers for a bridge that stands still, as in docs/detector.md.
# With many more, Fast DDS may hand on nothing until they are forgotten: docs/reliability.md.
REMEMBERED = 100
STABLE = 3  # Status.STABLE
KNOWN = 0.5  # seconds that a connection has to be stable before its silence says something
REPORTS = 1.5  # seconds in which there is always a status
DISK = 2**24  # bytes
PATIENCE = 40.0  # seconds; only a scenario that fails waits so long


class Stage:
    """All of it, running; a context. The detector pauses when nothing else is said."""

    def __init__(
            self, folder: pathlib.Path, domain: int, remembered: int = REMEMBERED) -> None:
        """Begin, and wait until boxes flow."""
        self.statuses: list[dict[str, Any]] = []
        self.arrivals: list[tuple[float, int]] = []  # when, which
        self.network = Network()
        self._folder = folder
        self._remembered = remembered
        self._environment = {
            **os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1',
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_LOG_DIR': str(folder)}
        self._processes: list[subprocess.Popen[str]] = []
        self._journal_at = 0
        self._resting = 0.0  # since when the detector does
        self._unheard = 0  # what was published before DDS had found the bridge
        self.uplink = BRIDGE[0]  # the bridge's address
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        self.point_name_at(SERVER)
        self.start_resolver()
        self.start_orchestrator()
        disk = self._folder / 'disk'
        disk.mkdir()
        self._bridge = self.start(
            'bridge', 'sh', '-c', f'mount -t tmpfs -o size={DISK} disk "$0" && exec "$@"',
            str(disk), executable('bridge'), '--ros-args',
            '-p', f'orchestrator_url:=ws://orchestrator:{PORT}/processor',
            '-p', f'spool_path:={disk}/spool/camera.sqlite',
            '-p', 'camera_id:=camera', '-p', 'connect_timeout:=0.0', log='bridge.log')
        self.process = psutil.Process(self._bridge.pid)
        # Only this process and who looks with its eyes see what is mounted.
        self.disk = pathlib.Path(f'/proc/{self.process.pid}/root{disk}')
        self._detector = self.start(
            'bridge', sys.executable, str(HERE / 'detector.py'), str(RATE), str(self._remembered),
            log='detector.log')
        threading.Thread(target=self._hear, args=(self._detector,), daemon=True).start()
        self.wait_until_settled()
        self.rest('settle')
        self._unheard = self._in_dds()

    def logs(self) -> str:
        """Return the last of what the processes have said."""
        return ''.join(''.join(path.read_text().splitlines(True)[-12:])
                       for path in self._folder.glob('*.log'))

    def close(self) -> None:
        """End what was started, and remove the namespaces."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.network.remove()

    # ---- processes

    def start(self, name: str, *command: str, log: str = '') -> subprocess.Popen[str]:
        """Start a process in a namespace; without a log, wait for its first line."""
        process = subprocess.Popen(
            self.network.command(name, *command), text=True, env=self._environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=(self._folder / log).open('a') if log else None)
        self._processes.append(process)
        if not log:
            assert process.stdout is not None and process.stdout.readline(), command
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """Kill a process."""
        process.kill()
        process.wait()
        self._processes.remove(process)

    def start_orchestrator(self) -> None:
        """Start it, as the only one."""
        self.orchestrator = self.start(
            'server', executable('orchestrator_sim'), '--host', '0.0.0.0', '--port', str(PORT),
            '--record', str(self._folder / 'journal.jsonl'))

    def start_resolver(self) -> None:
        """Start the name server, as the only one."""
        self.resolver = self.start('server', sys.executable, str(HERE / 'resolver.py'), RESOLVER,
                                   str(self._folder / 'addresses'))

    def order(self, **order: Any) -> None:
        """Have the orchestrator do something."""
        script = (f'import urllib.request; urllib.request.urlopen("http://127.0.0.1:{PORT}'
                  '/control", data=__import__("sys").argv[1].encode()).read()')
        subprocess.run(self.network.command(
            'server', sys.executable, '-c', script, json.dumps(order)), check=True)

    def point_name_at(self, *addresses: str) -> None:
        """Let the orchestrator's name have these addresses."""
        (self._folder / 'addresses').write_text(' '.join(addresses))

    def tell_detector(self, order: str) -> None:
        """Say `go` or `pause`."""
        assert self._detector.stdin is not None
        self._detector.stdin.write(f'{order}\n')
        self._detector.stdin.flush()

    # ---- what is known

    def local_port(self) -> int:
        """Return the port of the bridge's connection."""
        found = subprocess.run(
            self.network.command('bridge', 'ss', '-tnH', 'state', 'established', 'dport', '=',
                                 f':{PORT}'), check=True, capture_output=True, text=True).stdout
        return int(found.split()[2].rpartition(':')[2])

    def _hear(self, detector: subprocess.Popen[str]) -> None:
        assert detector.stdout is not None
        for line in detector.stdout:
            told = json.loads(line)
            if 'resting' in told:
                self._resting = told['resting']
            else:
                self.statuses.append(told)

    @property
    def status(self) -> dict[str, Any]:
        """Return the newest status."""
        return self.statuses[-1] if self.statuses else {
            'state': 0, 'published': 0, 'accepted': 0, 'queued': 0, 'reconnects': 0, 'cause': '',
            'dropped': {}, 'lost': 0, 'spool': ''}

    def look(self) -> None:
        """Read what the orchestrator has recorded meanwhile."""
        path = self._folder / 'journal.jsonl'
        if not path.exists():
            return
        with path.open('rb') as journal:
            journal.seek(self._journal_at)
            lines = journal.read()
        lines = lines[:lines.rfind(b'\n') + 1]
        self._journal_at += len(lines)
        for line in lines.splitlines():
            entry = json.loads(line)
            if entry['direction'] == 'to_orchestrator' and 'boundingBoxes' in entry['text']:
                self.arrivals.append((entry['t'], int(json.loads(entry['text'])['frameId'])))

    def arrived_since(self, moment: float) -> float | None:
        """Return when the first box arrived after the moment, as Unix time."""
        self.look()
        return next((at for at, _ in self.arrivals if at >= moment), None)

    def wait(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait until the condition holds."""
        end = time.monotonic() + patience
        while not condition():
            assert self._bridge.poll() is None, 'the bridge has ended'
            assert time.monotonic() < end, f'waited {patience:g} s until {what}: {self.status}'
            time.sleep(0.01)

    def wait_until_settled(self) -> None:
        """Wait until boxes flow, and the connection has been there for a while."""
        def known() -> bool:
            now = time.time()
            recent = [status for status in self.statuses if status['t'] > now - REPORTS]
            return bool(recent) and now - recent[0]['t'] > KNOWN and (
                {status['state'] for status in recent} == {STABLE}) and (
                recent[0]['reconnects'] == recent[-1]['reconnects'])
        self.wait(known, 'the connection is stable')
        began = time.time()
        self.wait(lambda: self.arrived_since(began), 'boxes flow')

    def rest(self, order: str = 'pause') -> None:
        """Let the detector pause, and wait until nothing is on its way, nor in the bridge."""
        def drained() -> bool:
            recent = [status for status in self.statuses if status['t'] > self._resting]
            return self._resting > began and len(recent) > 1 and not recent[-1]['queued'] and (
                order == 'settle' or self._in_dds() == self._unheard)
        began = time.time()
        self.tell_detector(order)
        self.wait(drained, 'the buffer is empty, and all else is known as lost')
        self.look()

    def _in_dds(self) -> int:
        """Return how many the bridge neither has accepted nor knows to be lost."""
        return int(self.status['published'] - self.status['accepted'] - self.status['lost'])
