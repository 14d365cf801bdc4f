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

"""The real bridge process while the orchestrator, or the bridge itself, comes and goes."""

from __future__ import annotations

import signal

from camera_ws_bridge.buffer.spool.spool import Spool
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Start, Status, Stop, Update
from rigs import process_rig as rigs
from rigs.commands import feature_map, start


# ---- the orchestrator

def test_an_outage_loses_nothing_where_the_orchestrator_goes_on(tmp_path):
    with rigs.running(tmp_path, orchestrator={'landmark': True}) as rig:
        rig.wait(lambda: rig.probe.tracked.objects)
        rig.orchestrator.die()
        rig.probe.publish_frames(range(50))
        rig.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        rig.probe.wait_for_status(lambda status: status.updates_queued == 1)
        rig.orchestrator.come_back(remembering=True)
        rig.wait(lambda: set(rig.orchestrator.frame_ids()) >= set(map(float, range(50))))
        rig.wait(lambda: rig.orchestrator.messages('featureMap'))
        rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)
        assert not rig.probe.status.dropped
        assert {command.session for command in rig.probe.commands} == {rig.probe.status.session}


def test_an_outage_drops_feature_maps_where_the_orchestrator_has_restarted(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.orchestrator.send(start(1, frameId=1, boxId=0), feature_map(2, [1.0]))
        rig.wait(lambda: len(rig.probe.commands) == 2)
        rig.probe.publish_frames(range(50))
        rig.orchestrator.die()
        rig.probe.publish_frames(range(50, 150))
        rig.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        rig.probe.wait_for_status(lambda status: status.updates_queued == 1)
        assert rig.probe.status.cause
        rig.orchestrator.come_back()
        rig.wait(lambda: set(rig.orchestrator.frame_ids()) >= set(map(float, range(150))))
        rig.wait(lambda: len(rig.probe.of(Stop)) == 2)
        assert not rig.orchestrator.messages('featureMap')
        assert {(command.object_id, command.reason) for command in rig.probe.of(Stop)} == {
            (1, Stop.RECONCILED), (2, Stop.RECONCILED)}
        rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)
        assert {count.cause: count.count for count in rig.probe.status.dropped} == {
            'updates_former_session': 1}, 'object 1 is another one now, or will be'
        firsts = list(dict.fromkeys(rig.orchestrator.frame_ids()))
        assert firsts == sorted(firsts)


def test_a_click_outlives_a_link_that_was_silent(tmp_path):
    with rigs.running(tmp_path, through_proxy=True, heartbeat_timeout=1.0) as rig:
        rig.orchestrator.sim.state.objects[1] = {}
        rig.orchestrator.send(start(1, frameId=1, boxId=0))
        rig.wait(lambda: rig.probe.of(Start))
        rig.proxy.stall()
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        rig.probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
        rig.probe.wait_for_status(lambda status: status.updates_queued == 1)
        rig.proxy.pass_through()
        rig.wait(lambda: rig.orchestrator.messages('featureMap'))
        rig.probe.wait_for_status(lambda status: status.reconnects == 1)
        assert not rig.probe.status.dropped and not rig.probe.of(Stop)
        assert rig.probe.status.session == rig.probe.of(Start)[0].session
        assert 'the former connection answers again' in rig.process.log


def test_an_orchestrator_that_has_restarted_begins_a_new_session(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.orchestrator.send(start(1, frameId=1, boxId=0), start(2, frameId=1, boxId=1))
        rig.wait(lambda: len(rig.probe.of(Start)) == 2)
        rig.orchestrator.die()
        rig.orchestrator.come_back()
        rig.wait(lambda: len(rig.probe.of(Stop)) == 2)
        rig.probe.wait_for_status(lambda status: status.reconnects == 1)
        first = rig.probe.of(Start)[0].session
        rig.orchestrator.send(start(1, frameId=2, boxId=0))
        rig.wait(lambda: len(rig.probe.of(Start)) == 3)
        assert [command.session for command in rig.probe.of(Start)] == [first, first, first + 1]
        assert [command.session for command in rig.probe.of(Stop)] == [first, first]
        rig.probe.wait_for_status(lambda status: status.session == first + 1)
        rig.wait(lambda: rig.probe.tracked.session == first + 1)


def test_twenty_outages_in_a_row_leave_nothing_behind(tmp_path):
    with rigs.running(tmp_path) as rig:
        frame_id = 0.0

        def outage() -> None:
            nonlocal frame_id
            reconnects = rig.probe.status.reconnects
            rig.orchestrator.die()
            for _ in range(10):
                frame_id += 1
                rig.probe.boxes.publish(rigs.boxes(frame_id, rigs.box()))
            rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
            rig.orchestrator.come_back()
            rig.probe.wait_for_status(lambda status: status.reconnects > reconnects)
            rig.wait(lambda: frame_id in rig.orchestrator.frame_ids())

        for _ in range(5):
            outage()
        before = _resources(rig.process.info)
        for _ in range(20):
            outage()
        after = _resources(rig.process.info)
        assert after['threads'] == before['threads']
        assert after['fds'] <= before['fds'] + 1
        assert after['rss'] - before['rss'] < 4 * 2**20, (before, after)
        assert set(rig.orchestrator.frame_ids()) == set(map(float, range(1, 251)))


def test_accept_then_close_is_not_called_in_a_hot_loop(tmp_path):
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        orchestrator.do('accept_then_close')
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=orchestrator.sim.url, camera_id='cam-1',
            connect_timeout=10.0)
        assert process.wait() == 3
        assert 2 <= orchestrator.sim.opened <= 10


