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

"""Whatever is reordered, lost, repeated or restarted: what is told is true in the end."""

from collections import defaultdict

from camera_ws_bridge.reid.events import Command, Kind, Listed
from camera_ws_bridge.reid.follower import Follower
from camera_ws_bridge.reid.in_order import GAP
from hypothesis import given, settings, strategies as st

KINDS = (Kind.START, Kind.STOP, Kind.UPDATE)


class World:
    """Orchestrator, bridge and the topics; what a follower tells is checked as it comes."""

    def __init__(self):
        self.now = 0.0
        self.stamp = 1000
        self.tick = 1  # of the clock; 0: it stands still, as a simulation's does
        self.session = 1
        self.last_object = 0
        self.life = 0  # of the bridge
        self.sent = []  # (life, command)
        self.topics = {kind: [] for kind in KINDS}  # on their way
        self.list_on_its_way = None
        self.follower = None
        self.told = []  # the events
        self.known = {}  # object id to feature map, as told
        self.told_session = None
        self.start_bridge()

    # ---- what happens at the other side

    def start_bridge(self):
        self.life += 1
        self.sequence = 0
        self.tracked = {}
        self.latched = {kind: [] for kind in KINDS}
        self.publish_list()

    def restart_bridge(self):
        """Let the new one hear of all that is tracked."""
        before = self.tracked
        self.start_bridge()
        for object_id, feature_map in before.items():
            self.update(object_id, feature_map)
        self.publish_list()

    def restart_orchestrator(self):
        for object_id in sorted(self.tracked):
            self.stop(object_id)
        self.session += 1
        self.last_object = 0
        self.publish_list()

    def command(self, kind, object_id, feature_map=()):
        self.sequence += 1
        self.stamp += self.tick
        command = Command(kind, self.sequence, self.session, object_id, self.stamp, feature_map,
                          (self.life, self.sequence))
        self.sent.append(command)
        self.latched[kind].append(command)
        if self.follower is not None:
            self.topics[kind].append(command)

    def start(self):
        self.last_object += 1
        self.tracked[self.last_object] = ()
        self.command(Kind.START, self.last_object)

    def stop(self, object_id):
        self.tracked.pop(object_id, None)
        self.command(Kind.STOP, object_id)

    def update(self, object_id, feature_map):
        self.tracked[object_id] = feature_map
        self.command(Kind.UPDATE, object_id, feature_map)

    def publish_list(self):
        self.stamp += self.tick
        self.list = Listed(self.session, self.stamp, dict(self.tracked))
        if self.follower is not None:
            self.list_on_its_way = self.list

    # ---- the follower

    def join(self):
        """Let a follower come up, which gets what is latched."""
        self.follower = Follower()
        self.topics = {kind: [*commands] for kind, commands in self.latched.items()}
        self.list_on_its_way = self.list

    def deliver(self, kind):
        if self.follower is not None and self.topics[kind]:
            self.hear(self.follower.on_command(self.topics[kind].pop(0), self.now))

    def deliver_list(self):
        if self.list_on_its_way is not None:
            listed, self.list_on_its_way = self.list_on_its_way, None
            self.hear(self.follower.on_list(listed, self.now))

    def wait(self, seconds):
        self.now += seconds
        if self.follower is not None:
            self.hear(self.follower.on_tick(self.now))

    def hear(self, events):
        for event in events:
            self.told.append(event)
            if event.kind is Kind.SESSION:
                assert not self.known, 'all objects of a session are stopped before the next'
                assert event.session != self.told_session
                self.told_session = event.session
                continue
            assert event.session == self.told_session
            if event.kind is Kind.STOP:
                del self.known[event.object_id]  # it was told, and is stopped once
            elif event.kind is Kind.START:
                self.known.setdefault(event.object_id, ())
            else:
                self.known[event.object_id] = event.feature_map
        numbers = [event.message for event in self.told if event.message is not None]
        assert len(numbers) == len({*numbers}), 'each command is told once'

    def settle(self):
        """Let all arrive, and time go by."""
        if self.follower is None:
            self.join()
        self.deliver_list()
        for kind in KINDS:
            while self.topics[kind]:
                self.deliver(kind)
        for _ in range(8):
            self.wait(GAP)

    def assert_true(self):
        assert self.told_session == self.session
        assert {*self.known} == {*self.tracked}


