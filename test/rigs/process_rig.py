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
The real bridge process between a ROS node and a simulated orchestrator, for process tests.

Everything waits on conditions; nothing here sleeps for a time that has to be long enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
import contextlib
import fcntl
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.ros import qos
from camera_ws_bridge.sim.loop_thread import LoopThread
from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from camera_ws_bridge_msgs.msg import Box, Boxes, Start, Status, Stop, TrackedObjects, Update
from diagnostic_msgs.msg import DiagnosticArray
import psutil
import rclpy
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from rigs.installed import executable
from rigs.proxy import Proxy
from std_srvs.srv import Trigger

LANDMARK = 0  # id of an object; the simulator's own begin at 1
MARKS = itertools.count(1)
PATIENCE = 30.0  # seconds; only a failing test ever waits so long
CAMERA_ID = 'cam-1'
LEFT: dict[int, contextlib.ExitStack] = {}  # what has to end with the use of a domain
FAST = {'reconnect_delay_min': 0.05, 'reconnect_delay_max': 0.2, 'stable_after': 0.2}


@contextlib.contextmanager
def own_domain() -> Iterator[int]:
    """Reserve a ROS domain that no other test process on this machine uses."""
    for domain in range(1, 101):
        path = os.path.join(tempfile.gettempdir(), f'camera_ws_bridge_domain_{domain}.lock')
        with open(path, 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            try:
                # A test that failed must not leave anybody who talks into the next one.
                with contextlib.ExitStack() as LEFT[domain]:
                    yield domain
            finally:
                del LEFT[domain]
            return
    raise RuntimeError('all ROS domains are in use')


class Probe:
    """A detector and re-ID node in the hands of the test."""

    def __init__(self, domain: int, bridge: str = 'camera_ws_bridge', namespace: str = '') -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('probe', namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        LEFT[domain].callback(self.close)
        self.bridge = bridge
        self.commands: list[Any] = []  # Start, Stop and Update in the order of their arrival
        self.status = Status()
        self.statuses: list[Status] = []
        self.tracked = TrackedObjects()
        self.diagnostics: list[DiagnosticArray] = []
        for message_type, name in ((Start, 'start'), (Stop, 'stop'), (Update, 'update')):
            self.node.create_subscription(
                message_type, f'{bridge}/{name}', self.commands.append, qos.commands(1000))
        self.node.create_subscription(
            Status, f'{bridge}/status', self._on_status, qos.commands(100))
        self.node.create_subscription(
            TrackedObjects, f'{bridge}/tracked_objects', self._on_tracked, qos.STATUS)
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self.diagnostics.append, 10)
        self.boxes = self.node.create_publisher(Boxes, 'boxes', QoSProfile(depth=1000))
        self.feature_map = self.node.create_publisher(
            Update, 'feature_map', QoSProfile(depth=1000))

    def _on_status(self, status: Status) -> None:
        self.status = status
        self.statuses.append(status)

    def _on_tracked(self, tracked: TrackedObjects) -> None:
        self.tracked = tracked

    def of(self, message_type: type) -> list[Any]:
        """Return the commands of one type."""
        return [command for command in self.commands if isinstance(command, message_type)]

    def wait(
            self, condition: Callable[[], object], what: str = 'the condition holds',
            patience: float = PATIENCE) -> None:
        """Let ROS work until the condition holds, for so many seconds at most."""
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, (
                f'waited {patience:g} s until {what}; now: {self.status}')
            self.executor.spin_once(timeout_sec=0.05)

    def wait_for_status(self, condition: Callable[[Status], object], what: str = '') -> None:
        """Wait until the newest status fulfils the condition."""
        self.wait(lambda: condition(self.status), what or 'the status fits')

    def wait_until_registered(self) -> None:
        """Wait until boxes can flow: the camera is registered, and topics are connected."""
        self.wait_for_status(lambda status: status.state in (
            Status.REGISTERED, Status.STABLE), 'the bridge is registered')
        self.wait_until_connected()

    def wait_until_connected(self) -> None:
        """Wait until both ends of the two topics to the bridge know of each other."""
        # A publisher may know a subscription that does not know it yet: only a message tells.
        accepted = self.status.boxes_accepted
        self.wait(lambda: self.boxes.get_subscription_count() > 0, 'boxes is subscribed')
        self.wait(lambda: self.feature_map.get_subscription_count() > 0,
                  'feature_map is subscribed')

        def arrived() -> bool:
            self.boxes.publish(boxes(-1.0))
            self.executor.spin_once(timeout_sec=0.2)
            return bool(self.status.boxes_accepted > accepted)
        self.wait(arrived, 'boxes arrive at the bridge')

    def publish_frames(self, frame_ids: Iterable[float]) -> None:
        """Publish frames of one box, no faster than the bridge takes them."""
        accepted = self.status.boxes_accepted
        for count, frame_id in enumerate(frame_ids, 1):
            self.boxes.publish(boxes(float(frame_id), box()))
            if count % 50 == 0:  # the subscription's queue holds 100
                self.wait_for_status(lambda status: status.boxes_accepted >= accepted + count)
        self.wait_for_status(lambda status: status.boxes_accepted >= accepted + count)

    def flush(self) -> None:
        """Wait until the bridge's side of DDS has everything that was published."""
        for publisher in (self.boxes, self.feature_map):
            assert publisher.wait_for_all_acked(Duration(seconds=PATIENCE))

    def call(self, service: str) -> Trigger.Response:
        """Call one of the bridge's services."""
        client = self.node.create_client(Trigger, f'{self.bridge}/{service}')
        self.wait(client.service_is_ready, f'{service} is there')
        future = client.call_async(Trigger.Request())
        self.wait(future.done, f'{service} answers')
        self.node.destroy_client(client)
        return future.result()

    def close(self) -> None:
        """Leave ROS, if that has not been done."""
        if self.context.ok():
            self.executor.shutdown()
            self.node.destroy_node()
            rclpy.try_shutdown(context=self.context)


class Orchestrator:
    """
    The simulator in a thread of its own; it can go and come back on the same port.

    Where it has a landmark, it tracks an object with a feature map, by which a bridge knows it
    again: without, what a bridge has buffered of feature maps may be of another life.
    """

    def __init__(
            self, loop_thread: LoopThread, landmark: bool = False, **arguments: Any) -> None:
        self._loop_thread = loop_thread
        self._landmark = landmark
        self._arguments = arguments
        self.received: list[str] = []  # from processors, over all its lives
        self.port = 0
        self.sim = self._new()

    def _new(self, objects: dict[int, Any] | None = None) -> OrchestratorSim:
        if objects is None:
            objects = {LANDMARK: [float(next(MARKS)), 0.5]} if self._landmark else {}

        async def start() -> OrchestratorSim:
            sim = OrchestratorSim(port=self.port, listener=self._hear, **self._arguments)
            sim.state.objects.update(objects)
            await sim.start()
            return sim
        sim = self._loop_thread.submit(start()).result(PATIENCE)
        self.port = sim.port
        return sim

    def _hear(self, connection: str, direction: str, text: str) -> None:
        if direction == 'to_orchestrator' and connection != 'operator':
            self.received.append(text)

    def die(self) -> None:
        """Break all connections and stop listening."""
        self._loop_thread.submit(self.sim.stop()).result(PATIENCE)

    def come_back(self, remembering: bool = False) -> None:
        """Listen again, having forgotten everything, unless it was not dead in truth."""
        self.sim = self._new(self.sim.state.objects if remembering else None)

    def do(self, order: str, **arguments: Any) -> None:
        """Give an order, as /control takes it."""
        async def obey() -> None:
            self.sim.control({'do': order, **arguments})
        self._loop_thread.submit(obey()).result(PATIENCE)

    def send(self, *texts: str) -> None:
        """Send texts to the camera."""
        for text in texts:
            self.do('send', camera=CAMERA_ID, text=text)

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Return what came of one type, decoded; probing frames are left out."""
        decoded = [strict_json.loads(text) for text in list(self.received)]
        return [message for message in decoded
                if message['type'] == kind and message.get('frameId') != -1.0]

    def frame_ids(self) -> list[float]:
        """Return the frame ids of all boxes that came, in order."""
        return [message['frameId'] for message in self.messages('boundingBoxes')]


@contextlib.contextmanager
def serving(**arguments: Any) -> Iterator[Orchestrator]:
    """Run a simulated orchestrator alone, in a thread of its own."""
    loop_thread = LoopThread()
    orchestrator = Orchestrator(loop_thread, **arguments)
    try:
        yield orchestrator
    finally:
        orchestrator.die()
        loop_thread.stop()


class Process:
    """The bridge as a process."""

    def __init__(
            self, domain: int, log: pathlib.Path, *ros_arguments: str,
            environment: dict[str, str] | None = None, command: Sequence[str] = ('bridge',),
            **parameters: Any) -> None:
        arguments = list(ros_arguments)
        for name, value in parameters.items():
            arguments += ['-p', f'{name}:={_yaml(value)}']
        self._log = log
        without = {'ORCHESTRATOR_URL', 'CAMERA_ID'}
        self._process = subprocess.Popen(
            [executable(command[0]), *command[1:], '--ros-args', *arguments],
            stdout=log.open('w'), stderr=subprocess.STDOUT,
            env={**{key: value for key, value in os.environ.items() if key not in without},
                 'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
                 'PYTHONUNBUFFERED': '1', **(environment or {})})
        self.info = psutil.Process(self._process.pid)
        LEFT[domain].callback(self.kill)

    @property
    def log(self) -> str:
        """Return what it has printed so far."""
        return self._log.read_text()

    @property
    def alive(self) -> bool:
        """Return whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.alive:
            self._process.kill()
            self.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Return its exit code."""
        return self._process.wait(timeout)

    def end(self) -> int:
        """Interrupt it and return its exit code."""
        if self.alive:
            self.signal(signal.SIGINT)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.wait()
            raise


class Rig:
    """Probe, bridge, proxy and orchestrator, connected and registered."""

    def __init__(
            self, domain: int, folder: pathlib.Path, loop_thread: LoopThread,
            parameters: dict[str, Any], orchestrator: dict[str, Any], through_proxy: bool,
            environment: dict[str, str] | None) -> None:
        self.domain = domain
        self.folder = folder
        self.loop_thread = loop_thread
        self.orchestrator = Orchestrator(loop_thread, **orchestrator)
        self.proxy = Proxy(loop_thread, self.orchestrator.port)
        url = self.orchestrator.sim.url
        if through_proxy:
            # By name, as certificates need it.
            url = url.replace(
                f'127.0.0.1:{self.orchestrator.port}', f'localhost:{self.proxy.port}')
        self.parameters = {'orchestrator_url': url, 'camera_id': CAMERA_ID, **parameters}
        self.probe = Probe(domain)
        self.process = Process(
            domain, folder / 'bridge.log', environment=environment, **self.parameters)

    def wait(self, condition: Callable[[], object], what: str = 'the condition holds') -> None:
        """Wait until the condition holds, and fail at once if the bridge has ended."""
        def holds() -> bool:
            assert self.process.alive, f'the bridge has ended:\n{self.process.log}'
            return bool(condition())
        self.probe.wait(holds, what)


@contextlib.contextmanager
def running(
        folder: pathlib.Path, *, orchestrator: dict[str, Any] | None = None,
        through_proxy: bool = False, environment: dict[str, str] | None = None,
        **parameters: Any) -> Iterator[Rig]:
    """Run a rig; whoever does not end its bridge with code 0 fails."""
    loop_thread = LoopThread()
    with own_domain() as domain:
        rig = Rig(
            domain, folder, loop_thread, {**FAST, **parameters}, orchestrator or {},
            through_proxy, environment)
        try:
            rig.probe.wait_until_registered()
            yield rig
            if rig.process.alive:
                assert rig.process.end() == 0, rig.process.log
        except BaseException:
            print(rig.process.log, file=sys.stderr)
            raise
        finally:
            if rig.process.alive:
                rig.process.signal(signal.SIGKILL)
                rig.process.wait()
            rig.probe.close()
            rig.proxy.close()
            rig.orchestrator.die()
            loop_thread.stop()


def boxes(frame_id: float, *found: Box, stamp: tuple[int, int] = (0, 0)) -> Boxes:
    """Return a boxes message."""
    message = Boxes(frame_id=frame_id, boxes=list(found))
    message.header.stamp.sec, message.header.stamp.nanosec = stamp
    return message


def box(box_id: int = 0, **fields: Any) -> Box:
    """Return a box with sensible values."""
    return Box(**{'box_id': box_id, 'rect': [0.1, 0.25, 0.2, 0.75], 'object_type': 'person',
                  'certainty': 0.87, **fields})


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
