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

"""What passes through the real bridge process: topics over DDS here, a real WebSocket there."""

from __future__ import annotations

import base64
import math
import pathlib

from ament_index_python import get_package_share_directory
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge_msgs.msg import Start, Status, Stop, Update
from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rclpy.parameter import parameter_value_to_python
from rigs import process_rig as rigs
from rigs.bad_inputs import REJECTED
from rigs.commands import feature_map, start, stop
from rigs.damaged_starts import DAMAGED
from rigs.parameter_client import ParameterClient
from rigs.texts import UNEXPECTED
import yaml


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
    uri = IMAGE_PREFIX + base64.b64encode(picture).decode()
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


def test_a_start_is_passed_on_without_what_is_unusable_in_it(rig):
    def counted(cause):
        return sum(count.count for count in rig.probe.status.rejected_inbound
                   if count.cause == cause)

    uri = IMAGE_PREFIX + base64.b64encode(a_picture()).decode()
    before = {cause: counted(cause) for cause in ('image_unusable', 'frame_unusable')}
    rig.probe.commands.clear()
    rig.orchestrator.send(
        start(4, frameId=1.5, boxId=3, image='data:,'), start(5, boxId=3, image=uri),
        start(6, image=None), stop(4), stop(5), stop(6))
    rig.wait(lambda: len(rig.probe.of(Stop)) == 3 and len(rig.probe.of(Start)) == 3)
    by_box, by_image, by_nothing = rig.probe.of(Start)
    assert (by_box.has_frame, by_box.frame_id, by_box.box_id) == (True, 1.5, 3)
    assert (len(by_box.image.data), by_box.image.format, by_box.frame_problem) == (0, '', '')
    assert by_box.image_problem == (
        f'invalid_field: begins with data:, instead of {IMAGE_PREFIX}')
    assert (by_image.has_frame, by_image.frame_problem) == (False, 'frameId: missing')
    assert (bytes(by_image.image.data), by_image.image_problem) == (a_picture(), '')
    assert (by_nothing.object_id, by_nothing.has_frame, by_nothing.frame_problem) == (6, False, '')
    assert by_nothing.image_problem == 'invalid_field: a JSON null is not a data URI'
    rig.wait(lambda: counted('image_unusable') == before['image_unusable'] + 2)
    rig.wait(lambda: counted('frame_unusable') == before['frame_unusable'] + 1)


def test_no_bad_input_costs_more_than_one_log_line(rig):
    bad = [*((entry.name, entry.text) for entry in (*REJECTED, *DAMAGED)),
           *((text, text) for text in UNEXPECTED)]
    assert len(bad) >= 398
    opened = rig.orchestrator.sim.opened
    before = _count(rig.probe.status.rejected_inbound)
    for number, (name, text) in enumerate(bad):
        good = 10000 + number
        rig.orchestrator.send(text, stop(good))
        rig.wait(lambda: any(command.object_id == good for command in rig.probe.of(Stop)),
                 f'the next good message works after {name}')
    rig.orchestrator.send(stop(7))  # which the damaged starts have named
    rig.wait(lambda: _count(rig.probe.status.rejected_inbound) == before + len(bad))
    assert rig.orchestrator.sim.opened == opened, 'the connection was lost'
    assert max(map(len, rig.process.log.splitlines())) < 400


def test_the_longest_message_that_the_orchestrator_may_make_of_one_costs_no_connection(rig):
    numbers = ', '.join(2 * 2**20 * ['1000000000000000.0'])  # came as 1e15: 10 MiB
    opened, stops = rig.orchestrator.sim.opened, len(rig.probe.of(Stop))
    before = {count.cause: count.count for count in rig.probe.status.rejected_inbound}
    rig.orchestrator.send(
        '{"type": "featureMap", "objectId": 7, "featureMap": [%s]}' % numbers, stop(7))
    rig.wait(lambda: len(rig.probe.of(Stop)) > stops)
    rig.probe.wait_for_status(lambda status: any(
        count.cause == 'too_big' and count.count == before.get('too_big', 0) + 1
        for count in status.rejected_inbound))
    assert rig.orchestrator.sim.opened == opened


def test_the_log_says_what_writes_json(rig):
    assert rig.process.log.count(f'json: {strict_json.WRITER}') == 1


# ---- services, status

def test_reconnect_service(rig):
    reconnects = rig.probe.status.reconnects
    assert rig.probe.call('reconnect').success
    rig.probe.wait_for_status(lambda status: (
        status.reconnects == reconnects + 1 and status.state in (
            Status.REGISTERED, Status.STABLE)))
    assert rig.probe.status.cause == 'reconnect: told to connect anew'


def test_the_parameters_are_those_of_the_documented_file(rig):
    client = ParameterClient(rig.probe.node, 'camera_ws_bridge')
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
    assert values['state'] in ('registered', 'stable') and 'cause' not in values
    rig.probe.wait_for_status(lambda status: status.acknowledged and status.round_trip_time > 0)
    assert rig.probe.status.camera_id == rigs.CAMERA_ID


def _count(counts: list) -> int:
    return sum(count.count for count in counts)
