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

"""The real bridge process: ROS topics over DDS on one side, a real WebSocket on the other."""

from __future__ import annotations

import base64
import math
import pathlib
import signal
import socket

from ament_index_python import get_package_share_directory
from bad_inputs import REJECTED
from camera_ws_bridge import wire
from camera_ws_bridge.sim.picture import a_picture
from camera_ws_bridge.spool import Spool
from camera_ws_bridge_msgs.msg import Start, Status, Stop, Update
from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rclpy.parameter import parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
import rig as rigs
import yaml


def start(object_id: int, **fields: object) -> str:
    return wire.dumps({'type': 'start', 'objectId': object_id, **fields})


def stop(object_id: int) -> str:
    return wire.dumps({'type': 'stop', 'objectId': object_id})


def feature_map(object_id: int, numbers: object) -> str:
    return wire.dumps({'type': 'featureMap', 'objectId': object_id, 'featureMap': numbers})


@pytest.fixture(scope='module', name='rig')
def shared_rig(tmp_path_factory):
    """One bridge for all tests that leave it as they found it."""
    with rigs.running(tmp_path_factory.mktemp('bridge')) as running:
        yield running


# ---- ROS to orchestrator

def test_boxes_arrive_bit_for_bit_and_in_order(rig):
    awkward = [1606.0333333333335, 0.1 + 0.2, 5e-324, -0.0, 1.7976931348623157e308, 6392.0]
    before = len(rig.orchestrator.frame_ids())
    for frame_id in awkward:
        rig.probe.boxes.publish(rigs.boxes(
            frame_id, rigs.box(0, rect=[0.1, 1 / 3, 0.2, 1.0000001], object_type='Fußgänger "1"'),
            rigs.box(7, object_id=0)))
    rig.wait(lambda: len(rig.orchestrator.frame_ids()) == before + len(awkward))
    frames = rig.orchestrator.messages('boundingBoxes')[before:]
    assert [math.copysign(1, frame['frameId']) * abs(frame['frameId']) for frame in frames] == [
        math.copysign(1, value) * abs(value) for value in awkward]
    assert math.copysign(1, frames[3]['frameId']) == -1
    assert frames[0]['boxes'] == [
        {'boxId': 0, 'rect': [0.1, 1 / 3, 0.2, 1.0000001], 'objectType': 'Fußgänger "1"',
         'certainty': 0.87},
        {'boxId': 7, 'rect': [0.1, 0.25, 0.2, 0.75], 'objectType': 'person', 'certainty': 0.87,
         'objectId': 0}]


def test_no_boxes_on_a_frame_is_news_too(rig):
    before = len(rig.orchestrator.frame_ids())
    rig.probe.boxes.publish(rigs.boxes(77.5))
    rig.wait(lambda: len(rig.orchestrator.frame_ids()) == before + 1)
    assert rig.orchestrator.messages('boundingBoxes')[-1] == {
        'type': 'boundingBoxes', 'frameId': 77.5, 'boxes': []}


def test_a_feature_map_arrives_and_its_echo_is_not_published(rig):
    rig.orchestrator.send(start(901, frameId=1, boxId=0))
    rig.wait(lambda: any(command.object_id == 901 for command in rig.probe.of(Start)))
    numbers = [0.125, 1.0, -3.25e-07, 0.30000000000000004]
    rig.probe.feature_map.publish(Update(object_id=901, feature_map=numbers))
    rig.wait(lambda: rig.orchestrator.messages('featureMap'))
    assert rig.orchestrator.messages('featureMap')[-1] == {
        'type': 'featureMap', 'objectId': 901, 'featureMap': numbers}
    rig.orchestrator.send(feature_map(901, numbers), feature_map(901, [2.5]), stop(901))
    rig.wait(lambda: any(command.object_id == 901 for command in rig.probe.of(Stop)))
    rig.wait(lambda: any(update.object_id == 901 for update in rig.probe.of(Update)))
    assert [list(update.feature_map) for update in rig.probe.of(Update)
            if update.object_id == 901] == [[2.5]]


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_values_that_json_cannot_hold_are_refused_by_name(rig, value):
    before = len(rig.orchestrator.frame_ids())
    refused = _count(rig.probe.status.rejected_outbound)
    rig.probe.boxes.publish(rigs.boxes(1.0, rigs.box(0), rigs.box(1, certainty=value)))
    rig.probe.boxes.publish(rigs.boxes(value))
    rig.probe.feature_map.publish(Update(object_id=1, feature_map=[1.0, value]))
    rig.probe.feature_map.publish(Update(object_id=1))
    rig.probe.boxes.publish(rigs.boxes(2.0, rigs.box(0, object_id=-2)))
    rig.probe.boxes.publish(rigs.boxes(1234.5))
    rig.wait(lambda: len(rig.orchestrator.frame_ids()) == before + 1)
    assert rig.orchestrator.frame_ids()[-1] == 1234.5
    rig.wait(lambda: _count(rig.probe.status.rejected_outbound) == refused + 5)
    assert 'boundingBoxes.boxes[1].certainty' in rig.process.log


