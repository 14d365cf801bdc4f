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

"""The parts of a soak: publisher, bridge process, proxy and simulated orchestrator."""

from __future__ import annotations

from collections.abc import Callable
import json
import pathlib
import shutil
import signal
import threading
import time
from typing import Any

from camera_ws_bridge.buffer.spool.spool import Spool
from camera_ws_bridge.sim.ledger import BOXES, Ledger, Message, message_of, UPDATES
from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from camera_ws_bridge_msgs.msg import Update
from rigs import process_rig as rigs
from rigs.proxy import Proxy
from std_srvs.srv import Trigger

RATE = 40.0  # messages a second
UPDATE_EVERY = 10  # messages
WINDOW = 80  # messages published and not yet accepted: DDS keeps 100
OBJECTS = 50
PATIENCE = 120.0  # seconds; only a soak that fails waits so long
RSS_ALLOWANCE = 32 * 2**20  # bytes above what a bridge takes once it is connected
PARAMETERS = {
    **rigs.FAST, 'camera_id': rigs.CAMERA_ID, 'connect_timeout': 0.0, 'heartbeat_interval': 0.5,
    'heartbeat_timeout': 2.0, 'identify_interval': 5.0, 'boxes_max_messages': 600,
    'updates_max_messages': 200}


class Failed(Exception):
    """The bridge did what it must not do."""


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failed(f'waited {PATIENCE:g} s until {what}')
        time.sleep(0.02)


def counted(text: str | bytes) -> Message | None:
    """Return which message a text is; None for those that only probe the connection."""
    message = message_of(json.loads(text))
    return message if message is not None and message[1] > 0 else None


class Orchestrator(rigs.Orchestrator):
    """
    The simulator; it enters what arrives into the ledger and keeps nothing.

    In each life it tracks the same ids at once, as if others had clicked. The feature map of the
    landmark says which life it is.
    """

    def __init__(self, loop_thread: rigs.LoopThread, ledger: Ledger) -> None:
        self._ledger = ledger
        self._life = 0
        super().__init__(loop_thread)

    def _new(self, objects: dict[int, Any] | None = None) -> OrchestratorSim:
        self._life += 1
        return super()._new({
            rigs.LANDMARK: [float(self._life), 0.5],
            **{1 + index: {} for index in range(OBJECTS)}})

    def _hear(self, connection: str, direction: str, text: str) -> None:
        if direction == 'to_orchestrator':
            fields = json.loads(text)
            message = message_of(fields)
            if message is not None and message[1] > 0:
                self._ledger.receive(message, life=self._life, names_objects=(
                    message[0] == UPDATES or any('objectId' in box for box in fields['boxes'])))


