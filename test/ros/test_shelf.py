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

"""Endpoints that are not needed for a while: silent, the same again, gone in a calm moment."""

from camera_ws_bridge.ros import adaptive_subscription, qos
from camera_ws_bridge.ros.shelf import Shelf
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rigs.process_rig import own_domain
from rigs.shared import wait_until
from std_msgs.msg import Int64, String


class Rig:
    """A node with a shelf, and a publisher that it hears."""

    def __init__(self, domain):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('bridge', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publisher = self.node.create_publisher(String, 'boxes', QoSProfile(depth=100))
        self.shelf = Shelf(self.node)
        self.arrived = []

    def subscribe(self, message_type=String):
        return self.shelf.subscribe(
            message_type, 'boxes',
            lambda raw: self.arrived.append(deserialize_message(raw, String).data), qos.BOXES)

    def wait(self, condition):
        def turn():
            self.shelf.look()
            self.executor.spin_once(timeout_sec=0.05)
        wait_until(condition, 'the condition holds', turn)

    def hears(self, text):
        def heard():
            self.publisher.publish(String(data=text))
            return text in self.arrived
        self.wait(heard)

    @property
    def subscriptions(self):
        return [*self.node.subscriptions]

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def rig():
    with own_domain() as domain:
        rig = Rig(domain)
        yield rig
        rig.close()


def test_one_that_is_needed_again_is_the_same_and_was_silent_meanwhile(rig):
    before = len(rig.subscriptions)
    first = rig.subscribe()
    rig.hears('first')
    made = rig.subscriptions
    assert len(made) == before + 1
    rig.shelf.unsubscribe(first)
    for _ in range(20):
        rig.publisher.publish(String(data='in between'))
        rig.shelf.look()
    for _ in range(60):  # more turns than there are messages
        rig.executor.spin_once(timeout_sec=0.05)
    assert rig.subscriptions == made, 'it was destroyed at once'
    assert rig.subscribe() is first
    rig.hears('last')
    assert rig.subscriptions == made and 'in between' not in rig.arrived


def test_one_of_another_type_takes_its_place(rig):
    rig.node.destroy_publisher(rig.publisher)  # a topic has one type in a participant
    before = len(rig.subscriptions)
    rig.shelf.unsubscribe(rig.subscribe(Int64))
    subscription = rig.subscribe()
    assert subscription.message_type is String and len(rig.subscriptions) == before + 1
    rig.publisher = rig.node.create_publisher(String, 'boxes', QoSProfile(depth=100))
    rig.hears('a text')


def test_it_is_destroyed_once_no_publisher_has_come_or_gone_for_a_while(rig, monkeypatch):
    monkeypatch.setattr(adaptive_subscription, 'CALM', 0.5)
    before = rig.subscriptions
    rig.shelf.unsubscribe(rig.subscribe())
    rig.wait(lambda: rig.subscriptions == before)


def test_it_is_not_while_publishers_come_and_go(rig, monkeypatch):
    subscription = rig.subscribe()
    rig.hears('text')
    rig.shelf.unsubscribe(subscription)
    now = adaptive_subscription.time.monotonic()
    monkeypatch.setattr(
        adaptive_subscription.time, 'monotonic', lambda: now + adaptive_subscription.CALM + 1.0)
    others = [rig.node.create_publisher(String, 'boxes', 1)]
    wait_until(lambda: len(rig.node.get_publishers_info_by_topic('boxes')) == 2, 'it is seen')
    subscription.look()
    assert not subscription.is_calm
    rig.node.destroy_publisher(others.pop())
    assert rig.subscribe() is subscription


class Endpoint:
    """Something that lies on a shelf."""

    def __init__(self):
        self.is_calm, self.looks, self.destroyed = True, 0, False

    def look(self):
        self.looks += 1

    def destroy(self):
        self.destroyed = True


def test_what_is_needed_again_must_be_like_it(rig):
    alike, another = Endpoint(), Endpoint()
    rig.shelf.leave(alike, 'one', 10)
    rig.shelf.leave(another, 'other', 10)
    assert rig.shelf.take(Endpoint, 'one', 10) is alike and not alike.destroyed
    assert rig.shelf.take(Endpoint, 'one', 10) is None
    assert rig.shelf.take(Endpoint, 'other', 20) is None and another.destroyed


def test_what_lies_there_is_destroyed_after_a_while_and_only_when_calm(rig, monkeypatch):
    calm, busy = Endpoint(), Endpoint()
    busy.is_calm = False
    rig.shelf.leave(calm, 'calm', 0)
    rig.shelf.leave(busy, 'busy', 0)
    rig.shelf.look()
    assert calm.looks == busy.looks == 1 and not calm.destroyed
    monkeypatch.setattr(adaptive_subscription, 'CALM', 0.0)
    rig.shelf.look()
    assert calm.destroyed and not busy.destroyed
