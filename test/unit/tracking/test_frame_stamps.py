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

from camera_ws_bridge.tracking.frame_stamps import FrameIds, FrameStamps
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
