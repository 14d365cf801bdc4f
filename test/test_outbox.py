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

from camera_ws_bridge.outbox import BOXES, Item, Outbox, Policy, UPDATES
import pytest

PLENTY = Policy(1000, 10**6)


def outbox(boxes=PLENTY, updates=PLENTY, **window):
    """Return an Outbox."""
    return Outbox(boxes, updates, **window)


def fill(lane_of, lane, *payloads, at=0.0, object_id=None):
    """Put the payloads into a lane."""
    for payload in payloads:
        lane_of.put(lane, payload, at, object_id)


def put_updates(box, *updates):
    """Put updates: pairs of object id and payload."""
    for object_id, payload in updates:
        box.put(box.updates, payload, 0.0, object_id)


def payloads(items):
    """Return the payloads."""
    return [item.payload for item in items]


def numbered(count):
    """Return payloads of four bytes each."""
    return [b'%04d' % number for number in range(count)]


def adds_up(box):
    """Return whether every accepted message is accounted for."""
    accepted = box.boxes.accepted + box.updates.accepted
    queued = len(box.boxes.queued) + len(box.updates.queued)
    return accepted == (
        box.acknowledged + sum(box.dropped.values()) + queued + box.in_flight)


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


# ---- the window

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


# ---- full lanes

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


# ---- the journal, and what an earlier life left

class Journal:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def added(self, lane_name, id, payload, object_id, urgent):  # noqa: A002
        self.told.append(('added', lane_name, id, payload, object_id, urgent))

    def gone(self, id):  # noqa: A002
        self.told.append(('gone', id))


def test_the_journal_hears_of_what_comes_and_of_what_goes_by_whichever_way():
    box = outbox(boxes=Policy(2, 100), updates=Policy(10, 100))
    box.journal = Journal()
    fill(box, box.boxes, b'1', b'2')
    fill(box, box.updates, b'u', object_id=7)
    first = box.next_id - 3
    assert box.journal.told == [
        ('added', 'boxes', first, b'1', None, False),
        ('added', 'boxes', first + 1, b'2', None, False),
        ('added', 'updates', first + 2, b'u', 7, True)]
    del box.journal.told[:]
    fill(box, box.boxes, b'3')  # drops the oldest
    fill(box, box.boxes, b'4' * 101)  # never was in the buffer
    box.clear('cleared')
    told = box.journal.told
    assert [entry for entry in told if entry[0] == 'added'] == [
        ('added', 'boxes', first + 3, b'3', None, False)]
    assert sorted(entry[1] for entry in told if entry[0] == 'gone') == [
        first, first + 1, first + 2, first + 3]


def test_what_an_earlier_life_left_goes_before_what_is_queued_and_is_not_told_again():
    box = outbox()
    box.journal = Journal()
    fill(box, box.boxes, b'new')
    del box.journal.told[:]
    box.put_back(box.boxes, [Item(1, b'old', 0.0, None), Item(2, b'older', 0.0, None)])
    assert not box.journal.told
    assert payloads(box.boxes.queued) == [b'old', b'older', b'new']
    assert box.boxes.bytes == len(b'oldoldernew')
    assert adds_up(box)


def test_what_an_earlier_life_left_is_dropped_where_it_does_not_fit():
    box = outbox(boxes=Policy(2, 100))
    fill(box, box.boxes, b'new')
    box.put_back(box.boxes, [Item(1, b'old', 0.0, None), Item(2, b'older', 0.0, None)])
    assert payloads(box.boxes.queued) == [b'older', b'new']
    assert box.dropped['boxes_overflow'] == 1
    assert adds_up(box)
