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
Injects faults into a running bridge, and compares after each what was sent and received.

    with faulty(folder, ...) as bridge:
        with bridge.fault('peer resets the connection') as fault:
            bridge.proxy.reset()
            fault.healed()

Boxes and feature maps with ids of their own flow while the body runs. When it ends, everything is
drained, and whatever the fault was:

    accepted = received (each counted once) + dropped with a cause; only where messages may be
        dropped, one that was in flight when the link broke may count as both (sim/ledger.py)
    first arrivals of each type are in the order of publication
    the queue was inside its bounds, at every Status
    memory is back at what it was, plus a declared allowance
    no callback of ROS was blocked: p99 below 50 ms, or 500 ms where the machine has more to do
        than processors (see monitor.py)
    nothing unhandled is in the log, and the process lives
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import pathlib
import re
import ssl
import threading
import time
from typing import Any

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.ledger import BOXES, Ledger, message_of, UPDATES
from camera_ws_bridge.sim.orchestrator import journal
from camera_ws_bridge_msgs.msg import Status, Update
from hostile import Behaviour, HostileServer
import monitor
from rigs import process_rig as rigs
from rigs.fault_results import record

RATE = 50.0  # messages a second while a fault is on
IN_FLIGHT = 90  # messages that DDS has and the bridge has not accepted; its queue holds 100
OBJECTS = 20
LEAST = 40  # messages that a fault is judged by
MEASURED = 2.0  # seconds that a percentile is made of, at least
MIB = 2**20
QUICK = {'heartbeat_interval': 0.5, 'heartbeat_timeout': 2.0, 'reconnect_delay_min': 0.01,
         'reconnect_delay_max': 0.05, 'stable_after': 0.0, 'open_timeout': 1.0}
ALLOWANCE = 8 * MIB  # bytes of memory that a fault may leave behind
UNHANDLED = re.compile(
    'internal error|Traceback|Exception|never retrieved|was destroyed|was never awaited')


class Stream(threading.Thread):
    """Publishes frames, and a feature map with every fifth, no faster than they are accepted."""

    def __init__(self, bridge: Bridge, rate: float, boxes_a_frame: int, unpaced: bool) -> None:
        super().__init__(daemon=True)
        self._bridge = bridge
        self._rate = rate
        self._boxes = [rigs.box(number) for number in range(boxes_a_frame)]
        self._unpaced = unpaced
        self._ended = threading.Event()
        self._before = bridge.accepted
        self.ledger = Ledger()
        self.lock = threading.Lock()

    @property
    def published(self) -> int:
        """Return how many messages it has published."""
        return len(self.ledger.published)

    def run(self) -> None:
        """Publish until ended; a rate of 0 publishes nothing."""
        bridge = self._bridge
        while self._rate and not self._ended.wait(1 / self._rate):
            waiting = self.published - (bridge.accepted - self._before)
            if waiting > IN_FLIGHT and not self._unpaced:
                continue
            with self.lock:
                bridge.next_id += 1
                if bridge.next_id % 5 == 0:
                    self.ledger.publish((UPDATES, bridge.next_id))
                    bridge.publish_update(bridge.next_id)
                else:
                    self.ledger.publish((BOXES, bridge.next_id))
                    bridge.publish_boxes(bridge.next_id, self._boxes)

    def end(self) -> None:
        """Stop publishing."""
        self._ended.set()
        self.join()


class Fault:
    """What is known of one fault while it is on."""

    def __init__(self, bridge: Bridge, name: str, stream: Stream) -> None:
        self.name = name
        self.began = time.monotonic()
        self.first_id = bridge.next_id + 1
        self.before = bridge.probe.status
        self.log_at = len(bridge.process.log)
        self.status_at = len(bridge.probe.statuses)
        self.received_at = len(bridge.received)
        self.back_after: float | None = None
        self.measured = ''  # what else is to be told, in words with figures
        self._bridge = bridge
        self.stream = stream

    def healed(self) -> None:
        """Say that the cause is gone: wait until something arrives again, and take the time."""
        began, arrived = time.monotonic(), len(self._bridge.received)
        self._bridge.wait(
            lambda: len(self._bridge.received) > arrived, f'something arrives after {self.name}')
        self.back_after = time.monotonic() - began

    @property
    def log(self) -> str:
        """Return what the bridge has logged since the fault began."""
        return self._bridge.process.log[self.log_at:]


