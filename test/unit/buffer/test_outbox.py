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

"""The buffer keeps order and bounds, forgets only what is acknowledged, and counts every loss."""

from camera_ws_bridge.buffer.outbox import BOXES, Item, Policy, UPDATES
from rigs.outbox_rig import adds_up, fill, numbered, outbox, payloads


def test_empty():
    box = outbox()
    assert len(box) == len(box.boxes) == len(box.updates) == box.in_flight == 0
    assert box.take(0.0) == []
    assert box.restore() == box.clear('cleared') == 0
    assert box.oldest_age(5.0) == 0.0
    assert box.boxes.oldest_at() is None
    box.acknowledge(5)
    box.expire(5.0)
    assert (box.sent, box.acknowledged, box.dropped) == (0, 0, {})
    assert (box.boxes.name, box.updates.name) == (BOXES, UPDATES)


def test_a_message_goes_its_way():
    box = outbox()
    box.put(box.boxes, b'first', 1.0)
    box.put(box.boxes, b'second', 2.0)
    assert (len(box), len(box.boxes), box.in_flight, box.sent) == (2, 2, 0, 0)
    first, second = box.take(3.0)
    assert (first.payload, first.accepted_at, first.object_id, first.serial) == (
        b'first', 1.0, None, 1)
    assert (second.payload, second.serial) == (b'second', 2)
    assert (len(box), box.in_flight, box.in_flight_bytes, box.sent) == (2, 2, 11, 2)
    assert box.take(3.0) == []
    box.acknowledge(first.serial)
    assert (len(box), box.in_flight, box.in_flight_bytes, box.acknowledged) == (1, 1, 6, 1)
    box.acknowledge(second.serial)
    assert (len(box), box.in_flight, box.in_flight_bytes, box.acknowledged) == (0, 0, 0, 2)
    assert (box.boxes.bytes, box.boxes.accepted, box.boxes.peak) == (0, 2, 2)
    assert box.dropped == {}


def test_it_is_as_full_as_its_fuller_lane():
    box = outbox(boxes=Policy(10, 100), updates=Policy(4, 100))
    assert box.fill() == 0.0
    fill(box, box.boxes, b'x' * 30, b'x' * 20)
    assert box.fill() == 0.5
    fill(box, box.updates, b'1', b'2', b'3')
    assert box.fill() == 0.75


def test_the_peak_of_the_bytes_is_since_it_was_last_asked_for():
    box = outbox()
    box.put(box.boxes, b'12345', 1.0)
    box.put(box.updates, b'123', 1.0)
    box.acknowledge(box.take(1.0)[-1].serial)
    assert box.take_peak_bytes() == 8
    assert box.take_peak_bytes() == 0
    box.put(box.boxes, b'1234', 1.0)
    assert [box.take_peak_bytes() for _ in range(2)] == [4, 4]


def test_an_update_knows_its_object():
    box = outbox()
    box.put(box.updates, b'update', 1.0, 7)
    item, = box.take(1.0)
    assert isinstance(item, Item)
    assert item.object_id == 7


def test_updates_go_first_and_each_lane_keeps_its_order():
    box = outbox()
    fill(box, box.boxes, b'b1', b'b2')
    fill(box, box.updates, b'u1', b'u2')
    fill(box, box.boxes, b'b3')
    batch = box.take(0.0)
    assert payloads(batch) == [b'u1', b'u2', b'b1', b'b2', b'b3']
    assert [item.serial for item in batch] == [1, 2, 3, 4, 5]


# ---- acknowledgements and lost connections

def test_an_acknowledgement_is_of_all_up_to_it_in_both_lanes():
    box = outbox(window_messages=4)
    fill(box, box.boxes, *numbered(3))
    fill(box, box.updates, b'u1', b'u2')
    box.take(0.0)
    box.acknowledge(3)
    assert payloads(box.boxes.in_flight) == [b'0001']
    assert payloads(box.updates.in_flight) == []
    assert (box.acknowledged, box.in_flight_bytes) == (3, 4)
    box.acknowledge(3)
    box.acknowledge(0)
    assert box.acknowledged == 3


def test_an_acknowledgement_does_not_touch_what_was_not_written():
    box = outbox()
    fill(box, box.boxes, b'queued')
    box.acknowledge(10**6)
    assert (box.acknowledged, len(box)) == (0, 1)


def test_restore_puts_back_all_in_order_without_loss():
    box = outbox(boxes=Policy(10, 10**6), window_messages=4)
    fill(box, box.boxes, *numbered(8))
    fill(box, box.updates, b'u1', b'u2')
    box.take(0.0)
    box.acknowledge(1)
    assert box.restore() == 3
    assert payloads(box.updates.queued) == [b'u2']
    assert payloads(box.boxes.queued) == numbered(8)
    assert (box.in_flight, box.in_flight_bytes, box.dropped) == (0, 0, {})
    assert box.boxes.bytes == 32
    assert box.restore() == 0


