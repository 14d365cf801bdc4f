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

"""The buffer's journal, and what an earlier life left."""

from camera_ws_bridge.buffer.outbox import Item, Policy
from rigs.outbox_rig import adds_up, fill, outbox, payloads


class Journal:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def added(self, lane_name, item):
        self.told.append(('added', lane_name, item.id, item.payload, item.object_id))

    def gone(self, id):  # noqa: A002
        self.told.append(('gone', id))


def test_the_journal_hears_of_what_comes_and_of_what_goes_by_whichever_way():
    box = outbox(boxes=Policy(2, 100), updates=Policy(10, 100))
    box.journal = Journal()
    fill(box, box.boxes, b'1', b'2')
    fill(box, box.updates, b'u', object_id=7)
    first = box.next_id - 3
    assert box.journal.told == [
        ('added', 'boxes', first, b'1', None),
        ('added', 'boxes', first + 1, b'2', None),
        ('added', 'updates', first + 2, b'u', 7)]
    del box.journal.told[:]
    fill(box, box.boxes, b'3')  # drops the oldest
    fill(box, box.boxes, b'4' * 101)  # never was in the buffer
    box.clear('cleared')
    told = box.journal.told
    assert [entry for entry in told if entry[0] == 'added'] == [
        ('added', 'boxes', first + 3, b'3', None)]
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