class Bridge:
    """The rig, with faults."""

    def __init__(self, rig: rigs.Rig) -> None:
        self.rig = rig
        self.probe = rig.probe
        self.proxy = rig.proxy
        self.orchestrator = rig.orchestrator
        self.process = rig.process
        self.next_id = 0
        self.received = rig.orchestrator.received
        self._ticks = rig.folder / 'ticks'
        self._last: Stream | None = None

    def warm_up(self) -> None:
        """Let caches fill and buffers grow once, so that memory is judged by what comes then."""
        stream = Stream(self, 200.0, 1, unpaced=False)
        stream.start()
        self.wait(lambda: stream.published >= 100)
        self.proxy.drop()
        self.wait(lambda: stream.published >= 300)
        stream.end()
        self._drain(stream)

    @property
    def accepted(self) -> int:
        """Return how many messages the bridge has accepted, by the newest status."""
        status = self.probe.status
        return int(status.boxes_accepted + status.updates_accepted)

    def wait(self, condition: Callable[[], object], what: str = 'the condition holds') -> None:
        """Wait until the condition holds, and fail at once if the bridge has ended."""
        self.rig.wait(condition, what)

    def wait_for_cause(self, fault: Fault, *causes: str) -> None:
        """Wait until a status since the fault began has named one of these causes."""
        def named() -> bool:
            return any(status.cause.split(':')[0] in causes and status.state == Status.CONNECTING
                       for status in self.probe.statuses[fault.status_at:])
        self.wait(named, f'a cause is one of {causes}: {self.probe.status}')

    def publish_boxes(self, number: int, boxes: list[Any]) -> None:
        """Publish a frame with this id."""
        self.probe.boxes.publish(rigs.boxes(float(number), *boxes))

    def publish_update(self, number: int, length: int = 2) -> None:
        """Publish a feature map that begins with this id."""
        self.probe.feature_map.publish(Update(
            object_id=1 + number % OBJECTS, feature_map=[float(number)] + [0.5] * (length - 1)))

    def publish_extra_update(self, length: int) -> int:
        """Publish one more feature map within a fault's stream, so long; return its id."""
        assert self._last is not None
        with self._last.lock:
            self.next_id += 1
            self._last.ledger.publish((UPDATES, self.next_id))
            self.publish_update(self.next_id, length)
            return self.next_id

    def take_journal(self, path: pathlib.Path) -> None:
        """Note what an orchestrator process has received, which is dead by now."""
        self.received += [entry.text for entry in journal.received(path)]

    def rss(self) -> int:
        """Return the bridge's memory in bytes."""
        return int(self.process.info.memory_info().rss)

    @contextlib.contextmanager
    def hostile(
            self, behave: Behaviour | None,
            tls: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
        """Put a hostile server in the place of the orchestrator, and break the connection."""
        server = HostileServer(self.rig.loop_thread, behave, self.received, tls)
        self.proxy.target = server.port
        self.proxy.reset()
        try:
            yield server
        finally:
            self.proxy.target = self.orchestrator.port
            self.proxy.reset()
            server.close()

    @contextlib.contextmanager
    def fault(
            self, name: str, *, rate: float = RATE, boxes_a_frame: int = 1,
            allowance: int = ALLOWANCE, drops: bool = False, unpaced: bool = False,
            callback_limit: float = monitor.CALLBACK_P99) -> Iterator[Fault]:
        """
        Stream messages while the body injects a fault; then drain, and assert the account.

        rate: messages a second; unpaced: even if the bridge does not keep up; drops: whether
        messages may be given up; allowance: bytes of memory that it may cost for good;
        callback_limit: seconds that callbacks may wait (p99).
        """
        if self._last is not None:
            self._drain(self._last)  # of a fault that failed half-way
        rss = self.rss()
        self._last = stream = Stream(self, rate, boxes_a_frame, unpaced)
        fault = Fault(self, name, stream)
        stream.start()
        try:
            yield fault
            self.wait(lambda: stream.published >= min(LEAST, 100 * rate), 'enough is published')
        finally:
            stream.end()
        self._drain(stream)
        self.wait(lambda: time.monotonic() > fault.began + MEASURED, 'enough is measured')
        self._settle(fault, rss, drops, allowance, callback_limit)

    def _drain(self, stream: Stream) -> None:
        published = stream.published

        def drained() -> bool:
            status = self.probe.status
            lost_by_dds = stream._unpaced and idle()
            return bool(
                status.boxes_queued == status.updates_queued == 0
                and (self.accepted - stream._before >= published or lost_by_dds))

        changed = [0.0, -1]

        def idle() -> bool:
            if self.accepted != changed[1]:
                changed[:] = [time.monotonic(), self.accepted]
            return time.monotonic() - changed[0] > 2.5  # a status comes once a second
        self.wait(drained, f'{published} messages are drained: {self.probe.status}')

    def _settle(
            self, fault: Fault, rss: int, drops: bool, allowance: int,
            callback_limit: float) -> None:
        # The bridge gives memory back once a second.
        with contextlib.suppress(AssertionError):  # below it fails with the whole account
            self.wait(lambda: self.rss() - rss <= allowance)
        status, before = self.probe.status, fault.before
        accepted = {BOXES: int(status.boxes_accepted - before.boxes_accepted),
                    UPDATES: int(status.updates_accepted - before.updates_accepted)}
        dropped = _difference(status.dropped, before.dropped)
        ledger = fault.stream.ledger
        for text in self.received[fault.received_at:]:
            message = message_of(strict_json.loads(text))
            if message is not None and message[1] >= fault.first_id:
                ledger.receive(message)
        ledger.settle(dropped, accepted)
        duration = time.monotonic() - fault.began
        ticks = monitor.read(self._ticks, fault.began)
        blocked = monitor.wait_percentile([tick.blocked for tick in ticks], duration)
        result = {
            'accepted': sum(accepted.values()), 'received': len(ledger.arrived),
            'repeated': ledger.repeated, 'dropped': dropped,
            'back_after': fault.back_after, 'duration': duration,
            'rss_growth': self.rss() - rss,
            'rss_peak': max(tick.rss for tick in ticks) - rss, 'callback_p99': blocked,
            'callback_p99_with_machine': monitor.wait_percentile(
                [tick.late for tick in ticks], duration),
            'callback_limit': monitor.limit(callback_limit)}
        record(fault.name, fault.measured, **result)
        # What was in flight when a link broke may have arrived, and be dropped before the repeat;
        # or arrive late, from buffers that an older connection has left behind.
        both = ledger.dropped_yet_arrived
        assert 0 <= both <= (sum(dropped.values()) if drops else 0), result
        assert result['accepted'] and (drops or not dropped), result
        wrong = ledger.faults()
        assert len(wrong.pop('out of order', ())) <= both and not wrong, (ledger.faults(), result)
        for each in self.probe.statuses[fault.status_at:]:
            self._check_bounds(each)
        assert result['rss_growth'] <= allowance, result
        assert blocked < result['callback_limit'], f'callbacks were blocked: {result}'
        assert not UNHANDLED.search(fault.log), fault.log
        assert self.process.alive

    def _check_bounds(self, status: Status) -> None:
        parameters = self.rig.parameters
        assert status.boxes_queued <= parameters.get('boxes_max_messages', 20000)
        assert status.boxes_queued_bytes <= parameters.get('boxes_max_bytes', 64 * MIB)
        assert status.updates_queued <= parameters.get('updates_max_messages', 1000)
        assert status.updates_queued_bytes <= parameters.get('updates_max_bytes', 16 * MIB)
        dropped = sum(count.count for count in status.dropped)
        assert status.boxes_accepted + status.updates_accepted == (
            status.acknowledged + status.boxes_queued + status.updates_queued + dropped), status


@contextlib.contextmanager
def faulty(
        folder: pathlib.Path, *, resolver: pathlib.Path | None = None,
        **arguments: Any) -> Iterator[Bridge]:
    """
    Run a bridge that is connected through the proxy; arguments are those of rig.running.

    resolver: file that tells how host names resolve (see inside/sitecustomize.py).
    """
    environment = monitor.environment(folder / 'ticks', resolver)
    environment.update(arguments.pop('environment', {}))
    with rigs.running(
            folder, orchestrator={'landmark': True, **arguments.pop('orchestrator', {})},
            through_proxy=True, environment=environment, **arguments) as rig:
        bridge = Bridge(rig)
        bridge.warm_up()
        yield bridge
    # `running` has asserted exit code 0.
    assert not UNHANDLED.search(rig.process.log), rig.process.log


def _difference(after: list[Any], before: list[Any]) -> dict[str, int]:
    old = {count.cause: int(count.count) for count in before}
    return {count.cause: int(count.count) - old.get(count.cause, 0) for count in after
            if count.count > old.get(count.cause, 0)}
