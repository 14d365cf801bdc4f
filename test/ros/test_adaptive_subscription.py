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

"""Boxes arrive once each from reliable and best-effort publishers, whichever is there first."""

from collections import Counter
import itertools
import time

from camera_ws_bridge.ros import adaptive_subscription, features, qos
from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.serialization import deserialize_message
from rigs.process_rig import own_domain
from rigs.shared import wait_until
from std_msgs.msg import String

RELIABLE = QoSReliabilityPolicy.RELIABLE
BEST_EFFORT = QoSReliabilityPolicy.BEST_EFFORT


class Topic:
    """One adaptive subscription, and publishers in a participant of their own."""

    def __init__(self, domain, executor_type, arguments):
        self.contexts = [Context(), Context()]
        for context in self.contexts:
            rclpy.init(context=context, domain_id=domain)
        self.node = rclpy.create_node(
            'bridge', context=self.contexts[0], cli_args=['--ros-args', *arguments])
        self.executor = executor_type(context=self.contexts[0])
        self.executor.add_node(self.node)
        self.peer = rclpy.create_node('detector', context=self.contexts[1])
        self.arrived = []
        self.numbers = itertools.count()
        self.subscription = None

    def subscribe(self, profile=qos.BOXES):
        self.subscription = AdaptiveSubscription(
            self.node, String, 'boxes',
            lambda raw: self.arrived.append(deserialize_message(raw, String).data), profile)

    def publisher(self, reliability, **policies):
        return self.peer.create_publisher(
            String, 'boxes', QoSProfile(depth=1000, reliability=reliability, **policies))

    def leave(self, publisher):
        self.peer.destroy_publisher(publisher)

    def wait(self, condition, what='the condition holds'):
        def turn():
            self.subscription.look()
            self.executor.spin_once(timeout_sec=0.05)

        wait_until(condition, what, turn)

    def connect(self, *publishers):
        """Wait until messages of each publisher arrive."""
        for publisher in publishers:
            self.wait(lambda: self._arrives(publisher, f'probe {next(self.numbers)}'),
                      'its messages arrive')

    def _arrives(self, publisher, text):
        publisher.publish(String(data=text))
        end = time.monotonic() + 0.5
        while text not in self.arrived and time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)
        return text in self.arrived

    def settle(self, *publishers):
        """Wait for both ways of a last message, and for what may be behind it."""
        self.connect(*publishers)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def check(self, *publishers, count=100):
        """Publish and see that each message arrives once, those of a publisher in order."""
        sent = {publisher: [] for publisher in publishers}
        for _ in range(count):
            for index, publisher in enumerate(publishers):
                text = f'{next(self.numbers)} of {index}'
                sent[publisher].append(text)
                publisher.publish(String(data=text))
                self.wait(lambda: text in self.arrived, f'{text} arrives')
        self.settle(*publishers)
        for texts in sent.values():
            assert [text for text in self.arrived if text in {*texts}] == texts

    @property
    def both(self):
        """Whether it is subscribed twice."""
        return len(self.peer.get_subscriptions_info_by_topic('boxes')) == 2

    def close(self):
        if self.subscription:
            self.subscription.destroy()
        self.executor.shutdown()
        for node in (self.node, self.peer):
            node.destroy_node()
        for context in self.contexts:
            rclpy.try_shutdown(context=context)


@pytest.fixture(autouse=True)
def soon_calm(monkeypatch):
    monkeypatch.setattr(adaptive_subscription, 'CALM', 0.5)


@pytest.fixture(params=filter(None, [SingleThreadedExecutor, features.events_executor()]))
def open_topic(request):
    topics = []
    with own_domain() as domain:
        def create(*arguments):
            topics.append(Topic(domain, request.param, arguments))
            return topics[-1]
        yield create
        for topic in topics:
            topic.close()


@pytest.fixture
def topic(open_topic):
    return open_topic()


def test_a_reliable_publisher_alone_costs_one_subscription(topic):
    topic.subscribe()
    reliable = topic.publisher(RELIABLE)
    topic.connect(reliable)
    topic.check(reliable)
    assert not topic.both


@pytest.mark.parametrize('order', [
    (RELIABLE, BEST_EFFORT), (BEST_EFFORT, RELIABLE), (BEST_EFFORT, BEST_EFFORT)])
def test_both_arrive_whoever_comes_first(topic, order):
    topic.subscribe()
    first = topic.publisher(order[0])
    topic.connect(first)
    topic.check(first, count=20)
    second = topic.publisher(order[1])
    topic.connect(second)
    topic.check(first, second)
    topic.wait(lambda: topic.both)


