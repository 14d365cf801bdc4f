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

"""What was accepted in a session that is over speaks of objects that are no more."""

from camera_ws_bridge.buffer.outbox import Item, Policy
from camera_ws_bridge.protocol.boxes import Boxes, flat_box, NOT_TRACKED
from camera_ws_bridge.protocol.codec import encode_utf8
from rigs.outbox_rig import adds_up, fill, outbox, payloads


def boxes(object_id=NOT_TRACKED, frame_id=1.5):
    """Return encoded boxes."""
    return encode_utf8(Boxes(
        frame_id, (flat_box(1, (0.0, 0.0, 1.0, 1.0), 'dog', 0.5, object_id),)))


def test_what_is_of_the_session_goes_as_it_is():
    box = outbox()
    box.begin_session(5)
    fill(box, box.updates, b'update', object_id=7)
    fill(box, box.boxes, boxes(7))
    box.begin_session(5)
    batch = box.take(0.0)
    assert payloads(batch) == [b'update', boxes(7)]
    assert [item.session for item in batch] == [5, 5]
    assert (box.dropped, box.boxes_ids_former_session) == ({}, 0)


def test_updates_of_a_former_session_are_dropped_at_once():
    box = outbox()
    box.begin_session(5)
    fill(box, box.updates, b'1', b'2')
    box.begin_session(6)
    assert (len(box), box.updates.bytes, box.dropped) == (0, 0, {'updates_former_session': 2})
    fill(box, box.updates, b'3')
    assert payloads(box.take(0.0)) == [b'3']
    assert adds_up(box)


def test_boxes_of_a_former_session_go_without_object_ids():
    box = outbox()
    box.begin_session(5)
    fill(box, box.boxes, boxes(7), boxes())
    box.begin_session(6)
    fill(box, box.boxes, boxes(7))
    assert payloads(box.take(0.0)) == [boxes(), boxes(), boxes(7)]
    assert box.boxes_ids_former_session == 1, 'the second one had none to lose'
    assert box.boxes.bytes == box.in_flight_bytes == len(boxes() + boxes() + boxes(7))
    assert adds_up(box)
    box.restore()
    box.begin_session(7)
    assert payloads(box.take(0.0)) == 3 * [boxes()]
    assert box.boxes_ids_former_session == 2
    box.acknowledge(box.sent)
    assert (box.boxes.bytes, box.in_flight_bytes, box.dropped) == (0, 0, {})


def test_what_was_in_flight_when_the_session_ended_is_of_it_too():
    box = outbox()
    box.begin_session(5)
    fill(box, box.updates, b'1', b'2')
    fill(box, box.boxes, boxes(7))
    assert len(box.take(0.0)) == 3
    box.begin_session(6)  # on a live connection: it is on its way
    assert (box.in_flight, box.dropped) == (3, {})
    box.restore()
    assert payloads(box.take(0.0)) == [boxes()]
    assert box.dropped == {'updates_former_session': 2}
    assert adds_up(box)


def test_what_an_earlier_life_left_is_of_its_own_session():
    box = outbox()
    box.begin_session(5)
    fill(box, box.updates, b'new')
    box.put_back(box.updates, [
        Item(1, b'4', 0.0, 1, 4), Item(2, b'unknown', 0.0, 1), Item(3, b'5', 0.0, 1, 5)])
    box.put_back(box.boxes, [Item(4, boxes(1), 0.0, None, 4), Item(5, boxes(1), 0.0, None, 5)])
    assert payloads(box.take(0.0)) == [b'5', b'new', boxes(), boxes(1)]
    assert (box.dropped, box.boxes_ids_former_session) == ({'updates_former_session': 2}, 1)
    assert adds_up(box)


def test_an_earlier_session_may_be_the_one_that_goes_on():
    box = outbox()
    box.put_back(box.updates, [Item(1, b'4', 0.0, 1, 4)])
    box.begin_session(4)
    assert payloads(box.take(0.0)) == [b'4']


def test_nothing_is_rewritten_before_its_turn():
    box = outbox(boxes=Policy(1000, 10**6), window_messages=2)
    box.begin_session(5)
    fill(box, box.boxes, *[boxes(7, number) for number in range(9)])
    box.begin_session(6)
    box.take(0.0)
    assert box.boxes_ids_former_session == 2
    assert len(box.boxes.queued[0].payload) == len(boxes(7, 2))


def test_the_journal_hears_of_what_is_dropped():
    class Journal:
        lost = []

        def added(self, lane_name, item):
            assert item.session == 5

        def gone(self, id_):
            self.lost.append(id_)
    box = outbox()
    box.journal = Journal()
    box.begin_session(5)
    fill(box, box.updates, b'update')
    box.begin_session(6)
    assert Journal.lost == [1]