def act(world, step):
    """Take one step of a story."""
    name, number = step
    if name == 'start':
        world.start()
    elif name == 'stop' and world.tracked:
        world.stop([*world.tracked][number % len(world.tracked)])
    elif name == 'stop unknown':
        world.stop(1000)
    elif name == 'update' and world.tracked:
        world.update([*world.tracked][number % len(world.tracked)], (float(number),))
    elif name == 'update new':
        world.last_object += 1
        world.update(world.last_object, (float(number),) if number % 2 else ())
    elif name == 'deliver':
        world.deliver(KINDS[number % 3])
    elif name == 'list':
        world.deliver_list()
    elif name == 'wait':
        world.wait(number / 10)
    elif name == 'join' and world.follower is None:
        world.join()
    elif name == 'lose' and world.topics[KINDS[number % 3]]:
        world.topics[KINDS[number % 3]].pop(0)
    elif name == 'repeat' and world.topics[KINDS[number % 3]]:
        topic = world.topics[KINDS[number % 3]]
        topic.append(topic[0])
    elif name == 'restart bridge':
        world.restart_bridge()
    elif name == 'set clock back':
        world.stamp -= 20 * number
    elif name == 'stop clock':
        world.tick = number % 2
    elif name == 'restart orchestrator':
        world.restart_orchestrator()
    if name in ('start', 'stop', 'stop unknown', 'update', 'update new'):
        world.publish_list()


COMMANDS = ('start', 'stop', 'stop unknown', 'update', 'update new', 'restart orchestrator')
DELIVERIES = ('deliver', 'deliver', 'deliver', 'list', 'wait')


def stories(*names):
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 9)), max_size=60)


@settings(max_examples=400, deadline=None)
@given(stories(*COMMANDS, *DELIVERIES[:4]), st.randoms(use_true_random=False))
def test_what_is_only_reordered_is_told_whole_and_in_order(story, chance):
    world = World()
    world.join()
    world.deliver_list()
    for step in story:
        act(world, step)
        if step[0] == 'list':  # as fast as a network that loses nothing
            world.wait(GAP / 1000)
    world.deliver_list()
    while any(world.topics.values()):
        world.deliver(chance.choice(KINDS))
    expected = []
    known = set()
    for command in world.sent:
        if command.kind is not Kind.STOP:
            known.add((command.session, command.object_id))
        elif (command.session, command.object_id) not in known:
            continue  # nobody was told of it
        else:
            known.remove((command.session, command.object_id))
        expected.append(command.message)
    assert [event.message for event in world.told if event.message is not None] == expected
    world.settle()
    world.assert_true()
    assert world.known == world.tracked


@settings(max_examples=1000, deadline=None)
@given(stories(*COMMANDS, *DELIVERIES, *DELIVERIES, 'lose', 'repeat', 'join', 'restart bridge'))
def test_whatever_happens_each_is_told_once_and_all_is_true_in_the_end(story):
    world = World()
    for step in story:
        act(world, step)
    world.settle()
    world.assert_true()
    # Where nothing was lost since the last comparison, feature maps are the newest as well.
    world.publish_list()
    world.settle()
    world.assert_true()


@settings(max_examples=1000, deadline=None)
@given(stories(
    *COMMANDS, *DELIVERIES, *DELIVERIES, 'lose', 'join', 'restart bridge', 'set clock back',
    'stop clock'))
def test_whatever_the_clock_does_all_is_true_in_the_end(story):
    world = World()
    for step in story:
        act(world, step)
    world.settle()
    world.tick = 1
    world.stop(1000)
    world.publish_list()
    world.settle()
    world.assert_true()


@settings(max_examples=400, deadline=None)
@given(stories(*COMMANDS, 'join', *DELIVERIES[:4]))
def test_a_late_node_hears_nothing_of_what_is_over(story):
    world = World()
    for step in story:
        act(world, step)
    before = {command.message for command in world.sent}
    late = World.__new__(World)
    late.__dict__.update(world.__dict__)
    late.told, late.known, late.told_session = [], {}, None
    late.join()
    late.settle()
    late.assert_true()
    starts = [event for event in late.told if event.kind is Kind.START]
    assert {event.object_id for event in starts} <= {
        object_id for object_id, feature_map in late.tracked.items() if not feature_map}
    assert {event.message for event in starts} <= before
    assert not [event for event in late.told if event.kind is Kind.STOP]


def test_a_repeat_is_known_behind_a_late_command_of_the_former_life():
    world = World()
    world.start()
    world.join()
    world.deliver_list()
    world.restart_bridge()
    world.topics[Kind.UPDATE] *= 2
    world.deliver(Kind.UPDATE)
    world.topics[Kind.START] *= 2  # of the former life, with the same number
    world.settle()
    world.assert_true()


def test_commands_in_a_life_are_told_in_order_over_a_restart():
    world = World()
    world.join()
    world.deliver_list()
    for _ in range(3):
        world.start()
        world.publish_list()
    world.restart_bridge()
    for kind in KINDS:
        while world.topics[kind]:
            world.deliver(kind)
    by_life = defaultdict(list)
    for event in world.told:
        if event.message is not None:
            by_life[event.message[0]].append(event.message[1])
    assert by_life == {1: [1, 2, 3], 2: [1, 2, 3]}
