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

"""
The life of the link, with a scripted connection and in virtual time.

The loop's clock jumps to the next timer whenever nothing is ready to run: an hour takes
milliseconds, and how busy the machine is makes no difference.
"""

import asyncio
import json
import random
import selectors

from camera_ws_bridge import wire
from camera_ws_bridge.backoff import Backoff
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link import Link, Settings, State
from camera_ws_bridge.messages import Start, Stop, Update
from camera_ws_bridge.outbox import Outbox, Policy
from camera_ws_bridge.serving import REIDENTIFY_SOON, TICK
from camera_ws_bridge.session import Session
import pytest
from shared import Recorder

PING = 'ping'
SECRET = 'canary'
REFUSED = LinkFault('refused', 'nothing listens there', reached=False)
UNAVAILABLE = LinkFault('http_503', 'it answers HTTP 503')
NOT_FOUND = LinkFault('http_404', 'it answers HTTP 404', fatal=True)
LOST = LinkFault('lost', 'the connection broke')


class JumpingSelector(selectors.DefaultSelector):
    """Does not wait: adds the time it would have waited to `now`."""

    now = 0.0

    def select(self, timeout=None):
        events = super().select(0)
        if not events:
            assert timeout is not None, 'everything waits for something that will never come'
            self.now += max(0.0, timeout)
        return events


def run(test):
    """Run a coroutine function in virtual time; return what the loop complained about."""
    selector = JumpingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    complaints = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    try:
        loop.run_until_complete(asyncio.wait_for(test(), 1e6))
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.close()
    return complaints


def copy(fault):
    """Return a fault to raise: one that was raised before drags its traceback along."""
    if not isinstance(fault, LinkFault):
        return fault
    return LinkFault(fault.cause, fault.reason, fatal=fault.fatal, reached=fault.reached,
                     retry_after=fault.retry_after)


class FakeConnection:
    """One connection: writes down what is sent, and answers as it is told to."""

    direct = True  # whether it can be written to without the writer's task

    def __init__(self, clock, *, answers=True, replay=(), delay=0.0):
        self.answers = answers
        self.replay = replay
        self.delay = delay  # of pongs
        self.log = []  # text messages as objects, and PING
        self.times = []
        self.pongs = []  # not yet answered
        self.most_awaited = 0
        self.closed = None
        self.close_answered = True
        self.aborted = False
        self.writable = asyncio.Event()
        self.writable.set()
        self.bytes = 0
        self.auto_progress = False
        self.delivered_bytes = 0
        self.auto_delivered = False
        self.on_sent = lambda value: None
        self._clock = clock
        self._inbox = []
        self._fault = None
        self._waiter = None

    @property
    def kinds(self):
        return [PING if entry == PING else entry['type'] for entry in self.log]

    @property
    def frames(self):
        return [entry['frameId'] for entry in self.log if 'frameId' in entry]

    def times_of(self, kind):
        return [at for at, found in zip(self.times, self.kinds) if found == kind]

    # ---- the link's side

    def can_write(self):
        return self.direct and self.writable.is_set() and self._fault is None

    def write(self, text):
        assert self.can_write()
        self._take(text)

    async def send(self, text):
        await self.writable.wait()
        self._take(text)

    def _take(self, text):
        assert isinstance(text, bytes)
        self._check()
        value = json.loads(text)
        self._note(value)
        if value['type'] == 'identifier':
            for message in self.replay:
                self.feed(message)
        self.on_sent(value)

    async def ping(self):
        await self.writable.wait()
        self._check()
        self._note(PING)
        pong = asyncio.get_running_loop().create_future()
        self.pongs.append(pong)
        self.most_awaited = max(self.most_awaited, len(self.pongs))
        if self.answers:
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.answer, pong)
            else:
                asyncio.get_running_loop().call_soon(self.answer, pong)
        return pong

    async def receive(self):
        while not self._inbox:
            self._check()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._inbox.pop(0)

    def progress(self):
        self.bytes += self.auto_progress
        return self.bytes

    def delivered(self):
        self.delivered_bytes += self.auto_delivered
        return self.delivered_bytes

    async def close(self, code, timeout):
        self.closed = code, timeout
        if not self.close_answered:
            await asyncio.sleep(timeout)
        self.lose(LinkFault('closed', 'closed'))

    def abort(self):
        self.aborted = True
        self.lose(LOST)

    # ---- the orchestrator's side

    def answer(self, pong=None):
        """Send one pong, by default of the oldest ping."""
        pong = pong or self.pongs[0]
        if pong in self.pongs:
            self.pongs.remove(pong)
        if not pong.done():
            pong.set_result(0.0)

    def feed(self, message):
        """Send a message: an object as JSON, anything else as it is."""
        if not isinstance(message, (str, bytes)):
            message = wire.encode(message)
        self._inbox.append(message)
        self._wake()

    def lose(self, fault=LOST):
        """Break the connection."""
        self._fault = self._fault or fault
        self.writable.set()
        for pong in self.pongs:
            pong.cancel()
        self.pongs.clear()
        self._wake()

    def _check(self):
        if self._fault is not None:
            raise copy(self._fault)

    def _note(self, entry):
        self.log.append(entry)
        self.times.append(self._clock())

    def _wake(self):
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@pytest.fixture(autouse=True, params=['direct', 'by the task'])
def writing(request, monkeypatch):
    """Run everything in both ways to write; the legacy API of websockets knows only one."""
    monkeypatch.setattr(FakeConnection, 'direct', request.param == 'direct')