# ---- orchestrator to ROS

def test_commands_arrive_with_all_their_fields(rig):
    picture = a_picture()
    uri = wire.IMAGE_PREFIX + base64.b64encode(picture).decode()
    rig.probe.boxes.publish(rigs.boxes(1607.0666666666666, rigs.box(0), stamp=(1607, 66666666)))
    rig.wait(lambda: 1607.0666666666666 in rig.orchestrator.frame_ids())
    rig.probe.commands.clear()
    rig.orchestrator.send(
        start(1, frameId=1607.0666666666666, boxId=0), start(2, image=uri),
        start(3, frameId=6392, boxId=23, image=uri), feature_map(1, [0.5, 1]),
        feature_map(2, {}), stop(1), stop(99))
    rig.wait(lambda: len(rig.probe.commands) == 6)
    in_order = sorted(rig.probe.commands, key=lambda command: command.sequence)
    first = in_order[0].sequence
    assert [command.sequence for command in in_order] == list(range(first, first + 6))
    by_box, by_image, by_both, update, stopped, unheard_of = in_order
    assert (by_box.object_id, by_box.has_frame, by_box.frame_id, by_box.box_id) == (
        1, True, 1607.0666666666666, 0)
    assert (by_box.frame_stamp.sec, by_box.frame_stamp.nanosec) == (1607, 66666666)
    assert len(by_box.image.data) == 0
    assert (by_image.has_frame, by_image.image.format) == (False, 'png')
    assert bytes(by_image.image.data) == picture
    assert (by_both.has_frame, by_both.frame_id, by_both.box_id) == (True, 6392.0, 23)
    assert bytes(by_both.image.data) == picture
    assert (by_both.frame_stamp.sec, by_both.frame_stamp.nanosec) == (0, 0)
    assert (update.object_id, list(update.feature_map)) == (1, [0.5, 1.0])
    assert (stopped.object_id, stopped.reason) == (1, Stop.REQUESTED)
    assert unheard_of.object_id == 99
    assert all(command.header.stamp.sec > 0 for command in in_order)
    rig.orchestrator.send(stop(2), stop(3))


def test_a_late_reid_node_gets_the_commands_that_it_missed(rig):
    rig.orchestrator.send(start(50, frameId=1, boxId=0), feature_map(51, [1.5]), stop(51))
    rig.wait(lambda: any(command.object_id == 51 for command in rig.probe.of(Stop)))
    late = rigs.Probe(rig.domain)
    try:
        late.wait(lambda: any(command.object_id == 50 for command in late.of(Start)))
        late.wait(lambda: any(command.object_id == 51 for command in late.of(Update)))
        late.wait(lambda: any(command.object_id == 51 for command in late.of(Stop)))
    finally:
        late.close()
    rig.orchestrator.send(stop(50))


def test_what_is_tracked_is_there_for_a_reid_node_that_restarts(rig):
    rig.orchestrator.send(start(60, frameId=1, boxId=0), feature_map(61, [0.5, 1.5]))
    rig.wait(lambda: {60, 61} <= {found.object_id for found in rig.probe.tracked.objects})
    late = rigs.Probe(rig.domain)
    try:
        late.wait(lambda: {60, 61} <= {found.object_id for found in late.tracked.objects})
        found = {tracked.object_id: tracked for tracked in late.tracked.objects}
        assert list(found[61].feature_map) == [0.5, 1.5]
        assert list(found[60].feature_map) == []
        assert found[60].since.sec > 0
    finally:
        late.close()
    rig.orchestrator.send(stop(60), stop(61))
    rig.wait(lambda: not {60, 61} & {found.object_id for found in rig.probe.tracked.objects})


