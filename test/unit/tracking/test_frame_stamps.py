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

"""Stamps of the newest frames, found by the very number that went over the wire."""

import math
import random
import struct
import tracemalloc

from camera_ws_bridge.tracking.frame_stamps import FrameIds, FrameStamps, parse_zero
import pytest

UNKNOWN = (0, 0)


def test_unknown_frame_has_no_stamp():
    assert FrameStamps(3).find(1.0) == UNKNOWN


def test_start_without_a_frame_has_no_stamp():
    frames = FrameStamps(3)
    frames.add(0.0, (1, 2))
    assert frames.find(None) == UNKNOWN


def test_stamp_of_a_frame_is_found():
    frames = FrameStamps(3)
    frames.add(12.5, (1, 2))
    assert frames.find(12.5) == (1, 2)


def test_integer_and_float_are_the_same_frame():
    frames = FrameStamps(3)
    frames.add(12.0, (1, 2))
    assert frames.find(12) == (1, 2)


def test_neighbouring_doubles_are_different_frames():
    frames = FrameStamps(3)
    frames.add(0.1, (1, 2))
    assert frames.find(math.nextafter(0.1, 1.0)) == UNKNOWN


def test_oldest_frame_is_forgotten():
    frames = FrameStamps(3)
    for number in range(1, 6):
        frames.add(float(number), (number, 0))
    found = [frames.find(float(number)) for number in range(1, 6)]
    assert found == [UNKNOWN, UNKNOWN, (3, 0), (4, 0), (5, 0)]


def test_newest_stamp_of_a_frame_counts_and_keeps_it_young():
    frames = FrameStamps(2)
    frames.add(1.0, (1, 0))
    frames.add(2.0, (2, 0))
    frames.add(1.0, (9, 0))
    frames.add(3.0, (3, 0))
    assert [frames.find(number) for number in (1.0, 2.0, 3.0)] == [(9, 0), UNKNOWN, (3, 0)]


@pytest.mark.parametrize('limit', (1, 2, 100))
def test_as_many_as_the_limit_are_remembered(limit):
    frames = FrameStamps(limit)
    numbers = [random.Random(index).uniform(0, 1e9) for index in range(3 * limit)]
    for index, number in enumerate(numbers):
        frames.add(number, (index, 1))
    assert [frames.find(number) for number in numbers] == (
        2 * limit * [UNKNOWN] + [(index, 1) for index in range(2 * limit, 3 * limit)])


def test_two_minutes_of_frames_take_less_than_100_kib():
    tracemalloc.start()
    try:
        frames = FrameStamps(3600)
        for number in range(4000):
            frames.add(1.7e9 + number / 30, (1700000000 + number // 30, number))
        assert tracemalloc.get_traced_memory()[0] < 100 * 1024
    finally:
        tracemalloc.stop()


def test_a_stamp_that_has_the_bytes_of_a_frame_id_is_none():
    looks_like_it, = struct.unpack('<q', struct.pack('<d', 1.5))
    frames = FrameStamps(3)
    frames.add(1.5, (1, 2))
    frames.add(7.0, (looks_like_it, 0))
    assert frames.find(1.5) == (1, 2)
    frames.add(8.0, (looks_like_it, 0))
    frames.add(9.0, (looks_like_it, 0))
    assert frames.find(1.5) == UNKNOWN


def test_both_zeros_are_the_same_frame():
    frames = FrameStamps(3)
    frames.add(-0.0, (1, 2))
    assert frames.find(0.0) == (1, 2)


# ---- ids for frames that have only a stamp

def test_the_frame_id_is_the_stamp_in_seconds_to_the_nearest_double():
    assert FrameIds(10).of((1607, 66666666)) == 1607.066666666
    assert FrameIds(10).of((1700000000, 123456789)) == 1700000000.123456789
    assert FrameIds(10).of((-1, 500000000)) == -0.5


def test_the_same_stamp_has_the_same_id():
    ids = FrameIds(10)
    assert ids.of((1700000000, 1)) == ids.of((1700000000, 1))
    assert ids.of((0, 0)) == ids.of((0, 0)) == 0.0


def test_stamps_within_one_step_of_a_double_have_ids_of_their_own():
    ids, frames = FrameIds(10000), FrameStamps(10000)
    stamps = [(1700000000, nanoseconds) for nanoseconds in range(0, 5000, 7)]
    random.Random(0).shuffle(stamps)
    found = [ids.of(stamp) for stamp in stamps]
    assert len({*found}) == len(stamps)
    for frame_id, stamp in zip(found, stamps):
        frames.add(frame_id, stamp)
    assert [frames.find(frame_id) for frame_id in found] == stamps


def test_an_id_is_free_again_when_its_frame_is_forgotten():
    ids = FrameIds(1)
    assert ids.of((1700000000, 1)) == ids.of((1700000000, 2)) - math.ulp(1.7e9)
    assert ids.of((1700000000, 3)) == 1700000000.0


# ---- their zero

BEGAN = (1764000000, 250000000)


@pytest.mark.parametrize('text, zero', [
    ('epoch', 0), ('first_frame', None), ('0', 0), ('1764000000', 1764000000 * 10**9),
    ('1764000000.25', 1764000000250000000), ('1764000000.000000001', 1764000000000000001)])
def test_a_zero_is_exact(text, zero):
    assert parse_zero(text) == zero


@pytest.mark.parametrize('text', [
    '', 'Epoch', 'now', '-1', '+1', '1.', '.5', '1e9', '1.0000000001', '12345678901', ' 1', '1_0',
    'nan', '1764000000,25', '\u0661'])
def test_what_is_no_zero_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match=r"must be epoch, first_frame, or .* '1764000000\.25'"):
        parse_zero(text)


def test_frame_ids_count_from_a_stamp():
    ids = FrameIds(10, parse_zero('1764000000.25'))
    assert ids.of(BEGAN) == 0.0
    # 1.5 s into the 42nd segment of 2 s.
    assert ids.of((1764000083, 750000000)) == (42 - 1) * 2 + 1.5
    assert ids.of((1764000000, 0)) == -0.25


def test_frame_ids_count_from_the_first_frame_that_has_a_stamp():
    ids = FrameIds(10, None)
    assert ids.of((0, 0)) == 0.0
    assert ids.of(BEGAN) == 0.0
    assert ids.of((BEGAN[0] + 1, BEGAN[1] + 1)) == 1.000000001
    assert ids.of((BEGAN[0] - 1, BEGAN[1])) == -1.0


def test_near_their_zero_every_nanosecond_has_its_own_double():
    ids = FrameIds(100, parse_zero('1764000000'))
    for nanoseconds in range(50):
        assert ids.of((1764000003, nanoseconds)) == (3 * 10**9 + nanoseconds) / 10**9


def test_another_zero_gives_no_id_a_second_time():
    ids, frames, seen = FrameIds(1000, None), FrameStamps(1000), {}
    for zero in (None, 0, 1764000000 * 10**9, None):
        ids.begin_at(zero)
        for second in range(5):
            stamp = (1764000000 + 10 * len(seen) + second, 0)
            frame_id = ids.of(stamp)
            assert frame_id not in seen
            seen[frame_id] = stamp
            frames.add(frame_id, stamp)
    assert {frame_id: frames.find(frame_id) for frame_id in seen} == seen