class Rig:
    """A link, the connections it makes, and what it says."""

    def __init__(
            self, *, outcomes=(), make=None, token=None, reconcile=True, outbox=None,
            draw=lambda: 1.0, on_command=None, on_state=None, on_token_rejected=None, **settings):
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.outcomes = list(outcomes)  # of the next attempts: a fault, or make()'s arguments
        self.make = make or (lambda index: {})
        self.connections = []
        self.attempts = []  # when
        self.timeouts = []
        self.commands = []
        self.states = []
        self.logger = Recorder()
        self.outbox = outbox
        if outbox is None:
            self.outbox = Outbox(Policy(10_000, 2**24), Policy(1000, 2**20))
        self.link = Link(
            Settings('front-door', 'ws://orchestrator/processor', **settings), self.outbox,
            Session(reconcile), Backoff(0.5, 10.0, 2.0, draw), connect=self._connect,
            clock=self.clock, logger=self.logger, on_command=on_command or self._on_command,
            on_state=on_state or (lambda: self.states.append(self.link.state)), token=token,
            on_token_rejected=on_token_rejected)
        self.running = None

    def _on_command(self, command):
        self.commands.append(command)

    async def _connect(self, timeout):
        self.attempts.append(self.clock())
        self.timeouts.append(timeout)
        outcome = self.outcomes.pop(0) if self.outcomes else self.make(len(self.connections))
        if callable(outcome):
            outcome = await outcome(timeout)
        if isinstance(outcome, Exception):
            raise copy(outcome)
        if isinstance(outcome, dict):
            outcome = FakeConnection(self.clock, **outcome)
        self.connections.append(outcome)
        return outcome

    def start(self):
        self.running = asyncio.create_task(self.link.run())
        return self

    async def registered(self, seconds=100.0):
        await self.until(lambda: self.link.state is State.REGISTERED, seconds)
        return self.connections[-1]

    async def until(self, condition, seconds=100.0):
        limit = self.clock() + seconds
        while not condition():
            assert self.clock() < limit, 'it did not happen'
            if self.running is not None and self.running.done():
                self.running.result()
                assert condition(), 'run() has ended'
            await asyncio.sleep(0.01)

    def put(self, *frame_ids):
        for frame_id in frame_ids:
            text = json.dumps({'type': 'boundingBoxes', 'frameId': frame_id, 'boxes': []})
            self.outbox.put(self.outbox.boxes, text.encode(), self.clock())
        self.link.wake()

    def put_update(self, object_id):
        payload = wire.encode_utf8(Update(object_id, (1.0,)))
        self.outbox.put(self.outbox.updates, payload, self.clock(), object_id)
        self.link.wake()

    async def end(self):
        """Return what run() raised."""
        with pytest.raises(LinkFault) as caught:
            await self.running
        return caught.value


def virtual(test):
    """Let a coroutine function be a test in virtual time that leaves no complaint behind."""
    def wrapper():
        assert run(test) == []
    wrapper.__name__ = test.__name__
    wrapper.__doc__ = test.__doc__
    return wrapper


async def _token():
    return SECRET


async def _no_token():
    return None


# ---- registration

@pytest.mark.parametrize('token, begin', (
    (None, ['identifier', PING]),
    (_no_token, ['identifier', PING]),
    (_token, ['authenticate', 'identifier', PING]),
))
def test_on_every_connection_the_same_order_and_nothing_before_the_pong(token, begin):
    async def test():
        rig = Rig(token=token, make=lambda index: {'answers': False})
        rig.put(1, 2, 3)
        rig.put_update(7)
        rig.start()
        for index in range(3):
            await rig.until(lambda: len(rig.connections) == index + 1)
            connection = rig.connections[index]
            rig.put(10 + index)
            await asyncio.sleep(5)
            assert connection.kinds == begin
            assert rig.link.state is State.AUTHENTICATING
            assert connection.log[-2] == {'type': 'identifier', 'id': 'front-door'}
            if token is _token:
                assert connection.log[0]['jwt'] == SECRET
            connection.answer()
            await rig.until(lambda: len(connection.frames) == 3 + index + 1)
            assert connection.kinds[len(begin)] == 'featureMap'
            assert connection.frames == [1, 2, 3, *range(10, 10 + index + 1)]
            connection.lose()
        assert not any(SECRET in line for line in rig.logger.lines)
    assert run(test) == []