class Publisher:
    """Detector and re-ID node of one life of the bridge, in a thread; it samples its memory."""

    def __init__(self, domain: int, ledger: Ledger, numbers: dict[str, int],
                 lives: dict[int, int], process: rigs.Process) -> None:
        self.probe = rigs.Probe(domain)
        self.connected = threading.Event()
        self.flowing = False
        self.burst = 0  # messages to publish at once
        self.rss = 0
        self.rss_peak = 0
        self.error: BaseException | None = None
        self._ledger = ledger
        self._numbers = numbers
        self._lives = lives  # of the orchestrator, by the bridge's session
        self._process = process
        self._accepted_before = 0
        self._published = 0
        self._clear = self.probe.node.create_client(Trigger, 'camera_ws_bridge/clear_buffer')
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def accepted(self) -> int:
        """Return how many of our messages the bridge has accepted or rejected, by its status."""
        status = self.probe.status
        return (status.boxes_accepted + status.updates_accepted + self.former
                - self._accepted_before)

    @property
    def former(self) -> int:
        """Return how many feature maps the bridge has rejected for their former session."""
        return sum(count.count for count in self.probe.status.rejected_outbound
                   if count.cause == 'former_session')

    @property
    def all_accepted(self) -> bool:
        """Return whether nothing is on the way to the bridge."""
        return self.accepted >= self._published

    @property
    def drained(self) -> bool:
        """Return whether nothing is on the way to the bridge or in it, in one status."""
        status = self.probe.status
        return self.all_accepted and not (status.boxes_queued + status.updates_queued)

    def clear(self) -> None:
        """Call ~/clear_buffer."""
        until(self._clear.service_is_ready, 'clear_buffer is there')
        future = self._clear.call_async(Trigger.Request())
        until(future.done, 'clear_buffer answers')

    def end(self) -> None:
        """Leave ROS."""
        self._stop = True
        self._thread.join(PATIENCE)
        self.probe.close()
        if self.error is not None:
            raise Failed(f'{type(self.error).__name__}: {self.error}')

    def _run(self) -> None:
        try:
            self._connect()
            next_at = time.monotonic()
            while not self._stop:
                now = time.monotonic()
                if self._published - self.accepted < WINDOW:
                    if self.burst:
                        self.burst -= 1
                        self._publish_next(now)
                    elif self.flowing and now >= next_at:
                        next_at = max(next_at + 1 / RATE, now - 0.5)
                        self._publish_next(now)
                self.probe.executor.spin_once(timeout_sec=0.0 if self.burst else 0.01)
                self._sample_memory()
        except BaseException as error:  # noqa: B902 - for the director to raise
            self.error = error

    def _connect(self) -> None:
        """Get through to both subscriptions, then learn from where on acceptance counts."""
        probe = self.probe
        # A process takes its time to begin where others keep the machine busy.
        probe.wait(lambda: probe.status.camera_id, 'the bridge is up', PATIENCE)
        probe.wait_until_connected()
        before = probe.status.updates_accepted

        def arrived() -> bool:
            probe.feature_map.publish(Update(object_id=1 + OBJECTS, feature_map=[-1.0]))
            probe.executor.spin_once(timeout_sec=0.2)
            return bool(probe.status.updates_accepted > before)
        probe.wait(arrived, 'feature maps arrive at the bridge')
        probe.flush()
        counted: list[str] = []

        def steady() -> bool:  # over two reports, which come once a second
            if probe.diagnostics:
                report = probe.diagnostics.pop().status[0]
                values = {pair.key: pair.value for pair in report.values}
                probe.diagnostics.clear()
                counted.append(f'{values["boxes_accepted"]} {values["updates_accepted"]}')
            return len(counted) >= 2 and counted[-1] == counted[-2]
        probe.wait(steady, 'the probing is over')
        self._accepted_before = sum(map(int, counted[-1].split()))
        probe.wait_for_status(lambda status: (
            status.boxes_accepted + status.updates_accepted >= self._accepted_before))
        self.rss = self.rss_peak = self._process.info.memory_info().rss
        self.connected.set()

    def _publish_next(self, now: float) -> None:
        self._published += 1
        session, life = self._session_and_life()
        kind = BOXES if self._published % UPDATE_EVERY or not life else UPDATES
        self._numbers[kind] = number = self._numbers.get(kind, 0) + 1
        self._ledger.publish((kind, number), now, life)
        object_id = 1 + number % OBJECTS
        if kind == BOXES:
            found = rigs.box(1, object_id=object_id) if life else rigs.box(1)
            message = rigs.boxes(float(number), rigs.box(), found)
            message.session = session
            self.probe.boxes.publish(message)
        else:
            self.probe.feature_map.publish(Update(
                session=session, object_id=object_id,
                feature_map=[float(number), *[0.125] * 127]))

    def _session_and_life(self) -> tuple[int, int]:
        """Return the session that was told last, and the life that it stands for; 0: not known."""
        tracked = self.probe.tracked
        for known in tracked.objects:
            if known.object_id == rigs.LANDMARK and known.feature_map:
                self._lives[tracked.session] = int(known.feature_map[0])
        return tracked.session, self._lives.get(tracked.session, 0)

    def _sample_memory(self) -> None:
        self.probe.statuses.clear()
        self.probe.diagnostics.clear()
        self.probe.commands.clear()
        if self._process.alive:
            try:
                self.rss_peak = max(self.rss_peak, self._process.info.memory_info().rss)
            except rigs.psutil.Error:  # it ends in this very moment
                pass