def test_a_start_with_an_old_id_tells_of_a_restarted_orchestrator(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.orchestrator.send(start(1, frameId=1, boxId=0), start(2, frameId=1, boxId=1))
        rig.wait(lambda: len(rig.probe.of(Start)) == 2)
        rig.orchestrator.die()
        rig.orchestrator.come_back()
        rig.wait(lambda: len(rig.probe.of(Stop)) == 2)
        rig.probe.wait_for_status(lambda status: status.reconnects == 1)
        assert rig.probe.status.session == 1
        rig.orchestrator.send(start(1, frameId=2, boxId=0))
        rig.wait(lambda: len(rig.probe.of(Start)) == 3)
        assert [command.session for command in rig.probe.of(Start)] == [1, 1, 2]
        rig.probe.wait_for_status(lambda status: status.session == 2)
        rig.wait(lambda: rig.probe.tracked.session == 2)


def test_no_bad_input_costs_more_than_one_log_line(rig):
    assert len(REJECTED) >= 100
    opened = rig.orchestrator.sim.opened
    before = _count(rig.probe.status.rejected_inbound)
    for number, entry in enumerate(REJECTED):
        good = 10000 + number
        rig.orchestrator.send(entry.text, stop(good))
        rig.wait(lambda: any(command.object_id == good for command in rig.probe.of(Stop)),
                 f'the next good message works after {entry.name}')
    rig.wait(lambda: _count(rig.probe.status.rejected_inbound) == before + len(REJECTED))
    assert rig.orchestrator.sim.opened == opened, 'the connection was lost'
    assert max(map(len, rig.process.log.splitlines())) < 400


# ---- services, status

def test_reconnect_service(rig):
    reconnects = rig.probe.status.reconnects
    assert rig.probe.call('reconnect').success
    rig.probe.wait_for_status(lambda status: (
        status.reconnects == reconnects + 1 and status.state in (
            Status.REGISTERED, Status.STABLE)))


def test_the_parameters_are_those_of_the_documented_file(rig):
    client = AsyncParameterClient(rig.probe.node, 'camera_ws_bridge')
    rig.wait(client.services_are_ready, 'the node has its parameter services')
    path = pathlib.Path(get_package_share_directory('camera_ws_bridge')) / 'config/bridge.yaml'
    documented = yaml.safe_load(path.read_text(encoding='utf-8'))['/**']['ros__parameters']
    listed, got = client.list_parameters(), client.get_parameters([*documented])
    rig.wait(lambda: listed.done() and got.done(), 'the node tells its parameters')
    values = dict(zip(documented, map(parameter_value_to_python, got.result().values)))
    assert values == {
        **documented, **rigs.FAST, 'camera_id': rigs.CAMERA_ID,
        'orchestrator_url': rig.orchestrator.sim.url}
    own = {name for name in listed.result().result.names if not name.startswith('qos_overrides.')}
    assert own - {*documented} <= {'use_sim_time', 'start_type_description_service'}


def test_diagnostics_and_status_tell_the_state(rig):
    rig.probe.diagnostics.clear()
    rig.wait(lambda: rig.probe.diagnostics)
    status = rig.probe.diagnostics[-1].status[0]
    assert (status.level, status.message) == (DiagnosticStatus.OK, 'registered')
    assert status.name == '/camera_ws_bridge: link'
    assert status.hardware_id == rigs.CAMERA_ID
    values = {value.key: value.value for value in status.values}
    assert int(values['boxes_accepted']) > 0
    rig.probe.wait_for_status(lambda status: status.acknowledged and status.round_trip_time > 0)
    assert rig.probe.status.camera_id == rigs.CAMERA_ID


# ---- outages

def test_an_outage_loses_nothing_and_stops_what_was_forgotten(tmp_path):
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
        rig.wait(lambda: rig.orchestrator.messages('featureMap'))
        rig.wait(lambda: len(rig.probe.of(Stop)) == 2)
        assert {(command.object_id, command.reason) for command in rig.probe.of(Stop)} == {
            (1, Stop.RECONCILED), (2, Stop.RECONCILED)}
        rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)
        assert not rig.probe.status.dropped
        firsts = list(dict.fromkeys(rig.orchestrator.frame_ids()))
        assert firsts == sorted(firsts)


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


