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

"""The window: how much may be written and not yet acknowledged."""

from camera_ws_bridge.buffer.outbox import Policy
import pytest
from rigs.outbox_rig import adds_up, fill, numbered, outbox, payloads


def test_the_window_is_bounded_in_messages_over_both_lanes():
    box = outbox(window_messages=3)
    fill(box, box.boxes, *numbered(4))
    fill(box, box.updates, b'update')
    assert payloads(box.take(0.0)) == [b'update', b'0000', b'0001']
    box.acknowledge(2)
    assert payloads(box.take(0.0)) == [b'0002', b'0003']


def test_the_window_is_bounded_in_bytes_over_both_lanes():
    box = outbox(window_bytes=12)
    fill(box, box.boxes, *numbered(4))
    fill(box, box.updates, b'four')
    assert payloads(box.take(0.0)) == [b'four', b'0000', b'0001']
    assert box.in_flight_bytes == 12
    box.acknowledge(1)
    assert payloads(box.take(0.0)) == [b'0002']


def test_a_message_greater_than_the_window_goes_alone():
    box = outbox(window_bytes=10)
    fill(box, box.boxes, b'four', b'x' * 100, b'five5')
    assert payloads(box.take(0.0)) == [b'four']
    box.acknowledge(1)
    assert payloads(box.take(0.0)) == [b'x' * 100]
    box.acknowledge(2)
    assert payloads(box.take(0.0)) == [b'five5']


def test_smaller_boxes_do_not_keep_the_room_from_an_update_for_ever():
    box = outbox(window_bytes=10)
    fill(box, box.updates, b'four', b'seven..')
    fill(box, box.boxes, b'boxes')
    assert payloads(box.take(0.0)) == [b'four']
    box.acknowledge(box.sent)
    assert payloads(box.take(0.0)) == [b'seven..']
    box.acknowledge(box.sent)
    assert payloads(box.take(0.0)) == [b'boxes']


@pytest.mark.parametrize('lane', ['boxes', 'updates'])
def test_a_message_larger_than_the_window_goes_alone_and_in_its_turn(lane):
    box = outbox(window_bytes=10)
    fill(box, box.boxes, b'small')
    assert payloads(box.take(0.0)) == [b'small']
    fill(box, getattr(box, lane), b'larger than the window')
    arrived = []
    for _ in range(3):  # a stream of both kinds, so that the window is never empty by itself
        fill(box, box.boxes, b'box')
        fill(box, box.updates, b'map')
        arrived += payloads(box.take(0.0))
        box.acknowledge(box.sent)
    assert arrived[0] == b'larger than the window'
    assert adds_up(box)


def test_the_window_narrows_to_one_message_and_widens_to_what_it_was():
    box = outbox(window_messages=8, window_bytes=64)
    fill(box, box.boxes, *numbered(100))
    for _ in range(20):
        box.narrow()
    assert payloads(box.take(0.0)) == [b'0000']
    box.acknowledge(box.sent)
    box.widen()
    box.widen()
    assert (box.window_messages, box.window_bytes) == (4, 4)
    for _ in range(20):
        box.widen()
    assert (box.window_messages, box.window_bytes) == (8, 64)


@pytest.mark.parametrize('bound, in_flight', [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4), (10, 5)])
def test_at_most_half_of_a_lanes_messages_are_in_flight(bound, in_flight):
    box = outbox(boxes=Policy(bound, 10**6))
    fill(box, box.boxes, *numbered(bound))
    assert payloads(box.take(0.0)) == numbered(bound)[:in_flight]


@pytest.mark.parametrize('bound, in_flight', [(4, 1), (7, 1), (8, 1), (16, 2), (23, 2), (40, 5)])
def test_at_most_half_of_a_lanes_bytes_are_in_flight(bound, in_flight):
    box = outbox(boxes=Policy(1000, bound))
    fill(box, box.boxes, *numbered(bound // 4))
    assert payloads(box.take(0.0)) == numbered(bound // 4)[:in_flight]


def test_an_acknowledgement_is_wanted_when_half_the_window_is_used_or_something_waits():
    box = outbox(boxes=Policy(6, 10**6), window_messages=4, window_bytes=1000)
    fill(box, box.boxes, b'1')
    assert not box.wants_acknowledgement, 'nothing is in flight'
    box.take(0.0)
    assert not box.wants_acknowledgement
    fill(box, box.boxes, b'2')
    box.take(0.0)
    assert box.wants_acknowledgement, 'half of the messages'
    box.acknowledge(box.sent)
    fill(box, box.boxes, b'3' * 500)
    box.take(0.0)
    assert box.wants_acknowledgement, 'half of the bytes'
    box.acknowledge(box.sent)
    assert not box.wants_acknowledgement


@pytest.mark.parametrize('lane', ['boxes', 'updates'])
def test_an_acknowledgement_is_wanted_when_a_lanes_own_bound_lets_nothing_more_out(lane):
    box = outbox(boxes=Policy(2, 10**6), updates=Policy(2, 10**6))
    fill(box, getattr(box, lane), b'1')
    box.take(0.0)
    assert not box.wants_acknowledgement
    fill(box, getattr(box, lane), b'2')
    assert box.take(0.0) == []
    assert box.wants_acknowledgement


def test_a_lane_full_in_bytes_still_drops_its_oldest():
    box = outbox(boxes=Policy(1000, 40))
    fill(box, box.boxes, *numbered(10))
    written = box.take(0.0)
    fill(box, box.boxes, b'news')
    assert b'news' in payloads(box.boxes.queued)
    assert payloads(written) == payloads(box.boxes.in_flight)
    assert box.dropped == {'boxes_overflow': 1}
