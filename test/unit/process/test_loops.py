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

"""A loop that takes turns with an executor, with real sockets and a stand-in for the executor."""

import asyncio
from functools import partial
import socket
import threading
import time

from camera_ws_bridge.process import loops
from camera_ws_bridge.process.loops import MAX_TURN
from camera_ws_bridge.sim.loop_thread import LoopThread
import pytest
from rigs.loop_rig import Executor, fail, spin, WAIT


def test_timers_go_off_in_time(shared):
    began = time.monotonic()
    spin(shared, Executor(), asyncio.sleep(0.05))
    assert 0.05 <= time.monotonic() - began < WAIT / 2


def test_while_nothing_happens_it_waits_in_the_executor(shared):
    executor = Executor()
    spin(shared, executor, asyncio.sleep(0.3))
    assert executor.spins < 10
    assert max(executor.timeouts) > 0.2


def test_a_callback_of_the_executor_reaches_the_loop_at_once(shared):
    executor = Executor()
    event = asyncio.Event()
    threads = []

    def callback():
        threads.append(threading.get_ident())
        event.set()

    threading.Timer(0.05, executor.create_task, [callback]).start()
    spin(shared, executor, event.wait())
    assert threads == [threading.get_ident()]


def test_what_leaves_the_loop_nothing_to_do_does_not_run_it(shared, monkeypatch):
    executor = Executor()
    runs, run_forever = [], shared.loop.run_forever

    def counted():
        runs.append(executor.spins)
        run_forever()

    monkeypatch.setattr(shared.loop, 'run_forever', counted)
    done = asyncio.Event()
    for _ in range(100):
        executor.create_task(lambda: None)
    executor.create_task(lambda: shared.loop.call_soon(done.set))
    spin(shared, executor, done.wait())
    assert executor.spins >= 101 and len(runs) < 10


def test_what_a_timer_at_the_end_of_a_turn_leaves_is_done_at_once(shared, monkeypatch):
    executor = Executor()
    done = asyncio.Event()

    async def job():
        # Due between the moment that it is looked for and the end of that iteration.
        now = time.monotonic()
        clock = iter([now, now + 1.0])
        monkeypatch.setattr(shared.loop, 'time', lambda: next(clock, now + 2.0))
        shared.loop.call_at(now + 0.5, shared.loop.call_soon, done.set)
        await done.wait()

    spin(shared, executor, job())
    assert max(executor.timeouts, default=0.0) < 0.5


def test_a_socket_of_the_loop_wakes_the_executor(shared):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    executor = Executor()

    async def echo():
        for number in range(20):
            data = await shared.loop.sock_recv(ours, 100)
            await shared.loop.sock_sendall(ours, data)

    def peer():
        for number in range(20):
            theirs.sendall(b'%d' % number)
            assert theirs.recv(100) == b'%d' % number

    thread = threading.Thread(target=peer)
    thread.start()
    spin(shared, executor, echo())
    thread.join(WAIT)
    ours.close()
    theirs.close()


def test_what_other_threads_ask_of_the_loop_is_done(shared):
    event = asyncio.Event()
    threading.Timer(0.05, shared.loop.call_soon_threadsafe, [event.set]).start()
    spin(shared, Executor(), event.wait())


def test_a_busy_loop_lets_the_executor_have_its_turn(shared):
    executor = Executor()
    rounds = []
    stop = []

    async def busy():
        while not stop:
            rounds.append(1)
            await asyncio.sleep(0)

    executor.create_task(lambda: stop.append(1))
    spin(shared, executor, busy())
    assert len(rounds) <= 2 * MAX_TURN


def test_a_busy_loop_lets_the_executor_do_as_many_things(shared):
    executor = Executor()
    rounds, things = [], []

    async def busy():
        while len(things) < 5 * MAX_TURN:
            rounds.append(1)
            await asyncio.sleep(0)

    for _ in range(5 * MAX_TURN):
        executor.create_task(lambda: things.append(1))
    spin(shared, executor, busy())
    assert len(rounds) <= 7 * MAX_TURN


def test_a_busy_loop_does_not_wake_the_executor_again_and_again(shared):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    executor = Executor()
    theirs.send(500 * b'x')  # read in so many iterations
    done = asyncio.Event()
    woken, got = [], []

    def read():
        got.append(ours.recv(1))
        if len(got) == 500:
            shared.loop.remove_reader(ours)
            done.set()

    shared.loop.add_reader(ours, read)
    executor.create_task = woken.append
    spin(shared, executor, done.wait())
    assert len(woken) <= 2
    ours.close()
    theirs.close()


def test_a_busy_executor_lets_the_loop_have_its_turn(shared):
    executor = Executor()
    calls = []
    stop = []

    def again():
        calls.append(1)
        if not stop:
            executor.create_task(again)

    async def job():
        await asyncio.sleep(0.01)
        stop.append(1)

    again()
    spin(shared, executor, job())
    assert calls


def test_an_error_of_a_callback_is_told_and_changes_nothing_else(shared):
    executor = Executor()
    errors = []
    executor.create_task(fail)
    spin(shared, executor, asyncio.sleep(0.05), lambda: errors.append(1))
    assert errors == [1]


def test_a_callback_may_wait_for_a_coroutine(shared):
    executor = Executor()
    results = []
    event = asyncio.Event()

    async def double(number):
        await asyncio.sleep(0.01)
        return 2 * number

    def callback():
        results.append(shared.wait(double(21), WAIT))
        event.set()

    executor.create_task(callback)
    spin(shared, executor, event.wait())
    assert results == [42]


def test_waiting_has_an_end(shared):
    with pytest.raises(TimeoutError):
        shared.wait(asyncio.sleep(WAIT), 0.05)
    thread = LoopThread()
    with pytest.raises(TimeoutError):
        thread.wait(asyncio.sleep(WAIT), 0.05)
    assert thread.wait(asyncio.sleep(0, 5), WAIT) == 5
    thread.stop()
    thread.loop.close()


def test_what_the_loop_ends_ends_the_spinning_without_another_wait(shared):
    executor = Executor()
    ended = []
    shared.loop.call_later(0.01, ended.append, True)
    shared.spin(executor, lambda: bool(ended), fail)
    # The wait for the timer is the last one.
    assert max(executor.timeouts[-1:], default=0.0) < 0.5
    assert executor.spins < 10


def test_at_the_end_what_has_come_is_done_and_nothing_awaited(shared):
    executor = Executor()
    things, errors = [], []
    executor.create_task(lambda: 1 / 0)
    for number in range(100):
        executor.create_task(partial(things.append, number))
    shared.finish(executor, lambda: errors.append(1))
    assert things == [*range(100)] and errors == [1]
    assert not any(executor.timeouts)


def test_the_end_does_not_wait_for_many_things_that_take_long(shared, monkeypatch):
    monkeypatch.setattr(loops, 'MAX_LEFT_TIME', 0.05)
    executor, done = Executor(), []

    def take_long():
        time.sleep(0.02)
        done.append(1)
    for _ in range(100):
        executor.create_task(take_long)
    shared.finish(executor, fail)
    assert 0 < len(done) <= 4


def test_an_executor_that_fails_every_time_does_not_take_all_time(shared):
    class Broken(Executor):

        def spin_once(self, timeout_sec):
            self.spins += 1
            raise RuntimeError

    executor, errors = Broken(), []
    spin(shared, executor, asyncio.sleep(0.2), lambda: errors.append(1))
    assert len(errors) == executor.spins
    assert executor.spins < 100