# ---- the buffer

def test_a_full_buffer_drops_the_oldest_and_counts_it(tmp_path):
    with rigs.running(tmp_path, boxes_max_messages=10) as rig:
        rig.orchestrator.die()
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        accepted = rig.probe.status.boxes_accepted
        for frame_id in range(30):
            rig.probe.boxes.publish(rigs.boxes(float(frame_id)))
        rig.probe.wait_for_status(lambda status: status.boxes_accepted >= accepted + 30)
        assert rig.probe.status.boxes_queued == 10
        rig.orchestrator.come_back()
        rig.wait(lambda: rig.orchestrator.frame_ids())
        rig.wait(lambda: rig.orchestrator.frame_ids()[-1] == 29.0)
        assert set(rig.orchestrator.frame_ids()) == set(map(float, range(20, 30)))
        rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)
        dropped = {count.cause: count.count for count in rig.probe.status.dropped}
        assert dropped['boxes_overflow'] >= 20
        status = rig.probe.status
        assert status.boxes_accepted + status.updates_accepted == (
            status.acknowledged + sum(dropped.values()))


def test_clear_buffer_service(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.orchestrator.die()
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        rig.probe.boxes.publish(rigs.boxes(1.0))
        rig.probe.wait_for_status(lambda status: status.boxes_queued >= 1)
        answer = rig.probe.call('clear_buffer')
        assert answer.success and answer.message.endswith('messages dropped')
        rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)


def test_the_spool_keeps_the_buffer_over_a_kill(tmp_path):
    spool = tmp_path / 'spool' / 'gate.sqlite'
    with rigs.serving(landmark=True) as orchestrator, rigs.own_domain() as domain:
        probe = rigs.Probe(domain)

        def process(name):
            return rigs.Process(
                domain, tmp_path / name, orchestrator_url=orchestrator.sim.url,
                camera_id=rigs.CAMERA_ID, spool_path=str(spool), connect_timeout=0.0,
                **rigs.FAST)
        first = process('first')
        probe.wait_until_registered()
        probe.wait(lambda: probe.tracked.objects)
        orchestrator.die()
        probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        probe.publish_frames(range(100))
        probe.feature_map.publish(Update(object_id=1, feature_map=[0.5, 1.5]))
        probe.wait_for_status(lambda status: status.updates_queued == 1)

        def written():  # the bridge holds the database, but its bytes can be looked at
            return any(b'"frameId":99.0' in path.read_bytes() for path in spool.parent.iterdir())
        probe.wait(written, 'the newest frame is in the spool')
        first.signal(signal.SIGKILL)
        first.wait()
        left = Spool.open(str(spool), 2**20)
        kept = [strict_json.loads(row.payload) for row in left.load()]
        left.close()
        assert len(kept) >= 101, 'all was committed'
        probe.status = Status()
        orchestrator.come_back(remembering=True)
        second = process('second')
        probe.wait(lambda: set(orchestrator.frame_ids()) >= set(map(float, range(100))))
        probe.wait(lambda: orchestrator.messages('featureMap'))
        frames = orchestrator.frame_ids()
        assert frames == sorted(frames)
        probe.wait_for_status(lambda status: status.boxes_queued == 0 and status.spool == 'ok')
        assert second.end() == 0, second.log
        third = process('third')
        probe.status = Status()
        probe.wait_for_status(lambda status: status.state in (Status.REGISTERED, Status.STABLE))
        assert probe.status.boxes_queued == 0, 'what was acknowledged is not in the spool'
        assert spool.stat().st_mode & 0o777 == 0o600
        assert spool.parent.stat().st_mode & 0o777 == 0o700
        fourth = process('fourth')
        assert fourth.wait() == 2 and 'spool_path' in fourth.log, fourth.log
        assert third.end() == 0
        probe.close()


def _resources(process) -> dict[str, int]:
    return {'threads': process.num_threads(), 'fds': process.num_fds(),
            'rss': process.memory_info().rss}
