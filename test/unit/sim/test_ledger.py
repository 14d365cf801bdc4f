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

"""The ledger of demo, soak and faults: it has to find what is wrong, or they prove nothing."""

import math

from camera_ws_bridge.sim.ledger import Ledger, message_of
import pytest


def boxes(*numbers):
    return [('boxes', number) for number in numbers]


def updates(*numbers):
    return [('updates', number) for number in numbers]


def ledger_of(published, arrived):
    """Return a ledger of messages that are published one a second, then arrive."""
    ledger = Ledger()
    for second, message in enumerate(published, 1):
        ledger.publish(message, float(second))
    for message in arrived:
        ledger.receive(message, 100.0)
    return ledger


@pytest.fixture(name='ledger')
def one_is_missing():
    """Return an account of five boxes, one a second, of which the third is missing."""
    return ledger_of(boxes(1, 2, 3, 4, 5), boxes(1, 2, 4, 5))


# ---- each kind of error, and nothing else

@pytest.mark.parametrize('arrived, faults', [
    (boxes(1, 2, 3), {}),
    ([*boxes(1, 2), *updates(1), *boxes(3)], {}),
    (boxes(1, 2, 1, 2, 3), {}),  # after a broken connection
    (boxes(1, 3), {'unaccounted': boxes(2)}),
    ([], {'unaccounted': boxes(1, 2, 3)}),
    (boxes(1, 3, 2), {'out of order': boxes(2)}),
    (boxes(3, 1, 2, 3), {'out of order': boxes(1, 2)}),
    (boxes(1, 2, 3, 4), {'never published': boxes(4)}),
    (boxes(1, math.nextafter(2.0, 3.0), 3), {
        'never published': boxes(math.nextafter(2.0, 3.0)), 'unaccounted': boxes(2)}),
])
def test_what_is_wrong_is_found(arrived, faults):
    ledger = ledger_of([*boxes(1, 2, 3), *updates(1)], [*updates(1), *arrived])
    ledger.settle({})
    assert ledger.faults() == faults


def test_the_order_is_that_of_publication_not_of_the_numbers():
    ledger = ledger_of(boxes(3, 1, 2), boxes(3, 2, 1))
    assert ledger.faults() == {'out of order': boxes(1)}


def test_what_comes_again_is_counted_and_the_first_time_is_kept():
    ledger = ledger_of(boxes(1, 2), boxes(1, 2))
    ledger.receive(('boxes', 1), 200.0)
    assert ledger.figures()['duplicates'] == 1
    assert ledger.arrived == {('boxes', 1): 100.0, ('boxes', 2): 100.0}
    assert not ledger.faults()


def test_a_feature_map_of_one_life_must_not_arrive_in_another():
    ledger = Ledger()
    for message in [*updates(1, 2), *boxes(1)]:
        ledger.publish(message, life=1)
        ledger.receive(message, life=2 if message != ('updates', 1) else 1)
    assert ledger.faults() == {'in another life': updates(2)}
    assert ledger.figures()['feature maps in another life'] == 1
    ledger.receive(('updates', 1), life=2)  # a repeat does as much harm
    assert ledger.faults() == {'in another life': updates(2, 1)}


def test_boxes_of_another_life_must_not_name_objects():
    ledger = Ledger()
    for message in boxes(1, 2, 3):
        ledger.publish(message, life=1)
    ledger.receive(('boxes', 1), life=1, names_objects=True)
    ledger.receive(('boxes', 2), life=2, names_objects=False)
    assert not ledger.faults()
    ledger.receive(('boxes', 3), life=2, names_objects=True)
    assert ledger.faults() == {'in another life': boxes(3)}
    assert ledger.figures()['object ids in another life'] == 1
    assert ledger.figures()['feature maps in another life'] == 0


# ---- what may be missing

def test_what_is_missing_without_a_drop_is_unaccounted_once(ledger):
    assert ledger.missing() == boxes(3)
    ledger.settle({})
    ledger.settle({})
    assert ledger.unaccounted == boxes(3) and not ledger.missing()


def test_a_drop_explains_as_many_as_were_counted(ledger):
    ledger.publish(('boxes', 6), 6.0)
    ledger.settle({'boxes_overflow': 1})
    assert ledger.unaccounted == boxes(6)
    assert ledger.dropped == {'boxes_overflow': 1}