@virtual
async def test_registered_means_the_pong_is_back():
    rig = Rig(make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    assert rig.states == [State.CONNECTING, State.AUTHENTICATING]
    rig.connections[0].answer()
    await rig.registered()
    await rig.until(lambda: rig.link.state is State.STABLE)
    assert rig.states == [
        State.CONNECTING, State.AUTHENTICATING, State.REGISTERED, State.STABLE]
    assert rig.clock() == pytest.approx(2.0, abs=2 * TICK)
    assert any('front-door' in line and 'ws://orchestrator/processor' in line
               for line in rig.logger.lines)


@virtual
async def test_pong_of_an_older_connection_registers_nobody():
    rig = Rig(make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    first = rig.connections[0].pongs[0]
    rig.connections[0].pongs.clear()
    rig.connections[0].lose()
    await rig.until(lambda: len(rig.connections) == 2 and rig.connections[1].pongs)
    first.set_result(0.0)
    await asyncio.sleep(1)
    assert rig.link.state is State.AUTHENTICATING
    assert rig.connections[1].kinds == ['identifier', PING]


@virtual
async def test_token_that_cannot_be_had_costs_a_reconnect():
    answers = [LinkFault('token', 'the token server is down'), RuntimeError('a bug'), SECRET]

    async def token():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    rig = Rig(token=token).start()
    await rig.registered()
    assert [connection.kinds[:1] for connection in rig.connections] == [[], [], ['authenticate']]


@virtual
async def test_identifies_again_soon_and_then_at_the_interval():
    rig = Rig().start()
    await asyncio.sleep(100)
    times = rig.connections[0].times_of('identifier')
    expected = [0, REIDENTIFY_SOON, REIDENTIFY_SOON + 30, REIDENTIFY_SOON + 60,
                REIDENTIFY_SOON + 90]
    assert times == pytest.approx(expected, abs=5 * TICK)
    kinds = rig.connections[0].kinds
    assert all(kinds[index + 1] == PING
               for index, kind in enumerate(kinds) if kind == 'identifier')


@virtual
async def test_a_short_identify_interval_is_kept_from_the_start():
    rig = Rig(identify_interval=1.0).start()
    await asyncio.sleep(4.9)
    times = rig.connections[0].times_of('identifier')
    assert times == pytest.approx([0, 1, 2, 3, 4], abs=4 * TICK)


@virtual
async def test_identify_interval_zero_is_never():
    rig = Rig(identify_interval=0.0).start()
    await asyncio.sleep(1000)
    assert rig.connections[0].kinds.count('identifier') == 1


@virtual
async def test_never_two_registrations_at_once():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = True  # slow, but alive
    await asyncio.sleep(55)
    assert len(rig.connections) == 1
    assert connection.kinds.count('identifier') == 2
    assert connection.most_awaited <= 2
    while connection.pongs:
        connection.answer()
    connection.answers = True
    await rig.until(lambda: connection.kinds.count('identifier') == 3)


@virtual
async def test_identifies_again_under_a_stream_of_boxes():
    rig = Rig().start()
    await rig.registered()
    for number in range(1000):
        rig.put(number)
        await asyncio.sleep(0.01)
    assert rig.connections[0].kinds.count('identifier') == 2


# ---- the buffer and its acknowledgement

@virtual
async def test_acknowledged_is_what_a_pong_came_behind():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1, 2, 3)
    await rig.until(lambda: connection.pongs)
    rig.put(4)
    await rig.until(lambda: connection.frames == [1, 2, 3, 4])
    assert (rig.outbox.in_flight, rig.outbox.acknowledged) == (4, 0)
    connection.answer()
    await rig.until(lambda: rig.outbox.acknowledged == 3)
    assert rig.outbox.in_flight == 1
    await rig.until(lambda: connection.pongs)
    connection.answer()
    await rig.until(lambda: rig.outbox.acknowledged == 4)
    assert len(rig.outbox) == 0


@virtual
async def test_lost_connection_repeats_what_is_not_acknowledged_in_order():
    rig = Rig().start()
    first = await rig.registered()
    rig.put(1, 2, 3)
    await rig.until(lambda: rig.outbox.acknowledged == 3)
    first.answers = False
    rig.put(4, 5)
    await rig.until(lambda: first.frames == [1, 2, 3, 4, 5])
    first.lose()
    rig.put(6)
    await rig.until(lambda: rig.outbox.acknowledged == 6)
    assert rig.connections[1].frames == [4, 5, 6]
    assert rig.link.reconnects == 1
    assert not rig.outbox.dropped


@virtual
async def test_nothing_is_lost_or_reordered_over_many_losses():
    draw = random.Random(7).random
    rig = Rig(draw=draw, make=lambda index: {'delay': 0.3 * draw()}).start()
    sent = []
    for number in range(2000):
        rig.put(number)
        await asyncio.sleep(0.02)
        if draw() < 0.02 and rig.connections:
            rig.connections[-1].lose()
    await rig.until(lambda: not len(rig.outbox))
    for connection in rig.connections:
        assert connection.frames == sorted(connection.frames)
        sent += connection.frames
    assert set(sent) == set(range(2000))
    assert rig.outbox.acknowledged == 2000
    assert len(rig.connections) > 8


@virtual
async def test_pings_are_batched_and_one_at_a_time():
    rig = Rig(make=lambda index: {'delay': 0.1}, identify_interval=0.0).start()
    connection = await rig.registered()
    before = connection.kinds.count(PING)
    for number in range(400):
        rig.put(number)
        await asyncio.sleep(0.005)
    assert 0 < connection.kinds.count(PING) - before <= 2.0 / TICK + 2
    assert connection.most_awaited == 1
    await rig.until(lambda: rig.outbox.acknowledged == 400)


@virtual
async def test_half_a_window_is_acknowledged_without_waiting_for_a_tick():
    outbox = Outbox(Policy(10_000, 2**24), Policy(10, 2**20), window_messages=10)
    rig = Rig(outbox=outbox, identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(1)
    rig.put(*range(1000))
    began = rig.clock()
    await rig.until(lambda: outbox.acknowledged == 1000)
    assert rig.clock() - began < 2 * TICK
    assert connection.most_awaited == 1


@pytest.mark.parametrize('bound', (2, 3, 10, 20, 200))
@pytest.mark.parametrize('rate', (30, 60))
def test_a_small_buffer_does_not_overflow_on_a_healthy_link(bound, rate):
    async def test():
        rig = Rig(outbox=Outbox(Policy(bound, 2**20), Policy(bound, 2**20)),
                  make=lambda index: {'delay': 0.002}).start()
        connection = await rig.registered()
        for frame_id in range(300):
            rig.put(frame_id)
            await asyncio.sleep(1 / rate)
        assert connection.frames == list(range(300))
        assert not rig.outbox.dropped
        assert len(connection.times_of(PING)) < 300 + 10
        assert connection.most_awaited <= 2  # a registration's, and one more
    assert run(test) == []


@virtual
async def test_window_bounds_what_is_written_and_not_acknowledged():
    outbox = Outbox(Policy(10_000, 2**24), Policy(10, 2**20), window_messages=10)
    rig = Rig(outbox=outbox).start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = True
    rig.put(*range(100))
    await asyncio.sleep(20)
    assert connection.frames == list(range(10))


@virtual
async def test_old_boxes_expire_while_there_is_no_pong():
    outbox = Outbox(Policy(1000, 2**20, max_age=3.0), Policy(10, 2**20))
    rig = Rig(outbox=outbox, make=lambda index: {'answers': False}).start()
    rig.put(1, 2)
    await asyncio.sleep(4)
    assert outbox.dropped == {'boxes_too_old': 2}


# ---- giving up and coming back

@pytest.mark.parametrize('fault', (REFUSED, UNAVAILABLE))
def test_gives_up_after_connect_timeout(fault):
    async def test():
        rig = Rig(make=lambda index: fault).start()
        given_up = await rig.end()
        assert (given_up.cause, given_up.fatal) == (fault.cause, False)
        assert '60 s' in given_up.reason and fault.reason in given_up.reason
        assert 60 <= rig.clock() <= 61
    assert run(test) == []


@virtual
async def test_gives_up_though_every_attempt_hangs():
    async def hang(timeout):
        await asyncio.sleep(timeout)
        return LinkFault('timeout', 'it does not answer', reached=False)

    rig = Rig(make=lambda index: hang).start()
    assert (await rig.end()).cause == 'timeout'
    assert rig.timeouts[0] == 10.0
    assert all(at + timeout <= 60.2 for at, timeout in zip(rig.attempts, rig.timeouts))
    assert 60 <= rig.clock() <= 61


@virtual
async def test_gives_up_though_it_is_accepted_but_never_registered():
    def make(index):
        asyncio.get_running_loop().call_later(0.01, lambda: rig.connections[-1].lose(
            LinkFault('closed', 'it closed the connection with code 1005')))
        return {'answers': False}

    rig = Rig(make=make).start()
    assert (await rig.end()).cause == 'closed'
    assert rig.clock() <= 71


@virtual
async def test_connect_timeout_zero_is_for_ever():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(3600)
    assert not rig.running.done()
    assert rig.timeouts[-1] == 10.0
    rig.make = lambda index: {}
    await rig.registered()


@virtual
async def test_fatal_fault_ends_it_at_once():
    rig = Rig(make=lambda index: NOT_FOUND, connect_timeout=0.0).start()
    fault = await rig.end()
    assert (fault.cause, fault.reason, fault.fatal) == ('http_404', NOT_FOUND.reason, True)
    assert (rig.clock(), len(rig.attempts)) == (0.0, 1)


@virtual
async def test_once_registered_it_never_gives_up():
    rig = Rig().start()
    connection = await rig.registered()
    rig.outcomes = [*(50 * [NOT_FOUND]), *(500 * [REFUSED])]
    connection.lose()
    await rig.until(lambda: not rig.outcomes, 5000)
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()


@virtual
async def test_back_off_doubles_while_a_server_answers():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(60)
    delays = [later - sooner for sooner, later in zip(rig.attempts, rig.attempts[1:])]
    assert delays[:7] == pytest.approx([0.5, 1, 2, 4, 8, 10, 10], abs=0.01)


@virtual
async def test_back_off_stays_short_while_nobody_answers():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=0.0).start()
    await asyncio.sleep(60)
    delays = [later - sooner for sooner, later in zip(rig.attempts, rig.attempts[1:])]
    assert delays[:5] == pytest.approx([0.5, 1, 1, 1, 1], abs=0.01)


@virtual
async def test_only_a_stable_connection_resets_the_back_off():
    rig = Rig(outcomes=4 * [UNAVAILABLE]).start()
    for lasting, delay in ((1.0, 8.0), (1.9, 10.0), (2.1, 0.5), (0.0, 1.0)):
        connection = await rig.registered()
        await asyncio.sleep(lasting)
        count = len(rig.attempts)
        lost_at = rig.clock()
        connection.lose()
        await rig.until(lambda: len(rig.attempts) > count)
        assert rig.attempts[-1] - lost_at == pytest.approx(delay, abs=0.05)


@pytest.mark.parametrize('answers', (False, True))
def test_server_that_accepts_and_closes_sees_few_connects(answers):
    """At most 10 in 10 s; full jitter allows a rare exception, which is counted here."""
    def connects(seed):
        rigs = []

        async def test():
            async def closed_in_a_moment(timeout):  # registered or not
                connection = FakeConnection(rig.clock, answers=answers)
                asyncio.get_running_loop().call_later(
                    0.01, connection.lose, LinkFault('closed', 'closed with code 1005'))
                return connection

            rig = Rig(draw=random.Random(seed).random, connect_timeout=0.0,
                      make=lambda index: closed_in_a_moment)
            rigs.append(rig)
            rig.start()
            await asyncio.sleep(10)

        assert run(test) == []
        return len(rigs[0].attempts)

    counts = [connects(seed) for seed in range(200)]
    assert sum(count > 10 for count in counts) <= 1
    assert min(counts) >= 2


def test_ten_connects_in_ten_seconds_are_hardly_ever_exceeded():
    exceeding = 0
    for seed in range(20_000):
        backoff = Backoff(0.5, 10.0, 2.0, random.Random(seed).random)
        at, attempts = 0.0, 0
        while at < 10:
            attempts += 1
            at += backoff.next_delay(reached=True)
        exceeding += attempts > 10
    print(f'{exceeding} of 20000 seeds exceed 10 connects in 10 s')
    assert exceeding <= 20  # 0.1 %


# ---- silence

@virtual
async def test_peer_that_never_answers_the_registration_is_dropped():
    rig = Rig(make=lambda index: {'answers': index > 0}).start()
    await rig.registered()
    assert rig.link.cause.startswith('silent:')
    assert 10 <= rig.attempts[1] - 0.5 <= 10 + 2 * TICK
    assert rig.connections[0].aborted


@virtual
async def test_idle_connection_is_pinged_and_a_silent_one_dropped():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(51)
    times = connection.times_of(PING)
    assert times == pytest.approx([5 * index for index in range(11)], abs=11 * TICK)
    connection.answers = False
    stopped = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2)
    assert 5 <= rig.clock() - stopped <= 5 + 10 + 1
    assert rig.link.cause.startswith('silent:')


