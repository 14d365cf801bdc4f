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

"""The two threads and the crossing between them, without ROS."""

import asyncio
from collections import Counter
import concurrent.futures
import json
import subprocess
import sys
import threading
import time

from camera_ws_bridge import client, wire
from camera_ws_bridge.backoff import Backoff
from camera_ws_bridge.errors import EncodeError, LinkFault
from camera_ws_bridge.frame_stamps import FrameStamps
from camera_ws_bridge.link import Link, Settings, State
from camera_ws_bridge.messages import Boxes, Start, Stop, Update
from camera_ws_bridge.outbox import Outbox, Policy
from camera_ws_bridge.runtime import Bridge, LoopThread, MAX_WAITING
from camera_ws_bridge.session import Session
from camera_ws_bridge.sim.orchestrator import OrchestratorSim
import pytest
from raw_peer import CLOSE, frame, PING, PONG, serving, TEXT
from shared import Recorder, WAIT

STAMP = (12, 34)


def until(condition):
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit, 'it did not happen'
        time.sleep(0.005)


class Rig:
    """A bridge, and what it calls back."""

    def __init__(self, loop_thread, connect, boxes=Policy(100_000, 2**26), **settings):
        self.loop_thread = loop_thread
        self.logger = Recorder()
        self.published = []
        self.tracked = []  # ids, as often as they were published
        self.reports = []
        self.ends = []
        self.wakes = 0
        self.threads = set()
        link = Link(
            Settings('front-door', **settings), Outbox(boxes, Policy(1000, 2**20)), Session(),
            Backoff(0.01, 0.1, 2.0, lambda: 0.5), connect=connect, clock=time.monotonic,
            logger=self.logger, on_command=lambda command: self.bridge.publish(command),
            on_state=lambda: self.bridge.state_changed())
        wake = link.wake

        def counted():
            self.wakes += 1
            wake()
        link.wake = counted
        self.bridge = Bridge(
            link, FrameStamps(1000), loop_thread, self.logger,
            publish=lambda command, stamp: self._note(self.published, (command, stamp)),
            publish_tracked=lambda: self._note(self.tracked, set(link.session.tracked)),
            report=lambda changed: self._note(self.reports, changed),
            on_end=lambda fault: self._note(self.ends, fault))

    def start(self):
        self.bridge.begin()
        self.bridge.connect()

    @property
    def tasks(self):
        return [self.bridge._reporting, self.bridge._linking]

    def _note(self, notes, value):
        self.threads.add(threading.current_thread().name)
        notes.append(value)

    def submit(self, frame_id):
        payload = wire.encode_utf8(Boxes(frame_id))
        self.bridge.submit_boxes(frame_id, STAMP, payload)

    def settle(self):
        """Wait until the loop has handled all that was submitted."""
        async def nothing():
            pass
        self.loop_thread.submit(nothing()).result(WAIT)

    def queued(self):
        self.settle()
        return [json.loads(item.payload)['frameId'] for item in self.bridge.outbox.boxes.queued]


async def nobody(timeout):
    await asyncio.Event().wait()


@pytest.fixture
def loop_thread():
    thread = LoopThread()
    yield thread
    thread.stop()
    assert not thread._thread.is_alive()
    thread.loop.close()


@pytest.fixture
def rig(loop_thread):
    """Return a bridge that never gets a connection."""
    return Rig(loop_thread, nobody)


class Orchestrator:
    """Answers pings, notes text messages; can stop reading. Runs in the bridge's loop."""

    def __init__(self, loop_thread):
        self._loop_thread = loop_thread
        self._context = serving(self._behave)
        self.texts = []
        self.closes = []
        self.reading = True
        self.peer = None
        self.server = loop_thread.submit(self._context.__aenter__()).result(WAIT)

    async def _behave(self, peer):
        await peer.upgrade()
        self.peer = peer
        while self.reading:
            opcode, payload = await peer.read_frame()
            if opcode == TEXT:
                self.texts.append(json.loads(payload))
            elif opcode == PING:
                await peer.send(frame(PONG, payload))
            elif opcode == CLOSE:
                self.closes.append(int.from_bytes(payload[:2], 'big'))
                await peer.send(frame(CLOSE, payload))
                peer.writer.close()
                return

    async def connect(self, timeout):
        return await client.connect(self.server.url, client.Options(), None, timeout)

    def say(self, message):
        async def send():
            await self.peer.send(frame(TEXT, wire.encode_utf8(message)))
        self._loop_thread.submit(send()).result(WAIT)

    def frames(self):
        return [text['frameId'] for text in self.texts if text['type'] == 'boundingBoxes']

    def stop(self):
        self._loop_thread.submit(self._context.__aexit__(None, None, None)).result(WAIT)


