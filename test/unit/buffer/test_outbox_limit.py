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

"""The buffer under limits that change while it holds messages."""

from camera_ws_bridge.buffer.outbox import Outbox, Policy
from hypothesis import given, strategies as st
import pytest

PLENTY = Policy(1000, 10**6)
NEWEST = Policy(1000, 10**6, newest_per_object=True)


def filled(boxes=0, updates=()):
    """Return a buffer with so many boxes of ten bytes, and an update for each object id."""
    box = Outbox(PLENTY, NEWEST)
    for number in range(boxes):
        box.put(box.boxes, b'%010d' % number, float(number))
    for place, object_id in enumerate(updates):
        box.put(box.updates, b'%010d' % place, 0.0, object_id)
    return box


def kept(lane):
    """Return the numbers in the payloads of a lane's queue."""
    return [int(item.payload) for item in lane.queued]


@pytest.mark.parametrize('policy, now, left, dropped', (
    (Policy(3, 10**6), 0.0, [7, 8, 9], {'boxes_overflow': 7}),
    (Policy(1000, 45), 0.0, [6, 7, 8, 9], {'boxes_overflow': 6}),
    (Policy(1000, 10**6, max_age=2.0), 9.0, [7, 8, 9], {'boxes_too_old': 7}),
    (Policy(2, 10**6, max_age=2.0), 9.0, [8, 9], {'boxes_too_old': 7, 'boxes_overflow': 1}),
    (Policy(5000, 10**7), 0.0, [*range(10)], {})))
def test_what_does_not_fit_any_more_is_dropped_and_counted(policy, now, left, dropped):
    box = filled(boxes=10)
    box.limit(policy, NEWEST, now)
    assert (kept(box.boxes), dict(box.dropped)) == (left, dropped)
    assert box.boxes.bytes == 10 * len(left)


def test_superseded_updates_go_first():
    box = filled(updates=[1, 2, 1, 3, 2, 1])
    box.limit(PLENTY, Policy(4, 10**6, newest_per_object=True), 0.0)
    assert (kept(box.updates), dict(box.dropped)) == ([2, 3, 4, 5], {'updates_superseded': 2})
    box.limit(PLENTY, Policy(2, 10**6, newest_per_object=True), 0.0)
    assert kept(box.updates) == [4, 5]
    assert dict(box.dropped) == {'updates_superseded': 3, 'updates_overflow': 1}


def test_what_is_in_flight_stays_until_the_connection_is_lost():
    box = filled(boxes=10)
    assert len(box.take(0.0)) == 10
    box.limit(Policy(3, 10**6), NEWEST, 0.0)
    assert (len(box.boxes), box.dropped.total()) == (10, 0)
    box.restore()
    assert (kept(box.boxes), dict(box.dropped)) == ([7, 8, 9], {'boxes_overflow': 7})


def test_higher_limits_hold_at_once():
    box = Outbox(Policy(2, 10**6), NEWEST)
    box.limit(PLENTY, NEWEST, 0.0)
    for number in range(10):
        box.put(box.boxes, b'%d' % number, 0.0)
    assert len(box.boxes) == 10


def test_a_great_step_down_takes_no_great_time():
    box = Outbox(PLENTY, Policy(10**6, 10**9, newest_per_object=True))
    for place in range(50_000):
        box.put(box.updates, b'%d' % place, 0.0, place % 25_000)
    box.limit(PLENTY, Policy(2, 10**6, newest_per_object=True), 0.0)  # quadratic: minutes
    assert kept(box.updates) == [49_998, 49_999]


@given(updates=st.lists(st.integers(0, 4), max_size=30), limit=st.integers(1, 30),
       taken=st.booleans())
def test_every_message_is_accounted_for(updates, limit, taken):
    box = filled(updates=updates)
    in_flight = len(box.take(0.0)) if taken else 0
    box.limit(PLENTY, Policy(limit, 10**6, newest_per_object=True), 0.0)
    assert len(updates) == len(box.updates) + box.dropped.total()
    assert len(box.updates) <= max(limit, in_flight)
    assert kept(box.updates) == sorted(kept(box.updates))
    survivors = {updates[number] for number in kept(box.updates)}
    if not taken and limit >= len(set(updates)):
        assert survivors == set(updates)