@virtual
async def test_the_window_is_halved_when_it_was_not_acknowledged_in_time():
    """Else a link on which it takes too long gets the same messages for ever, to no avail."""
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    widest = rig.outbox.window_bytes
    connection.answers = False
    rig.put(1)
    await rig.until(lambda: len(rig.attempts) == 2)
    assert rig.outbox.window_bytes == widest // 2
    await rig.registered()
    assert rig.outbox.window_bytes == widest // 2, 'a pong that acknowledges nothing says nothing'
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    assert rig.outbox.window_bytes == widest


@virtual
async def test_the_window_is_halved_before_its_acknowledgement_takes_too_long():
    rig = Rig(make=lambda index: {'delay': 6.0}, identify_interval=0.0).start()
    await rig.registered()
    widest = rig.outbox.window_bytes
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    assert rig.outbox.window_bytes == widest // 2
    assert len(rig.attempts) == 1


@virtual
async def test_slow_peer_that_makes_progress_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    for _ in range(6):
        connection.bytes += 1
        await asyncio.sleep(9)
    assert len(rig.attempts) == 1
    await asyncio.sleep(2)
    assert len(rig.attempts) == 2


@virtual
async def test_peer_that_talks_but_does_not_pong_yet_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    for _ in range(6):
        connection.feed(Stop(1))
        await asyncio.sleep(9)
    assert len(rig.attempts) == 1


