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

"""What a full lane drops, and what goes first where only the newest of an object counts."""

from camera_ws_bridge.buffer.outbox import Policy
from rigs.outbox_rig import adds_up, fill, numbered, outbox, payloads, put_updates


def test_a_lane_full_of_messages_drops_the_oldest():
    box = outbox(boxes=Policy(3, 10**6))
    fill(box, box.boxes, *numbered(5))
    assert payloads(box.boxes.queued) == numbered(5)[2:]
    assert box.dropped == {'boxes_overflow': 2}
    assert (box.boxes.accepted, box.boxes.peak, box.boxes.bytes) == (5, 3, 12)
    assert adds_up(box)


def test_a_lane_full_of_bytes_drops_as_many_as_it_must():
    box = outbox(boxes=Policy(1000, 16))
    fill(box, box.boxes, *numbered(4))
    fill(box, box.boxes, b'exactly twelve'[:12])
    assert payloads(box.boxes.queued) == [b'0003', b'exactly twel']
    assert box.dropped == {'boxes_overflow': 3}
    assert (len(box.boxes), box.boxes.bytes) == (2, 16)


def test_a_message_greater_than_its_lane_is_dropped_alone():
    box = outbox(boxes=Policy(1000, 16))
    fill(box, box.boxes, b'kept', b'x' * 17, b'y' * 12)
    assert payloads(box.boxes.queued) == [b'kept', b'y' * 12]
    assert box.dropped == {'boxes_too_big': 1}
    assert box.boxes.accepted == 3
    assert adds_up(box)


def test_a_message_as_great_as_its_lane_is_kept():
    box = outbox(boxes=Policy(1000, 16))
    fill(box, box.boxes, b'older', b'x' * 16)
    assert payloads(box.boxes.queued) == [b'x' * 16]


def test_what_is_in_flight_counts_but_is_never_dropped():
    box = outbox(boxes=Policy(4, 10**6))
    fill(box, box.boxes, *numbered(4))
    box.take(0.0)
    fill(box, box.boxes, b'new1', b'new2', b'new3')
    assert payloads(box.boxes.in_flight) == [b'0000', b'0001']
    assert payloads(box.boxes.queued) == [b'new2', b'new3']
    assert box.dropped == {'boxes_overflow': 3}
    assert box.restore() == 2
    assert payloads(box.boxes.queued) == [b'0000', b'0001', b'new2', b'new3']
    assert adds_up(box)


def test_where_all_is_in_flight_the_new_message_is_dropped():
    box = outbox(boxes=Policy(1, 10**6))
    fill(box, box.boxes, b'flying')
    box.take(0.0)
    fill(box, box.boxes, b'new')
    assert payloads(box.boxes.in_flight) == [b'flying']
    assert len(box.boxes.queued) == 0
    assert box.dropped == {'boxes_overflow': 1}
    assert adds_up(box)


def test_updates_are_not_dropped_for_boxes_nor_boxes_for_updates():
    box = outbox(boxes=Policy(2, 10**6), updates=Policy(2, 10**6, newest_per_object=True))
    put_updates(box, (1, b'u1'), (2, b'u2'))
    fill(box, box.boxes, *numbered(10))
    assert payloads(box.updates.queued) == [b'u1', b'u2']
    put_updates(box, (3, b'u3'))
    assert payloads(box.boxes.queued) == [b'0008', b'0009']
    assert box.dropped == {'boxes_overflow': 8, 'updates_overflow': 1}


# ---- newest per object

NEWEST = Policy(4, 10**6, newest_per_object=True)


def test_a_lane_that_is_not_full_keeps_all_updates_of_an_object():
    box = outbox(updates=NEWEST)
    put_updates(box, (1, b'a1'), (1, b'a2'), (1, b'a3'), (1, b'a4'))
    assert payloads(box.updates.queued) == [b'a1', b'a2', b'a3', b'a4']


def test_when_full_the_oldest_superseded_update_goes_first():
    box = outbox(updates=NEWEST)
    put_updates(box, (1, b'a1'), (2, b'b1'), (3, b'c1'), (2, b'b2'), (4, b'd1'))
    assert payloads(box.updates.queued) == [b'a1', b'c1', b'b2', b'd1']
    assert box.dropped == {'updates_superseded': 1}


def test_the_new_update_supersedes_that_of_its_object():
    box = outbox(updates=NEWEST)
    put_updates(box, (1, b'a1'), (2, b'b1'), (3, b'c1'), (4, b'd1'), (3, b'c2'))
    assert payloads(box.updates.queued) == [b'a1', b'b1', b'd1', b'c2']
    assert box.dropped == {'updates_superseded': 1}
    assert box.updates.bytes == 8


def test_where_none_is_superseded_the_oldest_goes():
    box = outbox(updates=NEWEST)
    put_updates(box, (1, b'a1'), (2, b'b1'), (3, b'c1'), (4, b'd1'), (5, b'e1'))
    assert payloads(box.updates.queued) == [b'b1', b'c1', b'd1', b'e1']
    assert box.dropped == {'updates_overflow': 1}


def test_both_causes_in_one_put():
    box = outbox(updates=Policy(1000, 12, newest_per_object=True))
    put_updates(box, (1, b'a1a1'), (2, b'b1b1'), (2, b'b2b2'), (3, b'c1c1c1c1'))
    assert payloads(box.updates.queued) == [b'b2b2', b'c1c1c1c1']
    assert box.dropped == {'updates_superseded': 1, 'updates_overflow': 1}
    assert adds_up(box)


def test_an_update_in_flight_is_not_superseded():
    box = outbox(updates=NEWEST)
    put_updates(box, (1, b'a1'), (2, b'b1'), (3, b'c1'), (4, b'd1'))
    assert payloads(box.take(0.0)) == [b'a1', b'b1']
    put_updates(box, (1, b'a2'))
    assert payloads(box.updates.in_flight) == [b'a1', b'b1']
    assert payloads(box.updates.queued) == [b'd1', b'a2']
    assert box.dropped == {'updates_overflow': 1}


def test_boxes_have_no_object_to_be_newest_of():
    box = outbox(boxes=Policy(2, 10**6))
    fill(box, box.boxes, *numbered(3))
    assert box.dropped == {'boxes_overflow': 1}