# ---- the process as such

@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_flushes_and_ends_with_0(tmp_path, number):
    with rigs.running(tmp_path) as rig:
        rig.probe.publish_frames(range(200))
        rig.process.signal(number)
        assert rig.process.wait() == 0
        assert set(rig.orchestrator.frame_ids()) == set(map(float, range(200)))


@pytest.mark.parametrize(('url', 'code', 'says'), [
    ('', 2, 'orchestrator_url: is not set'),
    ('http://localhost:1/processor', 2, 'must begin with ws: or wss:'),
    ('ws://localhost:99999/processor', 2, 'orchestrator_url'),
    ('ws://user:secret@localhost:1/processor', 2, 'user name or password'),
    ('ws://127.0.0.1:{closed}/processor', 3, 'gave up after 1 s: nothing listens there'),
    ('ws://127.0.0.1:{open}/wrong', 2, 'HTTP 404'),
])
def test_what_can_never_work_ends_with_one_line_that_says_what_to_do(tmp_path, url, code, says):
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread)
    with socket.socket() as closed, rigs.own_domain() as domain:
        closed.bind(('127.0.0.1', 0))  # bound, but not listening
        url = url.format(closed=closed.getsockname()[1], open=orchestrator.port)
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=url, camera_id='cam-1',
            connect_timeout=1.0)
        assert process.wait() == code, process.log
        assert says in process.log
        assert 'Traceback' not in process.log
        assert 'secret' not in process.log
    orchestrator.die()
    loop_thread.stop()


@pytest.mark.parametrize(('parameters', 'says'), [
    ({'camera_id': ''}, 'camera_id'),
    ({'connect_timeout': 60}, 'connect_timeout: must be a number with a point'),
    ({'connect_timeout': -1.0}, 'connect_timeout: must be in 0 to 86400'),
    ({'boxes_max_messages': 1}, 'boxes_max_messages: must be in 2 to'),
    ({'reconnect_delay_min': 20.0}, 'reconnect_delay_min'),
    ({'orchestrator_url': 'wss://localhost/processor', 'tls_ca_file': 'nowhere.pem'},
     'tls_ca_file: nowhere.pem'),
])
def test_bad_parameters_end_with_2(tmp_path, parameters, says):
    values = {'orchestrator_url': 'ws://localhost:1/processor', 'camera_id': 'cam-1', **parameters}
    with rigs.own_domain() as domain:
        process = rigs.Process(domain, tmp_path / 'log', **values)
        assert process.wait() == 2, process.log
        assert says in process.log
        assert 'Traceback' not in process.log


def test_the_environment_gives_url_and_camera_id(tmp_path):
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread)
    with rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        process = rigs.Process(domain, tmp_path / 'log', environment={
            'ORCHESTRATOR_URL': orchestrator.sim.url, 'CAMERA_ID': 'from-environment'})
        probe.wait(lambda: orchestrator.messages('identifier'))
        assert orchestrator.messages('identifier')[0]['id'] == 'from-environment'
        assert process.end() == 0
        probe.close()
    orchestrator.die()
    loop_thread.stop()


def test_accept_then_close_is_not_called_in_a_hot_loop(tmp_path):
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread)
    orchestrator.do('accept_then_close')
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=orchestrator.sim.url, camera_id='cam-1',
            connect_timeout=10.0)
        assert process.wait() == 3
        assert 2 <= orchestrator.sim.opened <= 10
    orchestrator.die()
    loop_thread.stop()


