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

"""The handler of a re-ID node over DDS, on either executor, with a bridge that comes and goes."""

import contextlib
import threading
import time

from camera_ws_bridge.reid.handler import ReidHandler
from camera_ws_bridge.ros import features, qos
from camera_ws_bridge_msgs.msg import Start, Stop, TrackedObject, TrackedObjects, Update
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rigs.process_rig import own_domain, PATIENCE

COUNT = 300


class FakeBridge:
    """Publishes what a bridge would."""

    def __init__(self, domain):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('camera_ws_bridge', context=self.context)
        self.session = 1
        self.maps = []  # what was published on feature_map
        self.subscription = None
        self.subscribe()
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publishers = {}
        self.begin()

    def subscribe(self):
        self.subscription = self.node.create_subscription(
            Update, 'feature_map', self.maps.append, qos.FEATURE_MAP)

    def begin(self):
        """Be a bridge that has just been started."""
        for publisher in self.publishers.values():
            self.node.destroy_publisher(publisher)
        self.publishers = {
            message_type: self.node.create_publisher(
                message_type, f'~/{message_type.__name__.lower()}', qos.commands(COUNT))
            for message_type in (Start, Stop, Update)}
        self.publishers[TrackedObjects] = self.node.create_publisher(
            TrackedObjects, '~/tracked_objects', qos.STATUS)
        self.sequence = 0
        self.tracked = {}
        self.list()

    def list(self):  # noqa: A003 - what it is
        message = TrackedObjects(session=self.session, objects=[
            TrackedObject(object_id=object_id, feature_map=feature_map)
            for object_id, feature_map in self.tracked.items()])
        message.header.stamp = self.node.get_clock().now().to_msg()
        self.publishers[TrackedObjects].publish(message)

    def command(self, message_type, object_id, **fields):
        self.sequence += 1
        message = message_type(
            sequence=self.sequence, session=self.session, object_id=object_id, **fields)
        message.header.stamp = self.node.get_clock().now().to_msg()
        if message_type is Stop:
            self.tracked.pop(object_id, None)
        else:
            self.tracked[object_id] = fields.get('feature_map', [])
        self.publishers[message_type].publish(message)

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


class Reid:
    """A node with a handler, in a thread of its own; it notes what it is told."""

    def __init__(self, domain, executor_type):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('reid', context=self.context)
        self.told = []  # in short
        self.messages = []
        self.inside = 0
        self.most_inside = 0
        self.fault = None
        self.published = []  # object ids
        self.handler = ReidHandler(
            self.node, *(lambda message, kind=kind: self.hear(kind, message)
                         for kind in ('start', 'stop', 'update', 'session')))
        arguments = {'num_threads': 4} if executor_type is MultiThreadedExecutor else {}
        self.executor = executor_type(context=self.context, **arguments)
        self.executor.add_node(self.node)
        self.ended = False
        self.thread = threading.Thread(target=self.spin)
        self.thread.start()

    def spin(self):
        while not self.ended:
            self.executor.spin_once(timeout_sec=0.05)

    def hear(self, kind, message):
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        if kind == 'session':
            self.told.append(f'session {message}')
        else:
            self.messages.append(message)
            self.told.append(f'{kind} {message.object_id}')
            if kind == 'start':
                # False where its stop came while another command was waited for.
                if self.handler.publish(message, [message.object_id + 0.5]):
                    self.published.append(message.object_id)
        self.inside -= 1

    def is_heard(self):
        publisher, = (each for each in self.node.publishers if each.topic_name == '/feature_map')
        return publisher.get_subscription_count()

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f'waited in vain until {what}: {self.told[-20:]}'
            time.sleep(0.01)

    def wait_for(self, *told):
        self.wait(lambda: len(self.told) >= len(told), f'it is told {told}')
        assert self.told == [*told]

    def close(self):
        self.ended = True
        self.thread.join(PATIENCE)
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture(params=filter(None, [
                    SingleThreadedExecutor, MultiThreadedExecutor, features.events_executor()]),
                ids=lambda executor_type: executor_type.__name__)
