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

"""One camera at work, without ROS: what passes through, and what is reported."""

from collections import Counter
import concurrent.futures
from dataclasses import replace
import json

from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.link.link import State
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.sim.orchestrator.server import OrchestratorSim
from camera_ws_bridge.transport import websocket
from rigs.in_process_rig import Rig, STAMP
from rigs.shared import WAIT, wait_until


def test_messages_arrive_and_shut_down_flushes(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.submit(0.0)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    for number in range(1, 3000):
        rig.submit(float(number))
    rig.bridge.shut_down()
    assert orchestrator.texts[0] == {'type': 'identifier', 'id': 'front-door'}
    assert orchestrator.frames() == list(range(3000))
    wait_until(lambda: orchestrator.closes)
    assert orchestrator.closes == [1001]
    assert rig.bridge.link.state is State.CLOSED
    assert rig.ends == []
    assert True in rig.reports
    assert rig.threads == {'asyncio'}


def test_commands_are_published_with_the_stamp_of_their_frame(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    rig.submit(2.5)
    wait_until(lambda: orchestrator.frames() == [2.5])
    orchestrator.say(Start(1, 2.5, 0))
    orchestrator.say(Start(2, 7.5, 0))
    orchestrator.say(Stop(1))
    wait_until(lambda: len(rig.published) == 3)
    assert [(command.message, stamp) for command, stamp in rig.published] == [
        (Start(1, 2.5, 0), STAMP), (Start(2, 7.5, 0), (0, 0)), (Stop(1), (0, 0))]
    assert rig.bridge.published == Counter(Start=2, Stop=1)
    rig.bridge.shut_down()


def test_reconnect_makes_a_new_connection_and_loses_nothing(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    for number in range(200):
        rig.submit(float(number))
        if number == 100:
            rig.do(rig.bridge.reconnect)
    wait_until(lambda: rig.bridge.link.reconnects == 1)
    wait_until(lambda: not len(rig.bridge.outbox))
    assert set(orchestrator.frames()) == set(range(200))
    rig.bridge.shut_down()


def test_nothing_is_lost_when_the_simulator_drops_connections(loop_thread):
    heard = []  # (direction, text)
    sim = OrchestratorSim(listener=lambda connection, *frame: heard.append(frame))
    loop_thread.submit(sim.start()).result(WAIT)

    async def connect(timeout):
        return await websocket.connect(sim.url, websocket.Options(), None, timeout)

    def frames():
        messages = [json.loads(text) for direction, text in heard
                    if direction == 'to_orchestrator']
        return [message['frameId'] for message in messages if 'frameId' in message]

    rig = Rig(loop_thread, connect)
    rig.start()
    for number in range(500):
        rig.submit(float(number))
        if number % 100 == 50:
            wait_until(lambda: number in frames())
            loop_thread.loop.call_soon_threadsafe(sim.drop)
    wait_until(lambda: rig.bridge.link.reconnects >= 5 and not len(rig.bridge.outbox))
    rig.bridge.shut_down()
    assert set(frames()) == set(range(500))
    assert rig.bridge.outbox.acknowledged == 500
    loop_thread.submit(sim.stop()).result(WAIT)


def test_reports_come_every_second(loop_thread):
    rig = Rig(loop_thread)
    rig.start()
    wait_until(lambda: rig.reports.count(False) >= 2)
    rig.bridge.shut_down()
    count = len(rig.reports)
    assert all(task.done() for task in rig.tasks)
    assert len(rig.reports) == count


def test_reporting_and_expiry_go_on_after_an_exception(loop_thread, monkeypatch):
    monkeypatch.setattr('camera_ws_bridge.bridge.REPORT_PERIOD', 0.01)
    rig = Rig(loop_thread, boxes=Policy(100, 2**20, max_age=0.1))

    def fail(changed):
        rig.reports.append(changed)
        raise OSError('no space left')
    rig.report = fail
    rig.start()
    wait_until(lambda: rig.reports.count(False) >= 3)
    rig.submit(1.0)
    wait_until(lambda: any('boxes_too_old 1' in line for line in rig.logger.lines))
    errors = [line for line in rig.logger.lines if 'OSError: no space left' in line]
    assert 1 <= len(errors) < rig.reports.count(False)
    rig.bridge.shut_down()
    assert rig.reports[-1] is True
    assert all(task.done() for task in rig.tasks)
    assert rig.bridge.link.state is State.CLOSED


def test_several_bridges_share_one_loop(loop_thread, orchestrator):
    rigs = [Rig(loop_thread, orchestrator.connect) for _ in range(5)]
    for rig in rigs:
        rig.start()
    for number, rig in enumerate(rigs):
        rig.submit(float(number))
    wait_until(lambda: sorted(orchestrator.frames()) == list(range(5)))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda rig: rig.bridge.shut_down(), rigs))
    wait_until(lambda: orchestrator.closes == 5 * [1001])


# ---- what is tracked

def test_a_burst_of_commands_publishes_what_is_tracked_once(loop_thread):
    rig = Rig(loop_thread)

    async def burst():
        for object_id in range(100):
            rig.bridge.inbound.handle(codec.encode(Update(object_id, (0.5,))), 0.0)
    loop_thread.submit(burst()).result(WAIT)
    rig.settle()
    assert rig.tracked == [set(range(100))]


def test_our_own_feature_map_changes_what_is_tracked(loop_thread):
    rig = Rig(loop_thread)

    async def start():
        rig.bridge.session.receive(Start(1, 1.5, 0))
    loop_thread.submit(start()).result(WAIT)
    rig.submit_update(1, 0.5)
    rig.settle()
    assert rig.bridge.session.tracked[1].feature_map == (0.5,)
    wait_until(lambda: rig.tracked == [{1}])


def test_a_bug_in_publishing_costs_one_command_and_is_reported(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    publish, failed = rig.publish, []

    def fail_once(command, stamp):
        if not failed:
            failed.append(command)
            raise RuntimeError('a bug')
        publish(command, stamp)
    rig.publish = fail_once
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    orchestrator.say(Start(1, 2.5, 0))
    orchestrator.say(Stop(1))
    wait_until(lambda: rig.published)
    assert failed[0].message == Start(1, 2.5, 0)
    assert any('please report: RuntimeError: a bug' in line for line in rig.logger.lines)
    assert rig.bridge.link.reconnects == 0 and rig.bridge.link.state >= State.REGISTERED
    rig.bridge.shut_down()


def test_a_bug_in_reporting_a_state_costs_nothing(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect)
    report, failed = rig.report, []

    def fail_at_first(state_changed):
        if len(failed) < 3:
            failed.append(rig.bridge.link.state)
            raise RuntimeError('a bug')
        report(state_changed)
    rig.report = fail_at_first
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)
    rig.submit(1.0)
    wait_until(lambda: orchestrator.frames() == [1.0])
    assert rig.bridge.link.reconnects == 0
    rig.bridge.shut_down()


def test_other_settings_hold_for_every_part_at_once(loop_thread, orchestrator):
    rig = Rig(loop_thread, orchestrator.connect, command_rate=1.0)
    rig.start()
    wait_until(lambda: rig.bridge.link.state >= State.REGISTERED)

    def passed(count):
        before = rig.bridge.published['Stop']
        seen = before + rig.bridge.inbound.rejected['rate']
        for object_id in range(count):
            orchestrator.say(Stop(object_id))
        wait_until(lambda: seen + count <= (
            rig.bridge.published['Stop'] + rig.bridge.inbound.rejected['rate']))
        return rig.bridge.published['Stop'] - before
    assert passed(100) < 30  # a burst of 20 seconds
    rig.do(rig.bridge.configure, replace(
        rig.bridge.settings, command_rate=100_000.0, reconcile=False, boxes=Policy(2, 2**20)))
    assert not rig.bridge.session.reconcile
    assert rig.bridge.outbox.boxes.policy == Policy(2, 2**20)
    assert passed(100) == 100
    rig.bridge.shut_down()
