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

"""What comes over two ways passes once: no more and no less than was sent."""

from collections import Counter
from itertools import zip_longest

from camera_ws_bridge.ros.duplicate_filter import DuplicateFilter, ONE, OTHER
from hypothesis import given, strategies as st
import pytest


def passed(arrivals, limit=1000):
    duplicates = DuplicateFilter(limit)
    return [key for way, key in arrivals if duplicates.is_news(way, key)]


def test_a_duplicate_is_dropped_whichever_way_is_first():
    assert passed([(ONE, 1), (OTHER, 1), (OTHER, 2), (ONE, 2)]) == [1, 2]


def test_what_comes_over_one_way_only_passes():
    assert passed([(OTHER, 1), (OTHER, 2), (ONE, 3)]) == [1, 2, 3]


@pytest.mark.parametrize('order', [
    [ONE, ONE, OTHER, OTHER], [ONE, OTHER, ONE, OTHER], [OTHER, OTHER, ONE, ONE],
    [OTHER, ONE, ONE, OTHER]])
def test_the_same_message_sent_twice_passes_twice(order):
    assert passed([(way, 7) for way in order]) == [7, 7]


def test_only_so_many_are_remembered():
    duplicates = DuplicateFilter(2)
    assert all(duplicates.is_news(ONE, key) for key in (1, 2, 3))
    assert duplicates.is_news(OTHER, 1), 'forgotten'
    assert not duplicates.is_news(OTHER, 3)


@given(st.lists(st.tuples(st.sampled_from([ONE, OTHER]), st.integers(0, 5))))
def test_as_many_pass_as_the_fuller_way_brought(arrivals):
    brought = Counter(arrivals)
    assert Counter(passed(arrivals)) == Counter({
        key: max(brought[ONE, key], brought[OTHER, key]) for _, key in arrivals})


@given(st.lists(st.integers(), unique=True), st.data())
def test_a_reliable_way_makes_good_what_the_other_loses(keys, data):
    lost = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    best_effort = [(OTHER, key) for key in keys if key not in lost]
    reliable = [(ONE, key) for key in keys]
    mixed = [arrival for pair in zip_longest(best_effort, reliable) for arrival in pair if arrival]
    assert sorted(passed(mixed)) == sorted(keys)
