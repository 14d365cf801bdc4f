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

"""The processes of a demo: started, watched and ended, with a look at the bridge's status."""

from __future__ import annotations

from collections.abc import Callable
import pathlib
import subprocess
import sys
import time

from ament_index_python import get_package_prefix
from camera_ws_bridge.link.link import State
from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Status
import rclpy
from rclpy.node import Node

MODULES = {
    'bridge': 'camera_ws_bridge', 'orchestrator': 'camera_ws_bridge.sim.orchestrator.main',
    'camera': 'camera_ws_bridge.sim.camera.main'}
PATIENCE = 20.0  # seconds that anything may take before the demo gives up


class Failed(Exception):
    """The demo cannot go on; the text says why."""


class Observer(Node):
    """Looks at the bridge from the side: its newest status."""

    def __init__(self) -> None:
        super().__init__('demo')
        self.status = Status()
        self.create_subscription(Status, 'camera_ws_bridge/status', self._on_status, qos.STATUS)

    def _on_status(self, status: Status) -> None:
        self.status = status

    @property
    def registered(self) -> bool:
        """Whether the bridge says that it is registered."""
        return self.status.state in (State.REGISTERED, State.STABLE)


class Site:
    """All processes of one run."""

    def __init__(
            self, folder: pathlib.Path, observer: Observer, stopping: Callable[[], bool]) -> None:
        """Set up; stopping: whether a signal has come."""
        self.journal = folder / 'orchestrator.jsonl'  # what the orchestrator has received
        self.report = folder / 'camera.json'  # what the camera has published and received
        self.observer = observer
        self.stopping = stopping
        self.url = ''
        self.page_url = ''
        self.shows_progress = True
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._began = time.monotonic()
        self._last_progress = 0.0

    # ---- processes

    def run(self, name: str, *arguments: str, of: str = '', read: bool = False) -> None:
        """Start one of this package's executables; of: whose it is; read: `line_of` reads it."""
        program = ['-m', MODULES[name]] if name in MODULES else [_example(name)]
        self._processes[f'{name}{of}'] = subprocess.Popen(
            [sys.executable, *program, *arguments], text=True,
            stdout=subprocess.PIPE if read else None,
            start_new_session=True)  # Ctrl-C is for the demo, which ends them in order

    def line_of(self, name: str, begin: str) -> str:
        """Return the rest of the next line that a process prints, which begins so."""
        output = self._processes[name].stdout
        assert output is not None
        line = output.readline()
        if not line.startswith(begin):
            raise Failed(f'the {name} did not start')
        return line.removeprefix(begin).strip()

    def run_orchestrator(self, port: int = 0, record: bool = True) -> None:
        """Start the orchestrator and wait until it listens."""
        self.run('orchestrator', '--port', str(port), '--log-level', 'error',
                 *(['--record', str(self.journal)] if record else []), read=True)
        self.url = self.line_of('orchestrator', 'listening on ')
        self.page_url = self.line_of('orchestrator', "operator's page: ")

    def end(self, name: str) -> int:
        """Ask a process to end and return its exit code."""
        process = self._processes.pop(name)
        process.terminate()  # not SIGINT: a process that is still importing would show a traceback
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def end_all(self) -> None:
        """Ask all at once to end, and wait for them."""
        for process in self._processes.values():
            process.terminate()
        for name in list(self._processes):
            self.end(name)

    def kill_all(self) -> None:
        """End what is left, whatever happened before."""
        for name in list(self._processes):
            self.kill(name)

    # ---- waiting

    def spin(self, seconds: float) -> None:
        """Let time go by, but not after a signal."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping():
            self._go_on()

    def wait_for(
            self, what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until the condition holds, also after a signal; raise Failed if it never does."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise Failed(f'waited {patience:g} s in vain until {what}')
            self._go_on()

    def _go_on(self) -> None:
        rclpy.spin_once(self.observer, timeout_sec=0.1)
        if self.shows_progress:
            self._show_progress()
        self._check_processes()

    def _check_processes(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise Failed(f'the {name} ended by itself with exit code {process.returncode}')

    def _show_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_progress < 1.0:
            return
        self._last_progress = now
        status = self.observer.status
        print(f'{now - self._began:5.0f} s  {State(status.state).name.lower():14} '
              f'boxes accepted {status.boxes_accepted:6}  acknowledged {status.acknowledged:6}  '
              f'buffered {status.boxes_queued:5}', flush=True)


def _example(name: str) -> str:
    """Return the path of one of the examples, which are installed as executables."""
    return str(pathlib.Path(
        get_package_prefix('camera_ws_bridge'), 'lib/camera_ws_bridge', f'{name}.py'))