def test_an_idle_bridge_costs_next_to_nothing(tmp_path):
    with rigs.running(tmp_path) as rig:
        rig.probe.wait_for_status(lambda status: status.state == Status.STABLE)
        used, began = rig.process.info.cpu_times(), rigs.time.monotonic()
        rig.wait(lambda: rigs.time.monotonic() - began > 5.0)
        now = rig.process.info.cpu_times()
        share = (now.user + now.system - used.user - used.system) / (
            rigs.time.monotonic() - began)
        assert share < 0.02, f'{share:.1%} of one core'
        assert rig.process.info.memory_info().rss < 90 * 2**20


def test_two_bridges_in_namespaces_do_not_mix(tmp_path):
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread)
    with rigs.own_domain() as domain:
        probes, processes = [], []
        for name in ('gate', 'hall'):
            folder = pathlib.Path(tmp_path / name)
            folder.mkdir()
            probes.append(rigs.Probe(domain, namespace=name))
            processes.append(rigs.Process(
                domain, folder / 'log', '-r', f'__ns:=/{name}', orchestrator_url=(
                    orchestrator.sim.url), camera_id=name))
        for probe in probes:
            probe.wait_until_registered()
        orchestrator.do('send', camera='hall', text=stop(5))
        probes[1].wait(lambda: probes[1].of(Stop))
        orchestrator.do('send', camera='gate', text=stop(6))
        probes[0].wait(lambda: probes[0].of(Stop))
        assert [command.object_id for command in probes[0].commands] == [6]
        assert [command.object_id for command in probes[1].commands] == [5]
        for probe, process in zip(probes, processes):
            assert process.end() == 0
            probe.close()
    orchestrator.die()
    loop_thread.stop()


def test_the_spool_keeps_the_buffer_over_a_kill(tmp_path):
    spool = tmp_path / 'spool' / 'gate.sqlite'
    loop_thread = rigs.LoopThread()
    orchestrator = rigs.Orchestrator(loop_thread)
    with rigs.own_domain() as domain:
        probe = rigs.Probe(domain)

        def process(name):
            return rigs.Process(
                domain, tmp_path / name, orchestrator_url=orchestrator.sim.url,
                camera_id=rigs.CAMERA_ID, spool_path=str(spool), connect_timeout=0.0,
                **rigs.FAST)
        first = process('first')
        probe.wait_until_registered()
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
        kept = [wire.loads(row.payload) for row in left.load()]
        left.close()
        assert len(kept) >= 101, 'all was committed'
        probe.status = Status()
        orchestrator.come_back()
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
        orchestrator.die()
        loop_thread.stop()


def test_a_token_from_a_file_is_shown_and_never_told(tmp_path):
    canary = 'eyJhbGciOiJub25lIn0.canary-7f3a.'
    token = tmp_path / 'token'
    token.touch(0o600)
    token.write_text('wrong-' + canary)
    with rigs.own_domain() as domain:
        loop_thread = rigs.LoopThread()
        orchestrator = rigs.Orchestrator(loop_thread, token=canary)
        probe = rigs.Probe(domain)
        process = rigs.Process(
            domain, tmp_path / 'log', '--log-level', 'debug', camera_id=rigs.CAMERA_ID,
            orchestrator_url=orchestrator.sim.url, token_file=str(token), **rigs.FAST)
        probe.wait_for_status(lambda status: status.cause.startswith('rejected_token'))
        token.write_text(canary + '\n')
        probe.wait_until_registered()
        assert orchestrator.messages('authenticate')[-1]['jwt'] == canary
        probe.wait(lambda: probe.diagnostics)
        told = [process.log, str(probe.statuses), str(probe.diagnostics),
                ' '.join(process.info.cmdline()), str(process.info.environ())]
        assert all('canary' not in text for text in told)
        assert process.end() == 0
        probe.close()
        orchestrator.die()
        loop_thread.stop()


def test_a_token_does_not_cross_a_network_in_clear_text(tmp_path):
    token = tmp_path / 'token'
    token.touch(0o600)
    token.write_text('secret')
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url='ws://orchestrator.example:1/processor',
            camera_id='cam-1', token_file=str(token))
        assert process.wait() == 2
        assert 'unencrypted' in process.log and 'insecure_token_host' in process.log


def _count(counts: list) -> int:
    return sum(count.count for count in counts)


def _resources(process) -> dict[str, int]:
    return {'threads': process.num_threads(), 'fds': process.num_fds(),
            'rss': process.memory_info().rss}