def pair(request):
    with own_domain() as domain, contextlib.ExitStack() as stack:
        bridge = FakeBridge(domain)
        stack.callback(bridge.close)

        def join():
            reid = Reid(domain, request.param)
            stack.callback(reid.close)
            return reid
        yield bridge, join


def test_commands_are_told_in_their_order_and_none_at_the_same_time(pair):
    bridge, join = pair
    reid = join()
    reid.wait_for('session 1')
    reid.wait(reid.is_heard, 'what it publishes is heard')
    expected = ['session 1']
    for object_id in range(1, COUNT // 3):
        for message_type in (Start, Update, Stop):
            bridge.command(message_type, object_id)
            expected.append(f'{message_type.__name__.lower()} {object_id}')
        bridge.list()
    reid.wait_for(*expected)
    assert [message.sequence for message in reid.messages] == [*range(1, len(expected))]
    assert reid.most_inside == 1
    assert reid.handler.session == 1
    reid.wait(lambda: bridge.executor.spin_once(timeout_sec=0.1) or len(bridge.maps) == len(
        reid.published), 'the feature maps are published')
    assert reid.published
    assert [(message.object_id, message.session, [*message.feature_map])
            for message in bridge.maps] == [
        (object_id, 1, [object_id + 0.5]) for object_id in reid.published]


def test_a_late_node_over_restarts_of_orchestrator_and_bridge(pair):
    bridge, join = pair
    bridge.command(Start, 1)
    bridge.command(Update, 2, feature_map=[0.5])
    bridge.command(Start, 3)
    bridge.command(Stop, 3)
    bridge.list()
    reid = join()
    begin = ('session 1', 'update 1', 'update 2', 'start 1')
    reid.wait_for(*begin)
    first = reid.messages[0]
    assert (first.sequence, first.session, [*first.feature_map]) == (0, 1, [])
    # The orchestrator has restarted.
    bridge.session = 2
    bridge.tracked.clear()
    bridge.command(Update, 1)
    bridge.list()
    told = (*begin, 'stop 1', 'stop 2', 'session 2', 'update 1')
    reid.wait_for(*told)
    assert reid.messages[-2].reason == Stop.RECONCILED
    assert not reid.handler.publish(first, [0.5]), 'it was the object of another session'
    # The bridge is restarted, and only object 4 is tracked by then.
    bridge.begin()
    bridge.command(Update, 4, feature_map=[0.25])
    bridge.list()
    told += ('stop 1', 'update 4')
    reid.wait(lambda: len(reid.told) >= len(told), 'it is told of the restart')
    assert sorted(reid.told[-2:]) == sorted(told[-2:])
    assert reid.told[:-2] == [*told[:-2]]


def test_a_feature_map_waits_for_a_bridge_that_hears_it(pair):
    bridge, join = pair
    bridge.node.destroy_subscription(bridge.subscription)
    for object_id in (1, 2, 3):
        bridge.command(Start, object_id)
    reid = join()
    reid.wait(lambda: reid.published == [1, 2, 3], 'it has extracted')
    bridge.command(Stop, 2)
    reid.wait(lambda: reid.told[-1] == 'stop 2', 'it is told of the stop')
    bridge.subscribe()
    reid.wait(lambda: bridge.executor.spin_once(timeout_sec=0.1) or len(bridge.maps) >= 2,
              'the feature maps are published')
    assert [(message.object_id, *message.feature_map) for message in bridge.maps] == [
        (1, 1.5), (3, 3.5)]


def test_after_it_is_destroyed_it_is_silent(pair):
    bridge, join = pair
    reid = join()
    reid.wait_for('session 1')
    reid.wait(lambda: bridge.node.count_subscribers('~/start') == 1, 'both know of each other')
    reid.handler.destroy()
    reid.wait(lambda: bridge.node.count_subscribers('~/start') == 0, 'it has left')
    bridge.command(Start, 1)
    assert reid.told == ['session 1']
