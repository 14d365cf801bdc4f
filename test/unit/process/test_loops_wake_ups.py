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

"""A loop and an executor that share wake-ups: what comes within an interval is done together."""

import asyncio
from functools import partial
import threading
import time

from rigs.loop_rig import Executor, fail, WAIT

INTERVAL = 0.05  # seconds


def flood(shared, executor, seconds, pause):
    """Give the executor things one by one for so long; return how long each waited."""
    waited, stop = [], time.monotonic() + seconds

    def give():
        while time.monotonic() < stop:
            executor.create_task(partial(lambda at: waited.append(time.monotonic() - at),
                                         time.monotonic()))
            time.sleep(pause)

    thread = threading.Thread(target=give)
    thread.start()
    shared.spin(executor, lambda: not thread.is_alive() and executor.queue.empty(), fail,
                INTERVAL)
    thread.join(WAIT)
    return waited


class CountingExecutor(Executor):
    """Counts how often it had to wait for something."""

    waits = 0

    def spin_once(self, timeout_sec):
        self.waits += timeout_sec > 0
        super().spin_once(timeout_sec)


def test_what_comes_within_the_interval_shares_a_wake_up(shared, monkeypatch):
    rests = []
    sleep = time.sleep
    main = threading.get_ident()

    def counted(seconds):
        if threading.get_ident() == main:
            rests.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, 'sleep', counted)
    executor = CountingExecutor()
    shared.loop.call_later(WAIT, fail)
    began = time.monotonic()
    waited = flood(shared, executor, 1.0, 0.001)
    # Some 80 for some 900 things; where the giver was held up, some more are needed.
    assert len(rests) + executor.waits <= 4 * (time.monotonic() - began) / INTERVAL + 10
    assert waited and max(rests) <= INTERVAL


def test_one_thing_after_the_other_is_done_at_once(shared, monkeypatch):
    executor = CountingExecutor()
    monkeypatch.setattr('camera_ws_bridge.process.wake_ups.WakeUps.rest', lambda *_: fail())
    shared.loop.call_later(WAIT, fail)
    assert len(flood(shared, executor, 1.0, 2 * INTERVAL)) > 1


def test_the_loop_has_its_turn_while_wake_ups_are_shared(shared):
    executor = Executor()
    late = []

    async def tick():
        for _ in range(20):
            due = shared.loop.time() + 0.02
            await asyncio.sleep(0.02)
            late.append(shared.loop.time() - due)

    task = shared.loop.create_task(tick())
    stop = []

    def give():
        while not stop:
            executor.create_task(lambda: None)
            time.sleep(0.001)

    thread = threading.Thread(target=give)
    thread.start()
    shared.spin(executor, task.done, fail, INTERVAL)
    stop.append(1)
    thread.join(WAIT)
    task.result()
    assert min(late) < INTERVAL / 2  # not put off to the end of a rest


def test_what_fails_while_wake_ups_are_shared_is_told_and_changes_nothing_else(shared):
    executor = Executor()
    errors, done = [], []
    for number in range(200):
        executor.create_task(fail if number % 2 else partial(done.append, number))
    shared.spin(executor, lambda: len(done) == 100 and executor.queue.empty(),
                lambda: errors.append(1), INTERVAL)
    assert len(errors) == 100


def test_what_takes_long_does_not_keep_the_loop_from_its_turn(shared):
    executor = Executor()
    done = []

    async def job():
        await asyncio.sleep(0.01)

    for _ in range(200):
        executor.create_task(lambda: (done.append(1), time.sleep(0.01)))
    task = shared.loop.create_task(job())
    shared.spin(executor, task.done, fail, INTERVAL)
    assert len(done) < 100
