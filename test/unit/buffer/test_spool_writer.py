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

"""The writer's thread never holds up the buffer, and the file ends up as the buffer is."""

import os
import threading
import time

from camera_ws_bridge.buffer.outbox import BOXES, UPDATES
from camera_ws_bridge.buffer.spool import writer
from camera_ws_bridge.buffer.spool.spool import Row
from camera_ws_bridge.buffer.spool.writer import monotonic_time, OK
from camera_ws_bridge.errors import ConfigurationError
import pytest
from rigs.shared import Clock, wait_until
from rigs.spool_writer_rig import MIB, NEVER, PATIENCE


# ---- in order

def test_a_new_spool(rigs):
    rig = rigs()
    assert (rig.rows, rig.next_id, rig.writer.state, rig.writer.reason) == ([], 1, OK, '')
    assert rig.writer.bytes() > 0
    assert rig.flush()
    rig.close()
    assert (rig.writes, rig.changes, rig.reports) == ([], [], [])


def test_rows_of_an_earlier_life_come_back_with_the_next_id(rigs):
    first = rigs(wall=lambda: 1.5e9)
    first.boxes(1, 2)
    first.update(5)
    first.gone(2)
    first.close()
    second = rigs()
    assert second.rows == [
        Row(1, BOXES, None, 1.5e9, b'boxes'), Row(5, UPDATES, 7, 1.5e9, b'update')]
    assert second.next_id == 6
    second.gone(1)
    second.boxes(6)
    second.close()
    assert second.in_file() == [5, 6]


def test_boxes_that_are_gone_in_time_never_touch_the_disk(rigs):
    rig = rigs(interval=0.3, clock=Clock())
    before = os.stat(rig.path).st_mtime_ns
    for id_ in range(1, 500):
        rig.boxes(id_)
        rig.gone(id_)
    rig.pass_time(NEVER)
    assert rig.writes == []
    assert os.stat(rig.path).st_mtime_ns == before
    assert not os.path.exists(rig.path + '-wal') or not os.path.getsize(rig.path + '-wal')


def test_a_steady_stream_that_is_acknowledged_in_time_never_touches_the_disk(rigs):
    rig = rigs(interval=0.4, clock=Clock())
    for id_ in range(1, 150):
        rig.boxes(id_)
        rig.gone(id_ - 10)
        rig.pass_time(0.005)
    assert rig.writes == []


def test_boxes_wait_for_their_batch_and_no_longer(rigs):
    rig = rigs(interval=0.2, clock=Clock())
    rig.boxes(1, 2)
    rig.pass_time(0.1)
    rig.boxes(3)
    rig.gone(2)
    rig.pass_time(0.09)
    assert rig.writes == []
    rig.pass_time(0.02)
    assert rig.writes == [([1, 3], [])]
    rig.gone(1)
    rig.boxes(4)
    rig.pass_time(0.19)
    assert len(rig.writes) == 1
    rig.pass_time(0.02)
    assert rig.writes[1:] == [([], [1]), ([4], [])]


def test_removals_wait_for_a_batch_too(rigs):
    rig = rigs(interval=0.2, clock=Clock())
    rig.boxes(1, 2, 3)
    assert rig.flush()
    rig.gone(1, 2)
    rig.pass_time(0.19)
    assert len(rig.writes) == 1
    rig.pass_time(0.02)
    assert rig.writes[1:] == [([], [1, 2])]


def test_updates_are_written_at_once_with_all_before_them(rigs):
    rig = rigs()
    rig.boxes(1, 2)
    rig.update(3)
    wait_until(lambda: len(rig.writes) == 2)
    assert rig.writes == [([3], []), ([1, 2], [])]


def test_what_was_never_there_may_be_gone(rigs):
    rig = rigs()
    rig.gone(1, 2)
    rig.boxes(3)
    rig.gone(3, 3)
    assert rig.flush()
    assert rig.writes == []


def test_many_messages_are_split_into_transactions(rigs):
    rig = rigs()
    rig.boxes(*range(1, 1201))
    rig.boxes(*range(1201, 1206), payload=bytes(MIB // 2))
    assert rig.flush()
    assert [len(added) for added, _ in rig.writes] == [500, 500, 201, 2, 2]
    rig.gone(*range(1, 1206))
    assert rig.flush()
    assert [len(removed) for _, removed in rig.writes[5:]] == [500, 500, 205]
    assert rig.writer.bytes() < 100000  # and the file has shrunk
    rig.close()
    assert rig.in_file() == []


def test_a_flush_with_nothing_to_write_hurries_nothing_after_it(rigs):
    rig = rigs(clock=Clock())
    assert rig.flush()
    rig.boxes(1)
    rig.pass_time(NEVER - 1)
    assert rig.writes == []


def test_payloads_are_not_copied(rigs):
    rig = rigs()
    payload = bytes(1000)
    rig.boxes(1, payload=payload)
    assert rig.writer._rows[1].payload is payload
    rig.gone(1)
    assert not rig.writer._rows
    assert not rig.writer._fresh


def test_the_buffer_does_not_wait_for_a_slow_disk(rigs):
    rig = rigs()
    release = threading.Event()
    rig.before_write = lambda: release.wait(PATIENCE)
    rig.update(1)
    began = time.monotonic()
    for id_ in range(2, 1000):
        rig.boxes(id_)
        rig.gone(id_ - 1)
    assert time.monotonic() - began < 1.0
    assert not rig.writer.flush(0.05)
    assert not rig.writer.close(0.05)
    release.set()
    rig.close()
    assert rig.in_file() == [999]


def test_gone_while_it_is_being_written(rigs):
    rig = rigs()
    writing, release = threading.Event(), threading.Event()

    def hold():
        writing.set()
        release.wait(PATIENCE)
    rig.before_write = hold
    rig.update(1)
    assert writing.wait(PATIENCE)
    rig.gone(1)
    release.set()
    assert rig.flush()
    assert rig.writes == [([1], []), ([], [1])]


def test_close_may_be_called_again_and_flush_after_it(rigs):
    rig = rigs()
    rig.boxes(1)
    rig.close()
    rig.close()
    assert rig.flush()
    rig.boxes(2)
    assert not rig.flush()
    assert rig.in_file() == [1]


@pytest.mark.parametrize('row, wall, monotonic', [
    (100.0, 130.0, 70.0), (100.0, 100.0, 100.0), (100.0, 50.0, 100.0), (1e9, 1e9 + 5, 95.0)])
def test_ages_survive_and_are_never_negative(row, wall, monotonic):
    assert monotonic_time(row, wall=wall, monotonic=100.0) == monotonic


# ---- who may

def test_a_second_writer_is_refused(rigs):
    rigs()
    with pytest.raises(ConfigurationError, match='in use by another bridge'):
        rigs()


def test_the_defaults_are_those_of_the_documentation():
    assert (writer.Timing().interval, writer.Timing().heal_interval) == (0.5, 5.0)
