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
Whatever is done to the outbox in whatever order, every message is accounted for.

At any time: accepted = acknowledged + dropped + queued + in flight, in each lane and together.
"""

from camera_ws_bridge.buffer.outbox import Outbox, Policy
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, RuleBasedStateMachine

LANES = ('boxes', 'updates')
POLICIES = st.builds(
    Policy, st.integers(1, 12), st.integers(8, 200), st.sampled_from([0.0, 0.0, 3.0]),
    st.booleans())


class Buffer(RuleBasedStateMachine):
    """
    An outbox beside a plain account of where each of its messages went.

    A message is known by its number, which its payload begins with.
    """

    def __init__(self):
        """Begin at time 0 with nothing."""
        super().__init__()
        self.now = 0.0
        self.count = 0
        self.lane_of = {}   # message to lane name
        self.object_of = {}
        self.acknowledged = set()
        self.dropped = dict.fromkeys(LANES, 0)
        self.serials = [0]

    @initialize(boxes=POLICIES, updates=POLICIES, window_messages=st.integers(1, 10),
                window_bytes=st.integers(1, 100))
    def begin(self, boxes, updates, window_messages, window_bytes):
        """Make an outbox with small bounds."""
        self.outbox = Outbox(
            boxes, updates, window_messages=window_messages, window_bytes=window_bytes)

    # What can be done to it.

    @rule(name=st.sampled_from(LANES), size=st.integers(6, 80) | st.just(250),
          object_id=st.integers(0, 3))
    def put(self, name, size, object_id):
        """Accept a message; only its lane may lose something, for want of room."""
        self.count += 1
        self.lane_of[self.count] = name
        self.object_of[self.count] = object_id
        lane = getattr(self.outbox, name)
        before = self.alive()
        in_flight, queued = self.numbers(lane.in_flight), self.numbers(lane.queued)
        causes = self.outbox.dropped.copy()
        self.outbox.put(lane, (b'%06d' % self.count).ljust(size), self.now, object_id)
        causes = self.outbox.dropped - causes
        lost = (before | {self.count}) - self.alive()
        assert sum(causes.values()) == len(lost)
        assert all(self.lane_of[message] == name for message in lost)
        assert set(causes) <= {f'{name}_{cause}' for cause in (
            'too_big', 'overflow', 'superseded')}
        if size > lane.policy.max_bytes:
            assert causes == {f'{name}_too_big': 1}
            assert lost == {self.count}
        else:
            assert f'{name}_too_big' not in causes
            assert self.numbers(lane.in_flight) == in_flight
            assert lost <= {*queued, self.count}
            self.check_choice(lane, [*queued, self.count], lost, causes)
        self.dropped[name] += len(lost)

    def check_choice(self, lane, queued, lost, causes):
        """Superseded updates are lost before the oldest of those that are not."""
        if not lane.policy.newest_per_object:
            assert set(queued[:len(lost)]) == lost
            assert f'{lane.name}_superseded' not in causes
            return
        superseded = [message for place, message in enumerate(queued) if self.object_of[message]
                      in {self.object_of[later] for later in queued[place + 1:]}]
        newest = [message for message in queued if message not in superseded]
        assert lost == {*(superseded + newest)[:len(lost)]}
        assert causes[f'{lane.name}_superseded'] == min(len(lost), len(superseded))

    @rule()
    def take(self):
        """Write what may be written: only what is too old may be lost."""
        queued = {name: self.numbers(getattr(self.outbox, name).queued) for name in LANES}
        in_flight = self.outbox.in_flight
        sent = self.outbox.sent
        with Losses(self, 'too_old'):
            batch = self.outbox.take(self.now)
        assert [item.serial for item in batch] == [*range(sent + 1, sent + 1 + len(batch))]
        assert self.outbox.sent == sent + len(batch)
        written = self.numbers(batch)
        names = [self.lane_of[message] for message in written]
        assert names == sorted(names, reverse=True)  # updates first
        for name in LANES:
            lane = getattr(self.outbox, name)
            mine = [message for message in written if self.lane_of[message] == name]
            expired = len(queued[name]) - len(mine) - len(lane.queued)
            assert queued[name][expired:] == mine + self.numbers(lane.queued)
        if in_flight == 0 and (self.outbox.boxes.queued or self.outbox.updates.queued):
            assert batch  # it never gets stuck
        self.serials += [item.serial for item in batch]

    @precondition(lambda self: len(self.serials) > 1)
    @rule(data=st.data())
    def acknowledge(self, data):
        """Hear of something written, perhaps long ago and on another connection."""
        serial = data.draw(st.sampled_from(self.serials[-6:] + [0]))
        done = [item for lane in (self.outbox.boxes, self.outbox.updates)
                for item in lane.in_flight if item.serial <= serial]
        kept = self.alive() - {*self.numbers(done)}
        self.outbox.acknowledge(serial)
        assert self.alive() == kept
        self.acknowledged |= {*self.numbers(done)}

    @rule()
    def restore(self):
        """Lose the connection: all that was in flight is queued again, in order."""
        lanes = [self.outbox.boxes, self.outbox.updates]
        expected = [self.numbers(lane.in_flight) + self.numbers(lane.queued) for lane in lanes]
        in_flight = self.outbox.in_flight
        assert self.outbox.restore() == in_flight
        assert [self.numbers(lane.queued) for lane in lanes] == expected
        assert self.outbox.in_flight == self.outbox.in_flight_bytes == 0

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def wait(self, seconds):
        """Let time pass."""
        self.now += seconds

    @rule()
    def expire(self):
        """Drop what is too old, and all of it."""
        with Losses(self, 'too_old'):
            self.outbox.expire(self.now)
        for lane in (self.outbox.boxes, self.outbox.updates):
            assert not lane.policy.max_age or all(
                self.now - item.accepted_at <= lane.policy.max_age for item in lane.queued)

    @rule()
    def clear(self):
        """Drop all that is queued, nothing that is in flight."""
        queued = len(self.outbox) - self.outbox.in_flight
        in_flight = self.outbox.in_flight
        with Losses(self, 'cleared'):
            assert self.outbox.clear('cleared') == queued
        assert len(self.outbox) == self.outbox.in_flight == in_flight

    # What holds at any time.

    @invariant()
    def every_message_is_accounted_for(self):
        """Check that accepted = acknowledged + dropped + queued + in flight."""
        outbox = self.outbox
        assert outbox.boxes.accepted + outbox.updates.accepted == self.count == (
            outbox.acknowledged + sum(outbox.dropped.values())
            + len(outbox.boxes.queued) + len(outbox.updates.queued) + outbox.in_flight)
        assert outbox.acknowledged == len(self.acknowledged)
        assert not self.alive() & self.acknowledged
        for name in LANES:
            lane = getattr(outbox, name)
            accepted = [message for message in self.lane_of if self.lane_of[message] == name]
            assert lane.accepted == len(accepted) == (
                len(self.acknowledged & {*accepted}) + self.dropped[name] + len(lane))

    @invariant()
    def bounds_hold(self):
        """No lane and no window holds more than it may."""
        outbox = self.outbox
        for lane in (outbox.boxes, outbox.updates):
            policy = lane.policy
            assert len(lane) <= policy.max_messages
            assert lane.bytes == self.size(lane.queued) + self.size(lane.in_flight)
            assert lane.bytes <= policy.max_bytes
            assert len(lane) <= lane.peak <= policy.max_messages
            assert lane.bytes <= lane.peak_bytes
            assert len(lane.in_flight) <= max(1, policy.max_messages // 2)
            assert (len(lane.in_flight) <= 1
                    or self.size(lane.in_flight) <= policy.max_bytes // 2)
        assert outbox.in_flight <= outbox.window_messages
        assert outbox.in_flight_bytes == (
            self.size(outbox.boxes.in_flight) + self.size(outbox.updates.in_flight))
        assert outbox.in_flight_bytes <= outbox.window_bytes or outbox.in_flight == 1

    @invariant()
    def order_is_kept(self):
        """Keep what is left in a lane in the order of acceptance, and write it so."""
        for lane in (self.outbox.boxes, self.outbox.updates):
            numbers = self.numbers(lane.in_flight) + self.numbers(lane.queued)
            assert numbers == sorted(set(numbers))
            serials = [item.serial for item in lane.in_flight]
            assert serials == sorted(set(serials))

    @invariant()
    def the_oldest_is_the_oldest(self):
        """Take the age from the oldest message of all."""
        times = [item.accepted_at for lane in (self.outbox.boxes, self.outbox.updates)
                 for items in (lane.in_flight, lane.queued) for item in items]
        assert self.outbox.oldest_age(self.now) == (self.now - min(times) if times else 0.0)

    # Helpers.

    @staticmethod
    def numbers(items):
        """Return which messages these are."""
        return [int(item.payload[:6]) for item in items]

    @staticmethod
    def size(items):
        """Return the bytes of these messages."""
        return sum(len(item.payload) for item in items)

    def alive(self):
        """Return the messages that are in the outbox."""
        return {number for lane in (self.outbox.boxes, self.outbox.updates)
                for items in (lane.in_flight, lane.queued) for number in self.numbers(items)}


class Losses:
    """Everything lost within is counted, under one cause."""

    def __init__(self, buffer, cause):
        """Watch a Buffer."""
        self.buffer = buffer
        self.cause = cause

    def __enter__(self):
        """Remember what there is."""
        self.before = self.buffer.alive()
        self.causes = self.buffer.outbox.dropped.copy()

    def __exit__(self, kind, *_):
        """Compare."""
        if kind is not None:
            return
        causes = self.buffer.outbox.dropped - self.causes
        lost = self.before - self.buffer.alive()
        for name in LANES:
            mine = sum(self.buffer.lane_of[message] == name for message in lost)
            assert causes.pop(f'{name}_{self.cause}', 0) == mine
            self.buffer.dropped[name] += mine
        assert not causes


TestBuffer = Buffer.TestCase
TestBuffer.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow])