@virtual
async def test_peer_that_talks_but_never_pongs_is_left():
    rig = Rig(identify_interval=0.0, heartbeat_interval=5.0, heartbeat_timeout=10.0).start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    began = rig.clock()
    while len(rig.attempts) == 1:
        connection.feed(Stop(1))
        await asyncio.sleep(0.1)
    assert 60 <= rig.clock() - began <= 60 + 2
    assert 'silent' in rig.link.cause
    await rig.until(lambda: rig.outbox.acknowledged == 1)


@virtual
async def test_a_large_message_on_a_slow_link_may_take_its_time():
    rig = Rig(identify_interval=0.0, heartbeat_timeout=10.0).start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = connection.auto_delivered = True
    rig.put(1)
    await asyncio.sleep(300)
    assert len(rig.attempts) == 1
    connection.auto_delivered = False  # now it has all of it, and only talks
    began = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2)
    assert 59 <= rig.clock() - began <= 62


@virtual
async def test_gives_up_though_the_peer_talks_and_never_confirms_the_registration():
    rig = Rig(make=lambda index: {'answers': False}, connect_timeout=30.0).start()
    while not rig.running.done():
        if rig.connections:
            rig.connections[-1].feed(Stop(1))
        await asyncio.sleep(0.1)
    fault = await rig.end()
    assert fault.cause == 'silent'
    assert 'gave up after 30 s' in fault.reason
    assert 29 <= rig.clock() <= 31
    assert len(rig.attempts) == 1


@virtual
async def test_once_registered_a_registration_may_take_longer_than_connect_timeout():
    rig = Rig(connect_timeout=5.0).start()
    connection = await rig.registered()
    rig.make = lambda index: {'delay': 8.0}
    connection.lose()
    await rig.until(lambda: rig.link.reconnects == 1)
    assert len(rig.attempts) == 2


@virtual
async def test_write_that_blocks_without_a_ping_outstanding_is_noticed():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await rig.until(lambda: not connection.pongs)
    connection.writable.clear()
    connection.answers = False
    rig.put(1, 2, 3)
    began = rig.clock()
    await rig.until(lambda: len(rig.attempts) == 2, 60)
    assert rig.clock() - began <= 10 + 5 + 1
    await rig.until(lambda: rig.outbox.acknowledged == 3)


@virtual
async def test_write_that_blocks_but_makes_progress_is_kept():
    rig = Rig().start()
    connection = await rig.registered()
    connection.writable.clear()
    rig.put(1, 2, 3)
    for _ in range(20):
        connection.bytes += 1000
        await asyncio.sleep(5)
    assert len(rig.attempts) == 1
    connection.writable.set()
    await rig.until(lambda: rig.outbox.acknowledged == 3)


@virtual
async def test_heartbeat_rarer_than_its_timeout_does_not_drop_a_living_peer():
    rig = Rig(make=lambda index: {'delay': 0.6}, identify_interval=0.0, heartbeat_interval=30.0,
              heartbeat_timeout=10.0).start()
    await rig.registered()
    await asyncio.sleep(200)
    assert len(rig.attempts) == 1


@virtual
async def test_round_trip_time():
    rig = Rig(make=lambda index: {'delay': 0.125}).start()
    await rig.registered()
    assert rig.link.round_trip_time == pytest.approx(0.125)


# ---- what the orchestrator says

@virtual
async def test_commands_are_passed_on_in_order():
    rig = Rig().start()
    connection = await rig.registered()
    connection.feed(Start(1, 2.5, 3))
    connection.feed(Update(1, (0.5, 1.5)))
    connection.feed(Update(1, (0.5, 1.5)))
    connection.feed(Stop(1))
    await rig.until(lambda: len(rig.commands) == 3)
    assert [(command.sequence, command.message) for command in rig.commands] == [
        (1, Start(1, 2.5, 3)), (2, Update(1, (0.5, 1.5))), (3, Stop(1))]


@pytest.mark.parametrize('reconcile', (True, False))
def test_stop_missed_while_away_is_concluded_from_the_replay(reconcile):
    async def test():
        replays = [(), (Update(2), Update(3, (1.0,)))]
        rig = Rig(make=lambda index: {'replay': replays[index]}, reconcile=reconcile).start()
        first = await rig.registered()
        first.feed(Start(1, 1.0, 1))
        first.feed(Start(2, 1.0, 2))
        await rig.until(lambda: len(rig.commands) == 2)
        first.lose()
        await rig.until(lambda: rig.link.reconnects == 1)
        stops = [(4, Stop(1), True)] if reconcile else []
        assert [(command.sequence, command.message, command.reconciled)
                for command in rig.commands[2:]] == [(3, Update(3, (1.0,)), False), *stops]
        assert set(rig.link.session.tracked) == ({2, 3} if reconcile else {1, 2, 3})
    assert run(test) == []


