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

"""The spool gives back what was written, in order, and keeps its size."""

import os

from camera_ws_bridge.buffer.spool import table
from camera_ws_bridge.buffer.spool.spool import Spool, SpoolError
from camera_ws_bridge.errors import BridgeError
import pytest
from rigs.spool_rig import boxes, MIB, mixed, reopened, update


# ---- rows

def test_a_new_spool_is_empty(spool, path):
    assert (spool.load(), spool.ids(), spool.report) == ([], [], '')
    assert spool.bytes() == os.path.getsize(path) > 0


def test_rows_come_back_as_they_were_in_order_of_ids(spool, path):
    rows = [boxes(3, b''), update(1, bytes(range(256)) * 100), update(2**40, object_id=-2**63)]
    spool.write(rows, ())
    assert spool.load() == sorted(rows)
    spool.close()
    assert reopened(path) == (sorted(rows), '')


def test_rows_are_removed_and_added_in_one_go(spool):
    spool.write(mixed(1, 10), ())
    spool.write([boxes(11)], [1, 2, 3, 99])
    assert spool.load() == [*mixed(1, 10)[3:], boxes(11)]


def test_what_is_written_twice_is_there_once(spool):
    spool.write([boxes(1)], ())
    spool.write([boxes(1)], ())
    assert spool.load() == [boxes(1)]


def test_writing_nothing_is_no_fault(spool):
    spool.write((), ())
    assert spool.load() == []


def statements(spool):
    """Return the list that the statements of the spool go to from now on."""
    said = []
    spool._connection.set_trace_callback(said.append)
    return said


@pytest.mark.parametrize('rows, level', [
    ([boxes(1)], 'NORMAL'), ([update(1)], 'FULL'), ([boxes(1), update(2)], 'FULL'),
    ([], 'NORMAL')])
def test_updates_are_synced_boxes_are_not(spool, rows, level):
    said = statements(spool)
    spool.write(rows, ())
    assert said[0] == f'PRAGMA synchronous = {level}'
    assert spool._pragma('synchronous') == {'NORMAL': 1, 'FULL': 2}[level]


def test_the_settings_that_safety_rests_on(spool):
    assert spool._execute('PRAGMA journal_mode') == [('wal',)]
    assert spool._execute('PRAGMA locking_mode') == [('exclusive',)]
    assert spool._pragma('mmap_size') == 0
    assert spool._pragma('auto_vacuum') == 2
    assert spool._pragma('max_page_count') == MIB // 1024
    assert spool._pragma('user_version') == table.VERSION


def test_no_file_is_mapped_which_could_be_cut_under_us(spool, path):
    spool.write([boxes(1)], ())
    for _ in range(2):
        assert not os.path.exists(path + '-shm')
        spool.reopen()
        spool.write([boxes(2)], ())


def test_a_bug_leaves_no_transaction_open(spool):
    with pytest.raises(OverflowError):
        spool.write([boxes(1), update(2, object_id=2**64)], ())
    spool.write([boxes(3)], ())
    assert spool.ids() == [3]


def test_a_closed_spool_says_so(spool):
    spool.close()
    spool.close()
    for use in (spool.load, spool.ids, spool.shrink, lambda: spool.write((), ())):
        with pytest.raises(SpoolError) as caught:
            use()
        assert caught.value.cause == 'closed'
        assert not caught.value.usable
    assert isinstance(caught.value, BridgeError)


def test_bytes_of_a_missing_file(spool, path):
    spool.close()
    os.unlink(path)
    assert spool.bytes() == 0


# ---- size

def test_the_page_limit_is_kept_and_nothing_of_the_write_is_there(spool, path):
    spool.write(mixed(1, 10), ())
    with pytest.raises(SpoolError, match=r'^spool_max_bytes \(4194304\) is reached$') as caught:
        spool.write([boxes(id_, b'x' * 10000) for id_ in range(11, 1000)], [1])
    assert (caught.value.cause, caught.value.usable) == ('limit', True)
    assert spool.load() == mixed(1, 10)
    spool.write([update(2000)], [1])  # what fits goes on
    spool.close()
    assert os.path.getsize(path) <= 4 * MIB
    assert reopened(path)[0] == [*mixed(1, 10)[1:], update(2000)]


def test_a_spool_full_to_the_limit_can_be_drained(path):
    spool = Spool.open(path, MIB)
    added = 0
    with pytest.raises(SpoolError) as caught:
        while True:
            spool.write([boxes(added + 1, b'x' * 3000)], ())
            added += 1
    assert caught.value.cause == 'limit'
    assert added > 200
    for id_ in range(1, added + 1):
        spool.write((), [id_])
    assert spool.load() == []
    spool.close()


def test_a_limit_below_what_is_there_loses_nothing(spool, path):
    rows = [boxes(id_, b'x' * 3000) for id_ in range(1, 301)]
    spool.write(rows, ())
    spool.close()
    assert reopened(path, 1) == (rows, '')


def test_the_log_beside_it_stays_small(spool, path):
    for id_ in range(1, 2000):
        spool.write([boxes(id_, b'x' * 3000)], [id_ - 100])
        assert os.path.getsize(path + '-wal') <= 2 * MIB
    assert os.path.getsize(path) <= 2 * MIB


def test_the_file_shrinks_after_a_drain(spool, path):
    spool.write([boxes(id_, b'x' * 3000) for id_ in range(1, 1001)], ())
    assert spool.bytes() > 3 * MIB
    spool.write((), range(1, 401))
    before = spool._pragma('page_count')
    spool.shrink()  # less than half is free
    assert spool._pragma('page_count') == before
    spool.write([update(1001)], range(401, 1001))
    spool.shrink()
    assert spool.load() == [update(1001)]
    assert spool.bytes() == os.path.getsize(path) < 20000


def test_a_few_free_pages_are_left_alone(spool):
    spool.write([boxes(1, b'x' * 100000)], ())
    spool.write((), [1])
    before = spool._pragma('page_count')
    spool.shrink()
    assert spool._pragma('page_count') == before