def test_both_arrive_that_were_there_before(topic):
    reliable, best_effort = topic.publisher(RELIABLE), topic.publisher(BEST_EFFORT)
    topic.subscribe()
    topic.connect(reliable, best_effort)
    topic.check(reliable, best_effort)


def test_a_burst_of_a_reliable_publisher_arrives_complete_beside_a_best_effort_one(topic):
    topic.subscribe()
    reliable, best_effort = topic.publisher(RELIABLE), topic.publisher(BEST_EFFORT)
    topic.connect(best_effort, reliable)
    topic.wait(lambda: topic.both)
    texts = [f'burst {number}' for number in range(90)]  # the queue holds 100
    for text in texts:
        reliable.publish(String(data=text))
    topic.wait(lambda: {*texts} <= {*topic.arrived}, 'all of the burst arrive')
    topic.settle(reliable)
    counts = Counter(topic.arrived)
    assert all(counts[text] == 1 for text in texts)


@pytest.mark.parametrize('publishers', [(RELIABLE,), (RELIABLE, BEST_EFFORT)])
def test_a_message_that_is_published_twice_arrives_twice(topic, publishers):
    topic.subscribe()
    all_of_them = [topic.publisher(reliability) for reliability in publishers]
    topic.connect(*all_of_them)
    all_of_them[0].publish(String(data='same'))
    all_of_them[0].publish(String(data='same'))
    topic.wait(lambda: topic.arrived.count('same') == 2)
    topic.settle(*all_of_them)
    assert topic.arrived.count('same') == 2


def test_a_publisher_leaves_and_returns_with_another_qos(topic):
    topic.subscribe()
    for reliability in (BEST_EFFORT, RELIABLE, BEST_EFFORT, RELIABLE):
        publisher = topic.publisher(reliability)
        topic.connect(publisher)
        topic.wait(lambda: topic.both == (reliability == BEST_EFFORT))
        topic.check(publisher, count=20)
        topic.leave(publisher)


@pytest.mark.parametrize('value, reaches', [
    ('reliable', {RELIABLE}), ('best_effort', {RELIABLE, BEST_EFFORT})])
def test_a_reliability_that_the_user_sets_is_taken_as_it_is(open_topic, value, reaches):
    topic = open_topic('-p', f'qos_overrides./boxes.subscription.reliability:={value}')
    topic.subscribe()
    publishers = {kind: topic.publisher(kind) for kind in (RELIABLE, BEST_EFFORT)}
    topic.connect(*(publishers[kind] for kind in reaches))
    for _ in range(10):
        publishers[BEST_EFFORT].publish(String(data='best effort'))
        topic.settle(publishers[RELIABLE])
    assert ('best effort' in topic.arrived) == (BEST_EFFORT in reaches)
    assert not topic.both
    (subscription,) = topic.peer.get_subscriptions_info_by_topic('boxes')
    assert subscription.qos_profile.reliability.name.lower() == value


def test_other_policies_are_overridden_for_both(open_topic):
    topic = open_topic('-p', 'qos_overrides./boxes.subscription.durability:=transient_local')
    reliable = topic.publisher(RELIABLE, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    for number in range(50):
        reliable.publish(String(data=f'before {number}'))
    topic.subscribe()
    topic.wait(lambda: len(topic.arrived) == 50, 'what was published before arrives')
    best_effort = topic.publisher(BEST_EFFORT, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    topic.connect(best_effort)
    topic.wait(lambda: topic.both)
    assert {info.qos_profile.durability for info in
            topic.peer.get_subscriptions_info_by_topic('boxes')} == {
        QoSDurabilityPolicy.TRANSIENT_LOCAL}
    topic.check(reliable, best_effort, count=20)
    assert Counter(topic.arrived)['before 0'] == 1
    assert topic.arrived[:50] == [f'before {number}' for number in range(50)]


def test_a_publisher_that_the_graph_tells_of_late_is_heard(topic, monkeypatch):
    """The middleware may know that a publisher does not fit before the graph knows whom."""
    topic.subscribe()
    tell = topic.node.get_publishers_info_by_topic
    asked = itertools.count()
    monkeypatch.setattr(
        topic.node, 'get_publishers_info_by_topic',
        lambda name: tell(name) if next(asked) >= 5 else [])
    topic.connect(topic.publisher(BEST_EFFORT))
    assert next(asked) > 5