@virtual
async def test_start_between_identifier_and_pong_is_not_stale():
    rig = Rig(make=lambda index: {'answers': index == 0}).start()
    first = await rig.registered()
    first.feed(Start(1, 1.0, 1))
    await rig.until(lambda: rig.commands)
    first.lose()
    await rig.until(lambda: len(rig.connections) == 2 and rig.connections[1].pongs)
    rig.connections[1].feed(Start(5, 2.0, 1))
    rig.connections[1].answer()
    await rig.until(lambda: len(rig.commands) == 3)
    assert [command.message for command in rig.commands[1:]] == [Start(5, 2.0, 1), Stop(1)]
    assert set(rig.link.session.tracked) == {5}


@virtual
async def test_repeated_registration_reconciles_too():
    rig = Rig(identify_interval=5.0).start()
    connection = await rig.registered()
    connection.replay = (Update(1),)
    connection.feed(Start(1, 1.0, 1))
    await rig.until(lambda: connection.kinds.count('identifier') == 3)
    assert [command.message for command in rig.commands] == [Start(1, 1.0, 1)]
    connection.replay = ()
    await rig.until(lambda: len(rig.commands) == 2)
    assert (rig.commands[1].message, rig.commands[1].reconciled) == (Stop(1), True)


@virtual
async def test_bad_input_is_counted_and_changes_nothing():
    rig = Rig(limits=wire.Limits(feature_map=2)).start()
    connection = await rig.registered()
    connection.feed(Start(1, 1.0, 1))
    await rig.until(lambda: rig.commands)
    tracked = dict(rig.link.session.tracked)
    for text in ('', '{', '[]', '{"type": "stop"}', '{"type": "stop", "objectId": true}',
                 '{"type": "dance"}', '{"type": "featureMap", "objectId": 1, '
                 '"featureMap": [1, 2, 3]}', 100_000 * '[', b'\x00binary', b'{"type": "stop"}'):
        connection.feed(text)
    await rig.until(lambda: rig.link.rejected.total() == 10)
    assert rig.link.rejected == {
        'malformed': 4, 'invalid_field': 2, 'unknown_type': 1, 'too_big': 1, 'binary': 2}
    assert len(rig.commands) == 1 and rig.link.session.tracked == tracked
    connection.feed(Stop(1))
    await rig.until(lambda: len(rig.commands) == 2)
    assert len(rig.connections) == 1
    lines = [line for line in rig.logger.lines if 'ignored' in line]
    assert len(lines) == 5  # one per cause
    assert any('binary' in line for line in lines)
    assert all('front-door' in line for line in lines)


@virtual
async def test_what_a_fault_says_is_logged_as_one_short_line():
    rig = Rig(outcomes=[LinkFault('closed', 'evil\nline ' + 1000 * 'x')]).start()
    await rig.registered()
    assert all(line.isprintable() and len(line) < 250 for line in rig.logger.lines)
    assert rig.link.cause.startswith('closed: evil') and rig.link.cause.isprintable()
    assert any('ws://orchestrator/processor' in line and 'evil' in line
               for line in rig.logger.lines)


@virtual
async def test_failing_attempts_do_not_flood_the_log():
    rig = Rig(make=lambda index: REFUSED, connect_timeout=0.0).start()
    await asyncio.sleep(600)
    assert len(rig.attempts) > 500
    assert len(rig.logger.lines) <= 121


# ---- orders from outside

@virtual
async def test_shut_down_flushes_and_says_going_away():
    rig = Rig(make=lambda index: {'delay': 0.2}).start()
    connection = await rig.registered()
    rig.put(*range(100))
    began = rig.clock()
    await rig.link.shut_down()
    assert rig.clock() - began < 2
    assert connection.frames == list(range(100))
    assert (rig.outbox.acknowledged, len(rig.outbox)) == (100, 0)
    assert connection.closed[0] == 1001
    await rig.running
    assert rig.link.state is State.CLOSED


@pytest.mark.parametrize('blocked', (False, True))
def test_shut_down_returns_in_time_though_the_peer_has_stalled(blocked):
    async def test():
        rig = Rig().start()
        connection = await rig.registered()
        connection.answers = connection.close_answered = False
        if blocked:
            connection.writable.clear()
        rig.put(1, 2, 3)
        began = rig.clock()
        await rig.link.shut_down()
        assert rig.clock() - began <= 2.2
        assert connection.closed[0] == 1001
        await rig.running
        assert len(rig.outbox) == 3  # kept, and not counted as sent
        assert rig.outbox.in_flight == 0
    assert run(test) == []


@virtual
async def test_it_can_run_again_and_goes_on_where_it_was():
    rig = Rig(make=lambda index: {'replay': [Update(7, (1.0,))]}).start()
    first = await rig.registered()
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    await rig.until(lambda: rig.commands)
    await asyncio.sleep(5)
    await rig.link.shut_down()
    await rig.running
    rig.put(2)
    await asyncio.sleep(1000)
    assert len(rig.connections) == 1 and len(rig.outbox) == 1
    second = await rig.start().registered()
    await rig.until(lambda: rig.outbox.acknowledged == 2)
    assert second is not first and second.frames == [2]
    assert 7 in rig.link.session.tracked and len(rig.commands) == 1
    await rig.link.shut_down()
    await rig.running


@virtual
async def test_when_run_again_connect_timeout_counts_from_then_if_it_never_registered():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=20.0).start()
    assert 'gave up after 20 s' in (await rig.end()).reason
    await rig.link.shut_down()
    await asyncio.sleep(1000)
    began = rig.clock()
    assert 'gave up after 20 s' in (await rig.start().end()).reason
    assert 15 < rig.clock() - began <= 21
    rig.make = lambda index: {}
    await rig.start().registered()
    await rig.link.shut_down()