@pytest.fixture
def orchestrator(loop_thread):
    server = Orchestrator(loop_thread)
    yield server
    server.stop()


# ---- LoopThread

def test_coroutine_runs_in_the_loops_own_thread(loop_thread):
    async def where():
        return threading.current_thread()

    thread = loop_thread.submit(where()).result(WAIT)
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_exception_of_a_coroutine_comes_back(loop_thread):
    async def fail():
        raise KeyError('oops')

    with pytest.raises(KeyError):
        loop_thread.submit(fail()).result(WAIT)


# ---- from ROS to the buffer

def test_order_is_kept_per_thread(rig):
    def submit(thread):
        for number in range(500):
            rig.submit(float(1000 * thread + number))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queued = rig.queued()
    for number in range(4):
        expected = [1000 * number + index for index in range(500)]
        assert [frame_id for frame_id in queued if frame_id // 1000 == number] == expected
    assert len(queued) == rig.bridge.outbox.boxes.accepted == 2000


def test_one_wake_up_per_burst(rig, monkeypatch):
    loop = rig.loop_thread.loop
    call_soon_threadsafe = loop.call_soon_threadsafe
    calls = []

    def counted(*arguments, **keywords):
        calls.append(arguments)
        return call_soon_threadsafe(*arguments, **keywords)

    busy, go_on = threading.Event(), threading.Event()

    def block():
        busy.set()
        go_on.wait(WAIT)

    call_soon_threadsafe(block)
    assert busy.wait(WAIT)
    monkeypatch.setattr(loop, 'call_soon_threadsafe', counted)
    for number in range(1000):
        rig.submit(float(number))
    assert len(calls) == 1
    go_on.set()
    assert rig.queued() == list(range(1000))
    assert rig.wakes == 1
    rig.submit(1000.0)
    assert len(rig.queued()) == 1001
    assert rig.wakes == 2


def test_submitting_does_not_wait_for_the_loop(rig):
    go_on = threading.Event()
    rig.loop_thread.loop.call_soon_threadsafe(go_on.wait, WAIT)
    rig.submit(1.0)
    rig.bridge.submit_update(Update(1, (1.0,)), b'{}')
    rig.bridge.reconnect()
    assert not go_on.is_set()
    go_on.set()
    assert rig.queued() == [1.0]


def test_boxes_and_updates_have_a_lane_each(rig):
    rig.submit(1.0)
    rig.bridge.submit_update(Update(7, (1.0,)), b'{"update": 7}')
    rig.settle()
    update, = rig.bridge.outbox.updates.queued
    assert (update.payload, update.object_id) == (b'{"update": 7}', 7)
    assert len(rig.bridge.outbox.boxes) == 1


def test_own_feature_map_is_known_when_its_echo_comes(rig):
    async def commands(message):
        return rig.bridge.link.session.receive(message)

    rig.loop_thread.submit(commands(Start(7, 1.0, 1))).result(WAIT)
    rig.bridge.submit_update(Update(7, (1.0, 2.0)), b'{}')
    assert rig.loop_thread.submit(commands(Update(7, (1.0, 2.0)))).result(WAIT) == []


def test_clear_buffer_drops_and_counts_what_was_submitted_before(rig):
    for number in range(10):
        rig.submit(float(number))
    rig.bridge.submit_update(Update(7, (1.0,)), b'{}')
    assert rig.bridge.clear_buffer() == 11
    assert rig.bridge.clear_buffer() == 0
    assert rig.bridge.outbox.dropped == {'boxes_cleared': 10, 'updates_cleared': 1}


def test_rejected_messages_are_counted_and_named_at_a_limited_rate(rig):
    error = EncodeError('boundingBoxes.boxes[3].rect', 'nan is not a finite number')
    for _ in range(100):
        rig.bridge.reject('boxes', error)
    rig.bridge.reject('feature_map', EncodeError('featureMap', 'too long', 'too_big'))
    assert rig.bridge.rejected == {'invalid_field': 100, 'too_big': 1}
    assert len(rig.logger.lines) == 2
    for part in ('front-door', 'boxes', 'boundingBoxes.boxes[3].rect', 'not a finite number'):
        assert part in rig.logger.lines[0]
    assert rig.queued() == []


def test_a_bug_costs_a_message_from_ros_and_is_counted_and_reported(rig):
    rig.bridge.reject('boxes', KeyError('a bug'))
    assert rig.bridge.rejected == {'internal': 1}
    assert 'please report: KeyError' in rig.logger.lines[0]


def test_dropped_messages_are_warned_of(loop_thread):
    rig = Rig(loop_thread, nobody, boxes=Policy(10, 2**20))
    rig.start()
    for number in range(15):
        rig.submit(float(number))
    until(lambda: any('boxes_overflow 5' in line for line in rig.logger.lines))
    rig.bridge.shut_down()


# ---- to the orchestrator and back

def test_messages_arrive_and_shut_down_flushes(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.submit(0.0)
    rig.start()
    until(lambda: rig.bridge.link.state >= State.REGISTERED)
    for number in range(1, 3000):
        rig.submit(float(number))
    rig.bridge.shut_down()
    assert orchestrator.texts[0] == {'type': 'identifier', 'id': 'front-door'}
    assert orchestrator.frames() == list(range(3000))
    until(lambda: orchestrator.closes)
    assert orchestrator.closes == [1001]
    assert rig.bridge.link.state is State.CLOSED
    assert rig.ends == []
    assert True in rig.reports
    assert rig.threads == {'asyncio'}


def test_commands_are_published_with_the_stamp_of_their_frame(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    until(lambda: rig.bridge.link.state >= State.REGISTERED)
    rig.submit(2.5)
    until(lambda: orchestrator.frames() == [2.5])
    orchestrator.say(Start(1, 2.5, 0))
    orchestrator.say(Start(2, 7.5, 0))
    orchestrator.say(Stop(1))
    until(lambda: len(rig.published) == 3)
    assert [(command.message, stamp) for command, stamp in rig.published] == [
        (Start(1, 2.5, 0), STAMP), (Start(2, 7.5, 0), (0, 0)), (Stop(1), (0, 0))]
    assert rig.bridge.published == Counter(Start=2, Stop=1)
    rig.bridge.shut_down()


def test_reconnect_makes_a_new_connection_and_loses_nothing(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    until(lambda: rig.bridge.link.state >= State.REGISTERED)
    for number in range(200):
        rig.submit(float(number))
        if number == 100:
            rig.bridge.reconnect()
    until(lambda: rig.bridge.link.reconnects == 1)
    until(lambda: not len(rig.bridge.outbox))
    assert set(orchestrator.frames()) == set(range(200))
    rig.bridge.shut_down()


def test_nothing_is_lost_when_the_stand_in_drops_connections(loop_thread):
    heard = []
    sim = OrchestratorSim(listener=lambda connection, direction, text: heard.append(text))
    loop_thread.submit(sim.start()).result(WAIT)

    async def connect(timeout):
        return await client.connect(sim.url, client.Options(), None, timeout)

    def frames():
        messages = [json.loads(text) for text in heard if text.startswith('{')]
        return [message['frameId'] for message in messages if 'frameId' in message]

    rig = Rig(loop_thread, connect)
    rig.start()
    for number in range(500):
        rig.submit(float(number))
        if number % 100 == 50:
            until(lambda: number in frames())
            loop_thread.loop.call_soon_threadsafe(sim.drop)
    until(lambda: rig.bridge.link.reconnects >= 5 and not len(rig.bridge.outbox))
    rig.bridge.shut_down()
    assert set(frames()) == set(range(500))
    assert rig.bridge.outbox.acknowledged == 500
    loop_thread.submit(sim.stop()).result(WAIT)


def test_giving_up_is_told_once(loop_thread):
    async def refuse(timeout):
        raise LinkFault('http_404', 'it answers HTTP 404', fatal=True)

    rig = Rig(loop_thread, refuse)
    rig.start()
    until(lambda: rig.ends)
    assert [fault.cause for fault in rig.ends] == ['http_404']
    rig.bridge.shut_down()
    assert len(rig.ends) == 1


def test_bug_in_connect_does_not_leave_a_bridge_without_a_link(loop_thread, orchestrator):
    outcomes = [ValueError('Invalid IPv6 URL')]

    async def connect(timeout):
        if outcomes:
            raise outcomes.pop()
        return await orchestrator.connect(timeout)

    rig = Rig(loop_thread, connect)
    rig.start()
    until(lambda: rig.ends or rig.bridge.link.state >= State.REGISTERED)
    rig.bridge.shut_down()


def test_reports_come_every_second(rig):
    rig.start()
    until(lambda: rig.reports.count(False) >= 2)
    rig.bridge.shut_down()
    count = len(rig.reports)
    assert all(task.done() for task in rig.tasks)
    assert len(rig.reports) == count


def test_reporting_and_expiry_go_on_after_an_exception(loop_thread, monkeypatch):
    monkeypatch.setattr('camera_ws_bridge.runtime.REPORT_PERIOD', 0.01)
    rig = Rig(loop_thread, nobody, boxes=Policy(100, 2**20, max_age=0.1))

    def fail(changed):
        rig.reports.append(changed)
        raise OSError('no space left')
    rig.bridge._report = fail
    rig.start()
    until(lambda: rig.reports.count(False) >= 3)
    rig.submit(1.0)
    until(lambda: any('boxes_too_old 1' in line for line in rig.logger.lines))
    errors = [line for line in rig.logger.lines if 'OSError: no space left' in line]
    assert 1 <= len(errors) < rig.reports.count(False)
    rig.bridge.shut_down()
    assert rig.reports[-1] is True
    assert all(task.done() for task in rig.tasks)
    assert rig.bridge.link.state is State.CLOSED


# ---- shutting down

def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_shut_down_without_a_connection_is_immediate(rig):
    rig.start()
    rig.submit(1.0)
    # Far below shutdown_timeout, which is what waiting for anything would cost.
    assert timed(rig.bridge.shut_down) < 1.5
    assert rig.bridge.outbox.dropped == {'boxes_shut_down': 1}


def test_shut_down_before_the_start(rig):
    assert timed(rig.bridge.shut_down) < 1.5


def test_shut_down_returns_in_time_though_the_peer_has_stalled(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect, shutdown_timeout=0.5)
    rig.start()
    until(lambda: rig.bridge.link.state >= State.REGISTERED)
    orchestrator.reading = False
    rig.submit(0.0)  # the last frame that is read
    until(lambda: 0.0 in orchestrator.frames())
    loop_thread.loop.call_soon_threadsafe(orchestrator.peer.writer.transport.pause_reading)
    payload = b'{"type": "boundingBoxes", "frameId": 1, "boxes": []}' + 10_000 * b' '
    for _ in range(2000):
        rig.bridge.submit_boxes(1.0, STAMP, payload)
    assert timed(rig.bridge.shut_down) < 5
    assert all(task.done() for task in rig.tasks)
    assert len(rig.bridge.outbox) == 0
    assert rig.bridge.outbox.dropped['boxes_shut_down'] >= 2000, 'not forgotten silently'


def test_shut_down_returns_though_the_loop_hangs(loop_thread):
    rig = Rig(loop_thread, nobody, shutdown_timeout=0.1)
    rig.start()
    go_on = threading.Event()
    loop_thread.loop.call_soon_threadsafe(go_on.wait, WAIT)
    try:
        assert timed(rig.bridge.shut_down) < WAIT / 2
    finally:
        go_on.set()
        rig.settle()


# ---- more than one life

def test_a_second_life_keeps_buffer_counters_and_what_is_tracked(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    until(lambda: rig.bridge.link.state >= State.REGISTERED)
    orchestrator.say(Start(7, 2.5, 0))
    until(lambda: rig.published)
    for number in range(100):
        rig.submit(float(number))
    rig.bridge.disconnect()
    assert orchestrator.frames() == list(range(100))
    assert orchestrator.closes == [1001]
    assert rig.bridge.link.state is State.CLOSED
    reports = len(rig.reports)
    for number in range(100, 200):
        rig.submit(float(number))
    assert rig.queued() == list(range(100, 200))
    assert 7 in rig.bridge.link.session.tracked
    until(lambda: len(rig.reports) > reports)
    rig.bridge.connect()
    until(lambda: orchestrator.frames() == list(range(200)) and not len(rig.bridge.outbox))
    assert rig.bridge.outbox.boxes.accepted == rig.bridge.outbox.acknowledged == 200
    assert rig.bridge.published['Start'] == 1
    assert rig.ends == []
    rig.bridge.shut_down()
    assert all(task.done() for task in rig.tasks)


def test_what_comes_during_a_flush_is_bounded_by_the_buffer(loop_thread):
    rig = Rig(loop_thread, nobody, boxes=Policy(100, 2**20))
    flushed = asyncio.Event()
    rig.bridge.link.shut_down = flushed.wait
    rig.start()
    ending = rig.bridge.begin_to_disconnect()
    rig.settle()
    for number in range(MAX_WAITING):
        rig.submit(float(number))
    assert rig.queued() == [], 'a flush would have no end'
    for number in range(MAX_WAITING, 1000):
        rig.submit(float(number))
    rig.settle()
    assert len(rig.bridge._inbox) == MAX_WAITING
    assert rig.queued() == list(range(1000 - MAX_WAITING - 100, 1000 - MAX_WAITING))
    loop_thread.loop.call_soon_threadsafe(flushed.set)
    ending.result(WAIT)
    assert rig.queued() == list(range(900, 1000))
    assert rig.bridge.outbox.boxes.accepted == 1000
    assert rig.bridge.outbox.dropped == {'boxes_overflow': 900}
    rig.bridge.link.shut_down = Link.shut_down.__get__(rig.bridge.link)
    rig.bridge.shut_down()


def test_the_end_of_a_life_while_it_connects_leaves_no_task(rig):
    for _ in range(3):
        rig.start()
        rig.settle()
        assert timed(rig.bridge.disconnect) < 1.5
        assert rig.bridge.link.state is State.CLOSED
        assert rig.bridge._linking.done()
    rig.bridge.shut_down()


def test_after_giving_up_it_can_be_told_to_try_again(loop_thread, orchestrator):
    outcomes = [LinkFault('http_404', 'it answers HTTP 404', fatal=True)]

    async def connect(timeout):
        if outcomes:
            raise outcomes.pop()
        return await orchestrator.connect(timeout)

    rig = Rig(loop_thread, connect)
    rig.start()
    until(lambda: rig.ends)
    rig.bridge.disconnect()
    assert rig.bridge.link.cause.startswith('http_404')
    rig.bridge.connect()
    until(lambda: rig.bridge.link.state is State.REGISTERED)
    rig.bridge.shut_down()


def test_several_bridges_share_one_loop(loop_thread, orchestrator):
    rigs = [Rig(loop_thread, orchestrator.connect) for _ in range(5)]
    for rig in rigs:
        rig.start()
    for number, rig in enumerate(rigs):
        rig.submit(float(number))
    until(lambda: sorted(orchestrator.frames()) == list(range(5)))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda rig: rig.bridge.shut_down(), rigs))
    until(lambda: orchestrator.closes == 5 * [1001])


# ---- what is tracked

def test_a_burst_of_commands_publishes_what_is_tracked_once(loop_thread):
    rig = Rig(loop_thread, nobody)

    async def burst():
        for object_id in range(100):
            for command in rig.bridge.link.session.receive(Update(object_id, (0.5,))):
                rig.bridge.publish(command)
    loop_thread.submit(burst()).result(WAIT)
    rig.settle()
    assert rig.tracked == [set(range(100))]


def test_our_own_feature_map_changes_what_is_tracked(loop_thread):
    rig = Rig(loop_thread, nobody)

    async def start():
        rig.bridge.link.session.receive(Start(1, 1.5, 0))
    loop_thread.submit(start()).result(WAIT)
    rig.bridge.submit_update(Update(1, (0.5,)), b'{}')
    rig.settle()
    assert rig.bridge.link.session.tracked[1].feature_map == (0.5,)
    until(lambda: rig.tracked == [{1}])


# ---- a resolver that stalls

def test_a_stalled_resolver_does_not_hold_up_the_end_of_the_process():
    code = """if True:
        import asyncio, threading, time
        from camera_ws_bridge.runtime import LoopThread
        loop_thread = LoopThread()
        began = threading.Event()
        def stall():
            began.set()
            time.sleep(3600)
        async def resolve():
            await asyncio.get_running_loop().run_in_executor(None, stall)
        loop_thread.submit(resolve())
        assert began.wait(30)
        loop_thread.stop()
    """
    subprocess.run([sys.executable, '-c', code], timeout=60, check=True)


def test_the_executor_passes_on_results_and_errors(loop_thread):
    async def both():
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, int, '5') == 5
        with pytest.raises(ValueError):
            await loop.run_in_executor(None, int, 'five')
    loop_thread.submit(both()).result(WAIT)