class Stage:
    """All parts together, and what the director may do with them."""

    def __init__(self, folder: pathlib.Path, domain: int) -> None:
        self.ledger = Ledger()
        self.lives = 0
        self.peak_rss = 0
        self.peak_growth = 0
        self._folder = folder
        self._domain = domain
        self._numbers: dict[str, int] = {}
        self._lives: dict[int, int] = {}
        self._loop_thread = rigs.LoopThread()
        self.orchestrator = Orchestrator(self._loop_thread, self.ledger)
        self.proxy = Proxy(self._loop_thread, self.orchestrator.port)
        self._spool = folder / 'spool' / 'gate.sqlite'
        self.start_bridge()

    def start_bridge(self, spool: bool = True) -> None:
        """Start a bridge and let messages flow."""
        self.lives += 1
        self.ledger.new_life()
        self.process = rigs.Process(
            self._domain, self._folder / f'bridge-{self.lives}.log',
            orchestrator_url=f'ws://127.0.0.1:{self.proxy.port}/processor',
            spool_path=str(self._spool) if spool else '',
            environment={'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}, **PARAMETERS)
        self.publisher = Publisher(
            self._domain, self.ledger, self._numbers, self._lives, self.process)
        self.wait(self.publisher.connected.is_set, 'the bridge has started')
        self.publisher.flowing = True

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds, and fail at once if the bridge or its peer has ended."""
        def holds() -> bool:
            if self.publisher.error is not None:
                raise Failed(f'publisher: {self.publisher.error}')
            if not self.process.alive:
                raise Failed(f'the bridge has ended with {self.process.wait()}')
            return bool(condition())
        until(holds, what)

    def settle(self) -> None:
        """Let the buffer run empty, and compare what is missing with what was dropped."""
        self.publisher.flowing = False
        self.wait(lambda: not self.publisher.burst and self.publisher.drained,
                  f'the buffer is empty: {self.publisher.probe.status}')
        status = self.publisher.probe.status
        self.ledger.settle({
            **{count.cause: count.count for count in status.dropped},
            'updates_rejected_former_session': self.publisher.former})
        self.publisher.flowing = True

    def terminate(self) -> None:
        """End the bridge with SIGTERM; what it has accepted is in the spool, or has arrived."""
        self.publisher.flowing = False
        self.wait(lambda: not self.publisher.burst and self.publisher.all_accepted,
                  'all is accepted')
        self.process.signal(signal.SIGTERM)
        code = self.process.wait()
        if code:
            raise Failed(f'SIGTERM ended the bridge with {code}')
        self._bury()

    def kill(self) -> None:
        """End the bridge with SIGKILL, in the middle of everything."""
        at = time.monotonic()
        self.publisher.flowing = False
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        self._bury()
        # What had arrived at the kernel is the orchestrator's.
        self.proxy.drop()
        self.ledger.kill(at, {*self.in_spool()})

    def in_spool(self) -> list[Message]:
        """Return what a copy of the spool holds, which stays as it is."""
        copies = self._folder / 'copies'
        copies.mkdir(mode=0o700)
        try:
            for path in self._spool.parent.glob(self._spool.name + '*'):
                if not path.name.endswith('.lock'):
                    shutil.copy(path, copies / path.name)
            copy = Spool.open(str(copies / self._spool.name), 2**27)
            if copy.report:
                raise Failed(copy.report)
            rows = [counted(row.payload) for row in copy.load()]
            copy.close()
            return [message for message in rows if message is not None]
        finally:
            shutil.rmtree(copies)

    def close(self) -> None:
        """End all that is left."""
        self.process.kill()
        self.proxy.close()
        self.orchestrator.die()
        self._loop_thread.stop()

    def _bury(self) -> None:
        self.publisher.end()
        self.peak_rss = max(self.peak_rss, self.publisher.rss_peak)
        self.peak_growth = max(self.peak_growth, self.publisher.rss_peak - self.publisher.rss)
        log = self.process.log
        for sign in ('Traceback', 'internal error'):
            if sign in log:
                raise Failed(f'the log of life {self.lives} holds {sign!r}:\n{log[-2000:]}')
