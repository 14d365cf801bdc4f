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

"""When memory is given back, and that it is."""

import ctypes
import subprocess
import sys

from camera_ws_bridge.buffer.memory import malloc_trim, TRIM_AFTER, Trimmer
from hypothesis import given, strategies as st
import pytest


def test_a_buffer_that_grows_or_stays_is_left_alone():
    trims = []
    trimmer = Trimmer(lambda: trims.append(1))
    for size in (0, TRIM_AFTER, 10 * TRIM_AFTER, 10 * TRIM_AFTER, 9 * TRIM_AFTER + 1):
        trimmer.watch(size, size)
    assert not trims


@pytest.mark.parametrize('sizes', [
    ((3 * TRIM_AFTER, 3 * TRIM_AFTER), (0, 3 * TRIM_AFTER)),
    ((0, TRIM_AFTER),)], ids=['seen while it was large', 'large between two calls'])
def test_one_that_shrinks_is_trimmed_at_once_and_once_more(sizes):
    trims = []
    trimmer = Trimmer(lambda: trims.append(1))
    for size, peak in sizes:
        trimmer.watch(size, peak)
    assert trims == [1]
    for _ in range(3):
        trimmer.watch(0, 0)
    assert trims == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 10 * TRIM_AFTER), st.integers(0, 10 * TRIM_AFTER))))
def test_at_the_end_little_is_left(sizes):
    trims = []
    trimmer = Trimmer(lambda: trims.append(1))
    held = previous = 0
    for size, more in [*sizes, (0, 0)]:
        peak = max(size, previous) + more
        trimmer.watch(size, peak)
        held = size if trims else max(held, peak)
        trims.clear()
        previous = size
    assert held < TRIM_AFTER


def test_memory_does_go_back():
    code = """if True:
        import sys
        from camera_ws_bridge.buffer.memory import malloc_trim

        def resident():
            with open('/proc/self/statm') as file:
                return int(file.read().split()[1]) * 4096 / 2**20
        try:
            before = resident()
        except FileNotFoundError:
            sys.exit(0)  # not Linux
        held = [bytes(2000 + number % 500) for number in range(20_000)]
        wall = bytes(3000)  # behind the others: what keeps the heap from shrinking by itself
        full = resident()
        del held
        malloc_trim()
        after = resident()
        print(before, full, after)
        assert full - before > 35
        assert after - before < 0.2 * (full - before)
    """
    subprocess.run([sys.executable, '-c', code], timeout=60, check=True)


def test_trimming_twice_does_no_harm():
    malloc_trim()
    malloc_trim()


@pytest.mark.parametrize('fault', [OSError, AttributeError])
def test_without_glibc_nothing_happens(monkeypatch, fault):
    asked = []

    def load(name):
        asked.append(name)
        raise fault
    monkeypatch.setattr(ctypes, 'CDLL', load)
    malloc_trim()
    assert asked == [None]
