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

"""How a bridge ends, is told to go on, and gives up."""

import asyncio
import threading
from unittest.mock import MagicMock, Mock

from camera_ws_bridge.bridge import MAX_WAITING
from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.link import Link, State
from camera_ws_bridge.protocol.start import Start
import pytest
from rigs.in_process_rig import Rig, timed
from rigs.shared import WAIT, wait_until


def test_shut_down_without_a_connection_is_immediate(loop_thread):
    rig = Rig(loop_thread)
    rig.start()
    rig.submit(1.0)
    # Far below shutdown_timeout, which is what waiting for anything would cost.
    assert timed(rig.bridge.shut_down) < 1.5
    assert rig.bridge.outbox.dropped == {'boxes_shut_down': 1}


def test_shut_down_before_the_start(loop_thread):
    rig = Rig(loop_thread)
    assert timed(rig.bridge.shut_down) < 1.5


def test_shut_down_returns_in_time_though_the_peer_has_stalled(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect, shutdown_timeout=0.5)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    orchestrator.reading = False
    rig.submit(0.0)  # the last frame that is read
    wait_until(lambda: 0.0 in orchestrator.frames())
    loop_thread.loop.call_soon_threadsafe(orchestrator.peer.writer.transport.pause_reading)
    payload = b'{"type": "boundingBoxes", "frameId": 1, "boxes": []}' + 10_000 * b' '
    for _ in range(2000):
        rig.submit(1.0, payload)
    assert timed(rig.bridge.shut_down) < 5
    assert all(task.done() for task in rig.tasks)
    assert len(rig.bridge.outbox) == 0
    assert rig.bridge.outbox.dropped['boxes_shut_down'] >= 2000, 'not forgotten silently'


def test_shut_down_returns_though_the_loop_hangs(loop_thread):
    rig = Rig(loop_thread, shutdown_timeout=0.1)
    rig.start()
    go_on = threading.Event()
    loop_thread.loop.call_soon_threadsafe(go_on.wait, WAIT)
    try:
        assert timed(rig.bridge.shut_down) < WAIT / 2
    finally:
        go_on.set()
        rig.settle()


@pytest.mark.parametrize('error', (RuntimeError("can't start new thread"), MemoryError()))
def test_the_spool_is_closed_though_no_thread_is_to_be_had(loop_thread, monkeypatch, error):
    rig = Rig(loop_thread)
    rig.start()
    rig.bridge.spool = MagicMock(is_open=True)
    monkeypatch.setattr(loop_thread.loop, 'run_in_executor', Mock(side_effect=error))
    rig.bridge.shut_down()
    rig.bridge.spool.close.assert_called_once()


# ---- more than one life

def test_a_second_life_keeps_buffer_counters_and_what_is_tracked(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    orchestrator.say(Start(7, 2.5, 0))
    wait_until(lambda: rig.published)
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
    assert 7 in rig.bridge.session.tracked
    wait_until(lambda: len(rig.reports) > reports)
    rig.do(rig.bridge.connect)
    wait_until(lambda: orchestrator.frames() == list(range(200)) and not len(rig.bridge.outbox))
    assert rig.bridge.outbox.boxes.accepted == rig.bridge.outbox.acknowledged == 200
    assert rig.bridge.published['Start'] == 1
    assert rig.ends == []
    rig.bridge.shut_down()
    assert all(task.done() for task in rig.tasks)


def test_what_comes_during_a_flush_is_bounded_by_the_buffer(loop_thread):
    rig = Rig(loop_thread, boxes=Policy(100, 2**20))
    flushed = asyncio.Event()
    rig.bridge.link.shut_down = flushed.wait
    rig.start()
    ending = rig.do(rig.bridge.begin_to_disconnect)
    rig.settle()
    for number in range(MAX_WAITING):
        rig.submit(float(number))
    assert rig.queued() == [], 'a flush would have no end'
    for number in range(MAX_WAITING, 1000):
        rig.submit(float(number))
    rig.settle()
    assert len(rig.bridge._waiting) == MAX_WAITING
    assert rig.queued() == list(range(1000 - MAX_WAITING - 100, 1000 - MAX_WAITING))
    loop_thread.loop.call_soon_threadsafe(flushed.set)
    wait_until(ending.done)
    assert rig.queued() == list(range(900, 1000))
    assert rig.bridge.outbox.boxes.accepted == 1000
    assert rig.bridge.outbox.dropped == {'boxes_overflow': 900}
    rig.bridge.link.shut_down = Link.shut_down.__get__(rig.bridge.link)
    rig.bridge.shut_down()


def test_the_end_of_a_life_while_it_connects_leaves_no_task(loop_thread):
    rig = Rig(loop_thread)
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
    wait_until(lambda: rig.ends)
    rig.bridge.disconnect()
    assert rig.bridge.link.cause.startswith('http_404')
    rig.do(rig.bridge.connect)
    wait_until(lambda: rig.bridge.link.state is State.REGISTERED)
    rig.bridge.shut_down()


# ---- giving up

def test_giving_up_is_told_once(loop_thread):
    async def refuse(timeout):
        raise LinkFault('http_404', 'it answers HTTP 404', fatal=True)

    rig = Rig(loop_thread, refuse)
    rig.start()
    wait_until(lambda: rig.ends)
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
    wait_until(lambda: rig.ends or rig.bridge.link.state >= State.REGISTERED)
    rig.bridge.shut_down()
