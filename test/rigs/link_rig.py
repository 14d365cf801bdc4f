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
The link with a scripted connection and in virtual time.

The loop's clock jumps to the next timer whenever nothing is ready to run: an hour takes
milliseconds, and how busy the machine is makes no difference.
"""

import asyncio
from dataclasses import replace
import functools
import json
import selectors

from camera_ws_bridge.buffer.outbox import Outbox, Policy
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.backoff import Backoff
from camera_ws_bridge.link.inbound import Inbound
from camera_ws_bridge.link.link import Link, State
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.log.throttled_log import ThrottledLog
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.tracking.tracked_objects import Session
from camera_ws_bridge.transport.tcp import Silence
import pytest
from rigs.shared import Recorder

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


def virtual(test):
    """Let a coroutine function be a test in virtual time that leaves no complaint behind."""
    @functools.wraps(test)
    def wrapper(**arguments):
        assert run(lambda: test(**arguments)) == []
    return wrapper


def copy(fault):
    """Return a fault to raise: one that was raised before drags its traceback along."""
    if not isinstance(fault, LinkFault):
        return fault
    return LinkFault(fault.cause, fault.reason, fatal=fault.fatal, reached=fault.reached,
                     retry_after=fault.retry_after, code=fault.code)


class FakeConnection:
    """One connection: writes down what is sent, and answers as it is told to."""

    round_trip_time = 0.001  # seconds, as its kernel measures it
    direct = True  # whether it can be written to without the writer's task

    def __init__(self, clock, *, answers=True, replay=(), delay=0.0):
        self.answers = answers
        self.replay = replay
        self.delay = delay  # of pongs
        self.log = []  # text messages as objects, and PING
        self.times = []
        self.pongs = []  # not yet answered
        self.most_awaited = 0
        self.routed = True  # whether its address and route are as they were
        self.unanswered = 0  # what the peer's kernel has not answered, all the time since then
        self.silent_since = 0.0
        self.resent = 0  # packets
        self.patience = 0.0  # seconds
        self.looks = 0  # how often its silence was looked at
        self.answers_new = False  # whether a new connection would be answered
        self.differ = 0.0  # seconds, by which the answers to some that are made together do
        self.waits = 0.0  # seconds for which the kernel has not sent again what it will
        self.probes = []  # when that was asked
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

    def has_route(self):
        return self.routed

    def silence(self):
        self.looks += 1
        lasts = self._clock() - self.silent_since if self.unanswered or self.waits else 0.0
        return Silence(
            lasts, lasts + self.waits, self.unanswered, self.waits > 0, self.resent,
            self.round_trip_time, max(0.2, self.waits))

    def fall_silent(self, unanswered=3):
        self.answers, self.unanswered, self.silent_since = False, unanswered, self._clock()
        self.resent += unanswered

    def fall_behind(self, waits):
        """Be a connection on which much got lost in a queue, so that the kernel waits."""
        self.answers, self.waits, self.silent_since = False, waits, self._clock()

    def be_patient(self, seconds):
        self.patience = seconds

    def revive(self):
        """Answer what is on its way, and all that comes."""
        self.answers, self.unanswered, self.waits = True, 0, 0.0
        for pong in [*self.pongs]:
            self.answer(pong)

    async def answers_anew(self):
        self.probes.append(self._clock())
        await asyncio.sleep(0.3)
        return self.differ if self.answers_new else None

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
            message = codec.encode(message)
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


class Tokens:
    """Where tokens come from."""

    def __init__(self, token, rejected):
        self.token, self.rejected = token, rejected


class Rig:
    """A link, its camera, its orchestrator, the connections it makes, and what it says."""

    def __init__(
            self, *, outcomes=(), make=None, token=None, reconcile=True, outbox=None,
            draw=lambda: 1.0, on_token_rejected=lambda: None, **settings):
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.outcomes = list(outcomes)  # of the next attempts: a fault, or make()'s arguments
        self.make = make or (lambda index: {})
        self.network_listeners = []
        self.network_is_silent = False  # whether the system does not tell of its network
        self.connections = []
        self.attempts = []  # when
        self.timeouts = []
        self.commands = []
        self.states = []
        self.logger = Recorder()
        self.outbox = outbox
        if outbox is None:
            self.outbox = Outbox(Policy(10_000, 2**24), Policy(1000, 2**20))
        settings.setdefault('reconnect_delay_max', 10.0)
        self.settings = Settings('front-door', 'ws://orchestrator/processor', **settings)
        self.session = Session(reconcile)
        log = ThrottledLog(self.logger, 'front-door', self.clock)
        take_in = self.session.receive
        self.inbound = Inbound(
            self.session, {Start: take_in, Stop: take_in, Update: take_in},
            self.settings.command_rate, self.settings.limits, log, self)
        self.tokens = token and Tokens(token, on_token_rejected)
        self.link = Link(self, self, Backoff(
            self.settings.reconnect_delay_min, self.settings.reconnect_delay_max,
            self.settings.stable_after, draw), log, self.clock)
        self.running = None

    def told(self, command):
        self.commands.append(command)

    def session_changed(self):
        self.outbox.begin_session(self.session.number)

    def state_changed(self):
        self.states.append(self.link.state)

    async def connect(self, settings, timeout):
        assert settings == self.settings
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

    def watch_network(self, loop, listener):
        if self.network_is_silent:
            raise PermissionError(1, 'Operation not permitted')
        assert loop is self.loop
        self.network_listeners.append(listener)
        return lambda: self.network_listeners.remove(listener)

    def change_network(self):
        for listener in [*self.network_listeners]:
            listener()

    def start(self):
        self.running = asyncio.create_task(self.link.run())
        return self

    def configure(self, **changes):
        """Change settings of the link, as a bridge does."""
        old, self.settings = self.settings, replace(self.settings, **changes)
        self.link.configure(old)

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
        payload = codec.encode_utf8(Update(object_id, (1.0,)))
        self.outbox.put(self.outbox.updates, payload, self.clock(), object_id)
        self.link.wake()

    async def end(self):
        """Return what run() raised."""
        with pytest.raises(LinkFault) as caught:
            await self.running
        return caught.value


async def a_token():
    return SECRET