def test_what_is_dropped_after_a_broken_connection_may_have_arrived(ledger):
    ledger.settle({'boxes_cleared': 3})
    assert not ledger.unaccounted
    figures = ledger.figures()
    assert (figures['published'], figures['arrived'], figures['of these arrived before']) == (
        5, 4, 2)


def test_a_drop_of_the_other_kind_explains_nothing(ledger):
    ledger.settle({'updates_overflow': 5})
    assert ledger.unaccounted == boxes(3)


def test_drops_count_once_in_a_life_and_anew_in_the_next(ledger):
    ledger.settle({'boxes_cleared': 1})
    ledger.publish(('boxes', 6), 6.0)
    ledger.settle({'boxes_cleared': 1})
    assert ledger.unaccounted == boxes(6)
    ledger.new_life()
    ledger.publish(('boxes', 7), 7.0)
    ledger.settle({'boxes_cleared': 1})
    assert ledger.unaccounted == boxes(6)
    assert ledger.dropped == {'boxes_cleared': 2}


@pytest.mark.parametrize('accepted, unaccounted, both', [
    ({'boxes': 4}, [], 0),  # what has never reached the bridge, it cannot send
    ({'boxes': 5}, boxes(3), 0),
    ({'boxes': 3}, [], 1),  # more has arrived than was accepted
    ({'boxes': 6}, boxes(3), -1)])
def test_what_the_bridge_has_not_accepted_may_be_missing(ledger, accepted, unaccounted, both):
    ledger.settle({}, accepted)
    assert (ledger.unaccounted, ledger.dropped_yet_arrived) == (unaccounted, both)


@pytest.mark.parametrize('at, committed, unaccounted', [
    (3.5, (), []),         # too young to be committed
    (33.0, (), [3]),       # it had all the time of the world
    (3.5, (3,), [3])])     # committed, and yet it never came
def test_a_kill_explains_only_what_was_young_and_not_committed(
        ledger, at, committed, unaccounted):
    ledger.kill(at, {*boxes(*committed)})
    ledger.settle({})
    assert ledger.unaccounted == boxes(*unaccounted)
    assert sum(ledger.lost_in_kills.values()) == 1 - len(unaccounted)
    assert ledger.figures()['oldest of these (s)'] == ('0.00' if unaccounted else '0.50')


# ---- when

def test_what_has_arrived_since():
    ledger = ledger_of(boxes(1, 2), boxes(1))
    assert ledger.has_received_since(0.5) and not ledger.has_received_since(1.5)
    ledger.receive(('boxes', 2))
    assert ledger.has_received_since(1.5)


def test_latencies_are_sorted_and_leave_out_what_is_skipped():
    ledger = Ledger()
    for sent, at in ((10.0, 10.5), (20.0, 20.25), (30.0, 33.0), (40.0, 40.125), (50.0, None)):
        ledger.publish(('boxes', sent), sent)
        if at is not None:
            ledger.receive(('boxes', sent), at)
    assert ledger.latencies() == [0.125, 0.25, 0.5, 3.0]
    assert ledger.latencies(skip=(25.0, 35.0)) == [0.125, 0.25, 0.5]
    assert ledger.latencies(skip=(20.0, 30.0)) == [0.125, 0.5]  # both ends belong to it
    assert ledger.latencies(skip=(0.0, 100.0)) == []


# ---- which message it is

@pytest.mark.parametrize('fields, message', [
    ({'type': 'boundingBoxes', 'frameId': 1.5, 'boxes': []}, ('boxes', 1.5)),
    ({'type': 'boundingBoxes', 'frameId': 7, 'boxes': []}, ('boxes', 7)),
    ({'type': 'boundingBoxes', 'boxes': []}, None),
    ({'type': 'boundingBoxes', 'frameId': '1.5'}, None),
    ({'type': 'featureMap', 'objectId': 1, 'featureMap': [2.5, 1.0]}, ('updates', 2.5)),
    ({'type': 'featureMap', 'objectId': 1, 'featureMap': {}}, None),
    ({'type': 'featureMap', 'objectId': 1, 'featureMap': []}, None),
    ({'type': 'featureMap', 'objectId': 1}, None),
    ({'type': 'identifier', 'id': 'cam-1', 'frameId': 1}, None),
    ({}, None)])
def test_a_message_is_known_by_its_type_and_number(fields, message):
    assert message_of(fields) == message