@virtual
async def test_shut_down_with_nothing_to_flush_is_immediate():
    rig = Rig().start()
    connection = await rig.registered()
    began = rig.clock()
    await rig.link.shut_down()
    assert rig.clock() == began
    assert connection.closed[0] == 1001
    await rig.running


@virtual
async def test_shut_down_before_the_registration_sends_no_boxes():
    rig = Rig(make=lambda index: {'answers': False}).start()
    rig.put(1)
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    await rig.link.shut_down()
    await rig.running
    assert rig.connections[0].frames == []
    assert rig.connections[0].closed[0] == 1001


@virtual
async def test_shut_down_shortly_before_the_registration_still_flushes():
    rig = Rig(make=lambda index: {'delay': 0.3}).start()
    rig.put(1, 2, 3)
    await rig.until(lambda: rig.connections and rig.connections[0].pongs)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.connections[0].frames == [1, 2, 3]
    assert len(rig.outbox) == 0
    assert rig.clock() - began < 1.0


@virtual
async def test_shut_down_while_it_waits_to_try_again():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await asyncio.sleep(20)
    began, attempts = rig.clock(), len(rig.attempts)
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() == began
    assert len(rig.attempts) == attempts
    assert rig.link.state is State.CLOSED


@virtual
async def test_shut_down_while_it_connects():
    async def slow(timeout):
        await asyncio.sleep(5)
        return {}

    rig = Rig(make=lambda index: slow).start()
    await asyncio.sleep(1)
    await rig.link.shut_down()
    await asyncio.wait([rig.running], timeout=10)
    assert rig.running.done(), 'run() goes on after shut_down()'
    assert rig.link.state is State.CLOSED
    assert all('identifier' not in connection.kinds for connection in rig.connections)


@virtual
async def test_shut_down_when_the_connection_breaks_meanwhile():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    asyncio.get_running_loop().call_later(0.5, connection.lose)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() - began < 0.6
    assert len(rig.outbox) == 1


@virtual
async def test_reconnect_during_the_flush_of_the_end_ends_it():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1)
    asyncio.get_running_loop().call_later(0.5, rig.link.reconnect)
    began = rig.clock()
    await rig.link.shut_down()
    await rig.running
    assert rig.clock() - began < 0.6
    assert len(rig.attempts) == 1


@virtual
async def test_a_task_that_is_cancelled_costs_a_reconnect():
    rig = Rig().start()
    connection = await rig.registered()

    async def cancelled():
        raise asyncio.CancelledError
    connection.receive = cancelled
    connection.feed(Stop(1))
    await rig.until(lambda: rig.link.reconnects == 1)
    assert rig.link.cause.startswith('internal: CancelledError')


@virtual
async def test_reconnect_does_not_wait():
    rig = Rig(outcomes=5 * [UNAVAILABLE]).start()
    connection = await rig.registered()  # the next delay would be 10 s
    began = rig.clock()
    rig.link.reconnect()
    assert connection.aborted
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.clock() - began < 0.1


@virtual
async def test_reconnect_ends_the_wait_for_the_next_attempt():
    rig = Rig(make=lambda index: UNAVAILABLE, connect_timeout=0.0).start()
    await rig.until(lambda: len(rig.attempts) == 8)
    began = rig.clock()
    rig.link.reconnect()
    await rig.until(lambda: len(rig.attempts) == 9)
    assert rig.clock() - began < 0.1
    await asyncio.sleep(9)
    assert len(rig.attempts) == 9


@virtual
async def test_reconnect_during_an_attempt_does_not_shorten_a_later_wait():
    async def slow(timeout):
        await asyncio.sleep(1)
        return {}

    rig = Rig(outcomes=[*(5 * [UNAVAILABLE]), slow]).start()
    await rig.until(lambda: len(rig.attempts) == 6)
    rig.link.reconnect()
    connection = await rig.registered()
    count, began = len(rig.attempts), rig.clock()
    connection.lose()
    await rig.until(lambda: len(rig.attempts) > count)
    assert rig.clock() - began > 5


# ---- bugs in what is called cost a reconnect at most

def fails_once(rig_of, kind):
    """Return a callback that raises at the first such command, and keeps the others."""
    failed = []

    def callback(command):
        if not failed and isinstance(command.message, kind):
            failed.append(command)
            raise RuntimeError('a bug')
        rig_of().commands.append(command)
    return callback


async def still_works(rig):
    await rig.until(lambda: rig.link.state is State.STABLE)
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    rig.connections[-1].feed(Update(99, (9.0,)))
    await rig.until(lambda: rig.commands and rig.commands[-1].message == Update(99, (9.0,)))


def test_bug_at_the_end_of_a_connection():
    async def test():
        rig = Rig().start()
        connection = await rig.registered()
        connection.abort = lambda: 1 / 0
        connection.lose()
        await rig.until(lambda: len(rig.connections) > 1)
        assert rig.link.cause.startswith('internal: ZeroDivisionError')
        await still_works(rig)
    run(test)


def test_bug_in_a_commands_handler():
    async def test():
        rig = Rig(on_command=fails_once(lambda: rig, Start)).start()
        connection = await rig.registered()
        connection.feed(Start(1, 1.0, 1))
        await rig.until(lambda: any('RuntimeError' in line for line in rig.logger.lines))
        await still_works(rig)
    run(test)


def test_bug_in_a_commands_handler_at_registration():
    async def test():
        rig = Rig(on_command=fails_once(lambda: rig, Stop)).start()
        first = await rig.registered()
        first.feed(Start(1, 1.0, 1))
        await rig.until(lambda: 1 in rig.link.session.tracked)
        first.lose()
        await rig.until(lambda: len(rig.connections) > 1)
        await still_works(rig)
    run(test)


