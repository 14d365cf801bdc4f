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

"""Every metric, from a report with plain objects in the place of messages."""

from types import SimpleNamespace as Message

from camera_ws_bridge.link.link import State
from camera_ws_bridge.metrics import families
from camera_ws_bridge.metrics.families import FAMILIES
from camera_ws_bridge.ros.managed_node import LABELS
from camera_ws_bridge_msgs.msg import Count, Status
import pytest


def report(**fields):
    counts = {'dropped': {'boxes_overflow': 3, 'updates_cleared': 1},
              'rejected_outbound': {'adapter': 2}, 'rejected_inbound': {'rate': 5, 'adapter': 1}}
    status = Status(
        camera_id='gate', state=3, lifecycle=3, round_trip_time=0.25, boxes_queued=7,
        updates_queued=2, boxes_queued_bytes=700, updates_queued_bytes=90, oldest_age=1.5,
        boxes_accepted=100, updates_accepted=20, sent=130, acknowledged=107, boxes_lost=4,
        updates_lost=6, boxes_ids_former_session=8, starts=9, stops=10, updates=11, untold=12,
        session=13, spool='ok',
        **{name: [Count(cause=cause, count=count) for cause, count in by.items()]
           for name, by in counts.items()})
    for name, value in fields.items():
        setattr(status, name, value)
    return Message(status=status, wanted=True, fill=0.5, registered_seconds=60.25,
                   reconnects={'silent': 2, 'network': 1}, at=0.0)


def samples(name, **fields):
    (family,) = (each for each in FAMILIES if each.name == name)
    found = family.samples(report(**fields))
    assert all(len(labels) == len(family.labels) or family.kind == families.STATES_OF
               for labels in found)
    return found


@pytest.mark.parametrize('name, found', [
    ('registered', {(): True}), ('wanted', {(): True}), ('registered_seconds', {(): 60.25}),
    ('reconnects', {('silent',): 2, ('network',): 1}), ('round_trip_seconds', {(): 0.25}),
    ('queued_messages', {('boxes',): 7, ('updates',): 2}),
    ('queued_bytes', {('boxes',): 700, ('updates',): 90}), ('buffer_fill_ratio', {(): 0.5}),
    ('oldest_queued_seconds', {(): 1.5}),
    ('accepted_messages', {('boxes',): 100, ('updates',): 20}), ('sent_messages', {(): 130}),
    ('acknowledged_messages', {(): 107}),
    ('dropped_messages', {('boxes_overflow',): 3, ('updates_cleared',): 1}),
    ('rejected_messages', {('from_ros', 'adapter'): 2, ('from_orchestrator', 'rate'): 5,
                           ('from_orchestrator', 'adapter'): 1}),
    ('lost_messages', {('boxes',): 4, ('updates',): 6}), ('former_session_boxes', {(): 8}),
    ('commands', {('start',): 9, ('stop',): 10, ('update',): 11}), ('untold_objects', {(): 12}),
    ('session', {(): 13}), ('spool_degraded', {(): False})])
def test_a_metric_is_the_figure_of_the_status(name, found):
    assert samples(name) == found


def test_all_metrics_are_tested_and_none_has_a_name_twice():
    names = [family.name for family in FAMILIES]
    assert len({*names}) == len(names)
    tested = {each[0] for each in (
        test_a_metric_is_the_figure_of_the_status.pytestmark[0].args[1])}
    assert {*names} - tested == {'state', 'lifecycle'}


def test_the_states_are_those_of_the_link_and_the_node():
    assert [*families.STATES] == [state.name.lower() for state in State]
    assert families.LIFECYCLE == {
        number: label for number, label in LABELS.items() if number in families.LIFECYCLE}
    for state in State:
        found = samples('state', state=int(state))
        assert [name for (name,), value in found.items() if value] == [state.name.lower()]
        assert samples('registered', state=int(state)) == {
            (): state in (State.REGISTERED, State.STABLE)}
    found = samples('lifecycle', lifecycle=2)
    assert [name for (name,), value in found.items() if value] == ['inactive']


def test_a_spool_that_cannot_be_written_shows():
    assert samples('spool_degraded', spool='degraded: no space') == {(): True}
    assert samples('spool_degraded', spool='') == {(): False}
