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
A whole site on one machine, with an outage: the executable `demo`.

Camera, bridge and orchestrator run as separate processes. An operator starts three objects and
stops one, a neighbouring camera finds one of them, and in the middle the orchestrator is killed
and comes back on the same port. At the end the accounts of both sides are held against each other.

Exit code 0 only if nothing was lost.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, field
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from camera_ws_bridge.bridge import LoopThread
from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.ros import qos, starting
from camera_ws_bridge.sim.account import quantile, Received
from camera_ws_bridge.sim.arguments import count, not_negative, positive
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge.sim.operator_client import Operator
from camera_ws_bridge_msgs.msg import Status
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

CAMERA_ID = 'demo'
NEIGHBOUR_ID = 'neighbour'
PATIENCE = 20.0  # seconds that anything may take before the demo gives up


class Failed(Exception):
    """The demo cannot go on; the text says why."""


@dataclass
class Outage:
    """When the orchestrator was away, in Unix time."""

    began: float
    ended: float = 0.0
    registered: float = 0.0


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


@dataclass
class Demo:
    """One run: its processes, and what happened."""

    folder: pathlib.Path
    arguments: argparse.Namespace
    observer: Observer
    loop_thread: LoopThread
    stopping: Callable[[], bool]
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    url: str = ''
    outages: list[Outage] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=lambda: {'starts': 0, 'stops': 0, 'updates': 0})
    forgotten: int = 0  # objects that were tracked when the orchestrator died
    began: float = 0.0
    last_progress: float = 0.0

    # ---- processes

    def run(self, name: str, *arguments: str) -> None:
        """Start one of this package's executables."""
        modules = {'bridge': 'camera_ws_bridge',
                   'orchestrator': 'camera_ws_bridge.sim.orchestrator.main',
                   'camera': 'camera_ws_bridge.sim.camera.main'}
        self.processes[name] = subprocess.Popen(
            [sys.executable, '-m', modules[name], *arguments], text=True,
            stdout=subprocess.PIPE if name == 'orchestrator' else None,
            start_new_session=True)  # Ctrl-C is for the demo, which ends them in order

    def run_orchestrator(self, port: int = 0) -> None:
        """Start the orchestrator and wait until it listens."""
        self.run('orchestrator', '--port', str(port), '--record', str(self.journal),
                 '--log-level', 'error')
        output = self.processes['orchestrator'].stdout
        assert output is not None
        line = output.readline()
        if not line.startswith('listening on '):
            raise Failed('the orchestrator stand-in did not start')
        self.url = line.split()[-1]

    def end(self, name: str) -> int:
        """Interrupt a process and return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def kill_all(self) -> None:
        """End what is left, whatever happened before."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    @property
    def journal(self) -> pathlib.Path:
        """Where the orchestrator writes what it receives."""
        return self.folder / 'orchestrator.jsonl'

    # ---- waiting

    def spin(self, seconds: float) -> None:
        """Let time go by, but not after a signal."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping():
            self._go_on()

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, also after a signal; raise Failed if it never does."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Failed(f'waited {PATIENCE:g} s in vain until {what}')
            self._go_on()

    def _go_on(self) -> None:
        rclpy.spin_once(self.observer, timeout_sec=0.1)
        self._show_progress()
        self._check_processes()

    def _check_processes(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failed(f'the {name} ended by itself with exit code {process.returncode}')

    def _show_progress(self) -> None:
        now = time.monotonic()
        if now - self.last_progress < 1.0:
            return
        self.last_progress = now
        status = self.observer.status
        print(f'{now - self.began:5.0f} s  {State(status.state).name.lower():14} '
              f'boxes accepted {status.boxes_accepted:6}  acknowledged {status.acknowledged:6}  '
              f'buffered {status.boxes_queued:5}', flush=True)

    # ---- the story

    def play(self) -> None:
        """Start everything, let operator and outage happen, and end it all in order."""
        self.began = time.monotonic()
        self.run_orchestrator()
        self.run('bridge', '--ros-args', '--log-level', 'error',
                 '-p', f'orchestrator_url:={self.url}', '-p', f'camera_id:={CAMERA_ID}')
        self.wait_for('the bridge is registered', lambda: self.observer.registered)
        self.run('camera', '--rate', str(self.arguments.rate),
                 '--boxes', str(self.arguments.boxes), '--report', str(self.report))
        self.wait_for('the camera publishes', lambda: self.observer.status.boxes_accepted > 0)
        while not self.stopping():
            duration = self.arguments.duration or 60.0
            away = min(self.arguments.outage, duration / 3)
            began = time.monotonic()
            self.operate()
            self.spin(began + (duration - away) / 2 - time.monotonic())
            if not self.stopping():
                self.fail(away)
            self.spin(began + duration - time.monotonic())
            if self.arguments.duration:
                return

    @property
    def report(self) -> pathlib.Path:
        """Where the camera writes what it has published and received."""
        return self.folder / 'camera.json'

    def operate(self) -> None:
        """Be the operator and the neighbouring camera."""
        work = self.loop_thread.submit(self._operate())
        try:
            self.wait_for('operator and neighbour have done their work', work.done)
            work.result()
        finally:
            work.cancel()

    async def _operate(self) -> None:
        origin = self.url.rpartition('/')[0]
        operator = await Operator.connect(origin + '/client')
        neighbour = await Operator.connect(origin + '/processor')
        await neighbour.send({'type': 'identifier', 'id': NEIGHBOUR_ID})
        # Clicks on two boxes of the newest frame on the screen, and shows one photograph.
        frame = await operator.wait_for(lambda fields: fields['type'] == 'boundingBoxes')
        first, second = frame['boxes'][0]['boxId'], frame['boxes'][-1]['boxId']
        starts: tuple[dict[str, Any], ...] = (
            {'frame_id': frame['frameId'], 'box_id': first},
            {'image': a_picture()},
            {'frame_id': frame['frameId'], 'box_id': second, 'image': a_picture()})
        ids = []
        for start in starts:
            ids.append(await operator.start(CAMERA_ID, **start))
            self.told['starts'] += 1
        # The neighbour speaks when it has heard of the object: no two maps cross on the way.
        await neighbour.wait_for(
            lambda fields: fields.get('objectId') == ids[2] and bool(fields.get('featureMap')))
        await neighbour.send(
            {'type': 'featureMap', 'objectId': ids[2], 'featureMap': [0.25] * 128})
        self.told['updates'] += 1
        await operator.stop(ids[0])
        self.told['stops'] += 1
        await operator.close()
        await neighbour.close()

    def fail(self, seconds: float) -> None:
        """Kill the orchestrator, and start it again on the same port."""
        port = int(self.url.rpartition(':')[2].partition('/')[0])
        print(f'       the orchestrator is killed for {seconds:g} s', flush=True)
        outage = Outage(time.time())
        reconnects = self.observer.status.reconnects
        process = self.processes.pop('orchestrator')
        process.kill()
        process.wait()
        self.forgotten = self.told['starts'] - self.told['stops']
        self.spin(seconds)
        self.run_orchestrator(port)
        outage.ended = time.time()
        print('       the orchestrator is back', flush=True)
        self.wait_for('the bridge is registered again', lambda: (
            self.observer.registered and self.observer.status.reconnects > reconnects))
        outage.registered = time.time()
        self.outages.append(outage)

    def settle(self) -> bool:
        """
        Let camera, bridge and orchestrator end in this order; return whether all was well.

        Prints the account.
        """
        self.stopping = lambda: False
        self.spin(1.0)  # for commands that are under way to the camera
        camera_code = self.end('camera')
        self.wait_for('the buffer is empty', lambda: (
            self.observer.registered and self.observer.status.boxes_queued == 0))
        # The last status is at most a second old.
        self.spin(1.2)
        bridge_code = self.end('bridge')
        self.end('orchestrator')
        return self._account() and camera_code == bridge_code == 0

    def _account(self) -> bool:
        camera = codec.loads(self.report.read_text())
        received = Received.from_journal(self.journal, CAMERA_ID)
        status = self.observer.status
        published = camera['frame_ids']
        lost = received.lost(published)
        dropped = sum(count.count for count in status.dropped)
        skip = (self.outages[0].began - 1.0, self.outages[-1].registered) if self.outages else None
        live = received.latencies(skip)
        told, forgotten = self.told, self.forgotten  # the bridge stops what was forgotten
        rows = [
            ('boxes messages published by the camera', len(published)),
            ('  received by the orchestrator', len(received.first_at)),
            ('  lost', len(lost)),
            ('  sent twice (in flight when the link broke)', received.repeats),
            ('  out of order', received.disorder),
            ('  dropped by the bridge', dropped),
            ('  buffered at most', status.boxes_queued_peak),
            ('starts: operator -> camera', f'{told["starts"]} -> {camera.get("starts", 0)}'),
            ('stops: operator + missed in the outage -> camera',
             f'{told["stops"]} + {forgotten} -> {camera.get("stops", 0)}'),
            ('feature maps: neighbour -> camera',
             f'{told["updates"]} -> {camera.get("updates", 0)}'),
            ('feature maps: camera -> orchestrator',
             f'{camera.get("feature_maps", 0)} -> {received.feature_maps}'),
            ('outages, reconnects', f'{len(self.outages)}, {status.reconnects}'),
            ('latency camera -> orchestrator, connected: p50, p99',
             f'{1e3 * quantile(live, 0.5):.1f} ms, {1e3 * quantile(live, 0.99):.1f} ms'),
        ]
        rows += [(
            'registered again after the orchestrator was back',
            f'{outage.registered - outage.ended:.1f} s') for outage in self.outages]
        print()
        for name, value in rows:
            print(f'{name:52} {value}')
        complete = (
            not lost and not dropped and not received.disorder
            and camera.get('starts', 0) == told['starts']
            and camera.get('stops', 0) == told['stops'] + forgotten
            and camera.get('updates', 0) == told['updates']
            and camera.get('feature_maps', 0) == received.feature_maps)
        verdict = 'all accounted for' if complete else 'NOT as it should be'
        print(f'\n{len(lost)} lost: {verdict}')
        return complete


def main(args: list[str] | None = None) -> int:
    """Run the demo; return 0 if nothing was lost."""
    arguments = _parser().parse_args(starting.own_arguments('demo', args))
    with _environment() as (observer, loop_thread, stopping), \
            tempfile.TemporaryDirectory(prefix='camera_ws_bridge_') as folder:
        demo = Demo(pathlib.Path(folder), arguments, observer, loop_thread, stopping)
        try:
            demo.play()
            return 0 if demo.settle() else 1
        except Failed as error:
            print(f'demo: {error}', file=sys.stderr)
            return 1
        finally:
            demo.kill_all()


@contextlib.contextmanager
def _environment() -> Iterator[tuple[Observer, LoopThread, Callable[[], bool]]]:
    """Enter a ROS domain of this process's own, on the loopback interface."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    starting.init('demo', None, signal_handler_options=SignalHandlerOptions.NO)
    observer = Observer()
    loop_thread = LoopThread()
    try:
        yield observer, loop_thread, lambda: bool(signals)
    finally:
        loop_thread.stop()
        observer.destroy_node()
        rclpy.try_shutdown()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='demo', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--duration', type=not_negative, default=24.0,
                        help='seconds of the story; 0: again and again until Ctrl-C (24)')
    parser.add_argument('--outage', type=not_negative, default=5.0,
                        help='seconds that the orchestrator is away in the middle (5)')
    parser.add_argument('--rate', type=positive, default=30.0, help='frames a second (30)')
    parser.add_argument('--boxes', type=count, default=20, help='boxes on each frame (20)')
    return parser


if __name__ == '__main__':
    sys.exit(main())