@pytest.mark.parametrize('state', (
    State.CONNECTING, State.AUTHENTICATING, State.REGISTERED, State.STABLE))
def test_bug_in_the_states_handler(state):
    async def test():
        failed = []

        def on_state():
            if rig.link.state is state and not failed:
                failed.append(state)
                raise RuntimeError('a bug')

        rig = Rig(on_state=on_state).start()
        await rig.until(lambda: failed)
        await still_works(rig)
    run(test)


@virtual
async def test_bug_in_connect():
    rig = Rig(outcomes=[ValueError('Invalid IPv6 URL')]).start()
    await still_works(rig)
    assert any('ValueError' in line for line in rig.logger.lines)


# ---- what the peer asks for

@virtual
async def test_retry_after_lengthens_the_wait():
    busy = LinkFault('http_503', 'it answers HTTP 503', retry_after=40.0)
    rig = Rig(outcomes=[busy]).start()
    await rig.registered()
    assert 40.0 <= rig.attempts[1] - rig.attempts[0] < 41.0
    await rig.link.shut_down()


@virtual
async def test_a_message_too_big_for_the_peer_does_not_loop():
    rig = Rig().start()
    for _ in range(2):
        connection = await rig.registered()
        if not len(rig.outbox):
            rig.put('x' * 1000, 1)
        await rig.until(lambda: connection.kinds.count('boundingBoxes') == 2)
        connection.lose(LinkFault('too_big', 'a message is too big for it'))
        await rig.until(lambda: rig.link.state is State.CONNECTING)
    connection = await rig.registered()
    await rig.until(lambda: not len(rig.outbox))
    assert rig.outbox.dropped == {'boxes_refused_by_peer': 1}
    assert rig.outbox.acknowledged == 1
    assert any('given up' in line for line in rig.logger.lines)
    await rig.link.shut_down()


# ---- floods

@virtual
async def test_a_flood_is_cut_and_counted_and_the_link_stays():
    rig = Rig(command_rate=10.0).start()
    connection = await rig.registered()
    for _ in range(500):
        connection.feed(Stop(1))
    await rig.until(lambda: rig.link.rejected['rate'] > 0)
    await asyncio.sleep(1.0)
    assert 200 <= len(rig.commands) <= 215
    assert len(rig.commands) + rig.link.rejected['rate'] == 500
    assert len(rig.connections) == 1
    connection.feed(Stop(2))
    await rig.until(lambda: rig.commands[-1].message == Stop(2))
    await rig.link.shut_down()


@virtual
async def test_no_object_is_stopped_because_its_replay_was_garbled():
    rig = Rig(make=lambda index: {'replay': [Update(1, (0.5,))] if index == 0 else []}).start()
    first = await rig.registered()
    await rig.until(lambda: 1 in rig.link.session.tracked)
    rig.make = lambda index: {'replay': ['{"type":"featureMap","objectId":1,"featureMap":[NaN]}']}
    first.lose()
    await rig.until(lambda: len(rig.connections) == 2)
    await rig.registered()
    assert 1 in rig.link.session.tracked
    assert all(not isinstance(command.message, Stop) for command in rig.commands)
    await rig.link.shut_down()


# ---- tokens that are not accepted

async def a_token():
    return 'a token'


@virtual
async def test_a_close_right_after_the_token_is_a_rejected_token():
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1))
    rig.make = lambda index: {'answers': False}
    rig.start()
    await rig.until(lambda: rig.connections and 'identifier' in rig.connections[0].kinds)
    rig.connections[0].lose(LinkFault('closed', 'it closed the connection with code 1005'))
    await rig.until(lambda: rejected)
    assert rig.link.cause.startswith('rejected_token')
    await rig.link.shut_down()


@virtual
async def test_a_rejected_token_is_named_also_where_nobody_wants_to_hear_of_it():
    rig = Rig(token=a_token, make=lambda index: {'answers': False}).start()
    await rig.until(lambda: rig.connections and 'identifier' in rig.connections[0].kinds)
    rig.connections[0].lose(LinkFault('closed', 'it closed the connection with code 1005'))
    await rig.until(lambda: rig.link.cause.startswith('rejected_token'))
    await rig.link.shut_down()


@virtual
async def test_the_end_is_told_once_however_often_it_is_asked_for():
    rig = Rig().start()
    await rig.registered()
    await rig.link.shut_down()
    await rig.link.shut_down()
    assert rig.states.count(State.CLOSED) == 1


@pytest.mark.parametrize('cause, after', (('lost', 0.0), ('closed', 5.0)))
def test_other_losses_are_not_blamed_on_the_token(cause, after):
    async def test():
        rejected = []
        rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1)).start()
        connection = await rig.registered()
        await asyncio.sleep(after)
        connection.lose(LinkFault(cause, 'gone'))
        await rig.until(lambda: len(rig.connections) > 1)
        assert rejected == [] and rig.link.cause.startswith(cause)
        await rig.link.shut_down()
    run(test)


@virtual
async def test_a_token_that_never_comes_costs_a_reconnect():
    async def never():
        await asyncio.Event().wait()

    rig = Rig(token=never).start()
    await rig.until(lambda: len(rig.connections) == 2)
    assert rig.link.cause.startswith('token_server')
    await rig.link.shut_down()


@virtual
async def test_rejected_tokens_make_no_hot_loop():
    rejected = []
    rig = Rig(token=a_token, on_token_rejected=lambda: rejected.append(1)).start()
    began = rig.clock()
    while rig.clock() < began + 600:
        connection = await rig.registered()
        connection.lose(LinkFault('closed', 'code 1005'))
        await rig.until(lambda: rig.link.state is State.CONNECTING)
    assert 50 < len(rejected) < 80
    await rig.link.shut_down()