def test_what_is_sent_again_has_a_new_serial():
    box = outbox()
    fill(box, box.boxes, b'first', b'second')
    box.take(0.0)
    box.restore()
    assert [item.serial for item in box.take(0.0)] == [3, 4]
    assert box.sent == 4
    box.acknowledge(2)  # comes too late: it is of the lost connection
    assert box.in_flight == 2
    box.acknowledge(3)
    assert payloads(box.boxes.in_flight) == [b'second']


# ---- age

def test_what_is_too_old_is_dropped_when_it_would_be_written():
    box = outbox(boxes=Policy(1000, 10**6, max_age=5.0))
    box.put(box.boxes, b'old', 0.0)
    box.put(box.boxes, b'just young enough', 1.0)
    assert payloads(box.take(6.0)) == [b'just young enough']
    assert box.dropped == {'boxes_too_old': 1}
    assert adds_up(box)


def test_expire_drops_without_writing():
    box = outbox(boxes=Policy(1000, 10**6, max_age=5.0))
    box.put(box.boxes, b'old', 0.0)
    box.put(box.boxes, b'young', 4.0)
    box.expire(6.0)
    assert payloads(box.boxes.queued) == [b'young']
    assert (box.sent, box.boxes.bytes) == (0, 5)
    assert box.dropped == {'boxes_too_old': 1}


def test_each_lane_has_its_own_age():
    box = outbox(updates=Policy(1000, 10**6, max_age=5.0))
    box.put(box.boxes, b'boxes', 0.0)
    box.put(box.updates, b'update', 0.0)
    box.expire(1e9)
    assert (len(box.boxes), len(box.updates)) == (1, 0)
    assert box.dropped == {'updates_too_old': 1}


def test_what_is_in_flight_grows_old_only_once_it_is_restored():
    box = outbox(boxes=Policy(1000, 10**6, max_age=5.0))
    box.put(box.boxes, b'boxes', 0.0)
    box.take(0.0)
    box.expire(100.0)
    assert box.in_flight == 1
    box.restore()
    assert box.take(100.0) == []
    assert box.dropped == {'boxes_too_old': 1}
    assert len(box) == 0


def test_oldest_age_is_of_both_lanes_in_flight_included():
    box = outbox()
    box.put(box.updates, b'update', 3.0)
    assert box.oldest_age(10.0) == 7.0
    box.put(box.boxes, b'boxes', 2.0)
    box.put(box.boxes, b'boxes', 5.0)
    assert box.oldest_age(10.0) == 8.0
    box.take(10.0)
    assert box.oldest_age(10.0) == 8.0
    box.acknowledge(2)
    assert (box.boxes.oldest_at(), box.oldest_age(10.0)) == (5.0, 5.0)


# ---- clear

def test_clear_drops_what_is_queued_under_the_given_cause():
    box = outbox(window_messages=2)
    fill(box, box.boxes, *numbered(5))
    fill(box, box.updates, b'u1', b'u2', b'u3')
    box.take(0.0)
    assert box.clear('cleared') == 6
    assert (len(box), box.in_flight) == (2, 2)
    assert box.dropped == {'boxes_cleared': 5, 'updates_cleared': 1}
    assert (box.boxes.bytes, box.updates.bytes) == (0, 4)
    assert adds_up(box)
    box.acknowledge(2)
    assert box.acknowledged == 2
    assert adds_up(box)


# ---- messages that the peer refuses for their size

def test_the_greatest_in_flight_is_given_up_after_the_second_refusal():
    box = outbox()
    fill(box, box.boxes, b'small', b'much too big', b'small too')
    fill(box, box.updates, b'update', object_id=1)
    for refusal in (1, 2):
        box.take(0.0)
        given_up = box.refused_as_too_big()
        assert (given_up is None) == (refusal == 1)
        box.restore()
        assert adds_up(box)
    assert given_up.payload == b'much too big'
    assert box.dropped == {'boxes_refused_by_peer': 1}
    assert payloads(box.take(0.0)) == [b'update', b'small', b'small too']
    assert box.boxes.bytes == len(b'small') + len(b'small too')


def test_a_refusal_with_nothing_in_flight_is_nobodys_fault():
    box = outbox()
    fill(box, box.boxes, b'queued')
    assert box.refused_as_too_big() is None
    assert payloads(box.boxes.queued) == [b'queued']
