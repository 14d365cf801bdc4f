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

"""The token bucket."""

from camera_ws_bridge.link.token_bucket import TokenBucket


def test_a_burst_then_the_rate():
    bucket = TokenBucket(rate=10.0, burst=5.0)
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(100.05), bucket.take(100.15), bucket.take(100.15)] == [False, True, False]


def test_a_long_silence_gives_no_more_than_the_burst():
    bucket = TokenBucket(rate=10.0, burst=2.0)
    assert bucket.take(0.0)
    assert [bucket.take(3600.0) for _ in range(3)] == [True, True, False]


def test_in_the_long_run_the_rate_holds():
    bucket = TokenBucket(rate=10.0, burst=5.0)
    passed = sum(bucket.take(number / 100.0) for number in range(10_000))
    assert 1000 <= passed <= 1005


def test_refilled_it_gives_a_burst_again():
    bucket = TokenBucket(rate=10.0, burst=2.0)
    for _ in range(2):
        assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
        bucket.refill()


def test_other_limits_from_now_on():
    bucket = TokenBucket(rate=10.0, burst=5.0)
    bucket.limit(rate=1.0, burst=2.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(0.9), bucket.take(1.0)] == [False, True]
    bucket.limit(rate=100.0, burst=50.0)
    assert [bucket.take(1.0), bucket.take(1.05), bucket.take(9.0)] == [False, True, True]
