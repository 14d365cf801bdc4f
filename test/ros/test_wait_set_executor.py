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

"""The executor with wait sets of its own: everybody's turn comes, whatever comes and goes."""

import threading
import time

from camera_ws_bridge.process import loops, wait_set_executor
from camera_ws_bridge.process.wait_set_executor import BUSY, WaitSetExecutor
from camera_ws_bridge.ros import features
import pytest
import rclpy
from rclpy.duration import Duration
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rigs.process_rig import own_domain
from std_msgs.msg import String
from std_srvs.srv import Trigger

PATIENCE = 60.0  # seconds; only a test that fails waits so long


class Site:
    """An executor with one node, and what goes with it."""

    def __init__(self):
        self.executor = WaitSetExecutor()
        self.node = self.add('one')

    def add(self, name):
        node = rclpy.create_node(name)
        self.executor.add_node(node)
        return node

    def until(self, condition, meanwhile=lambda: None, timeout_sec=0.05):
        """Let the executor work until the condition holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            meanwhile()
            self.executor.spin_once(timeout_sec=timeout_sec)

    def channel(self, callback, node=None, topic='topic', **named):
        """Return publisher and subscription, which know each other."""
        node = node or self.node
        publisher = node.create_publisher(String, topic, 100)
        subscription = node.create_subscription(String, topic, callback, 100, **named)
        self.until(lambda: publisher.get_subscription_count() == node.count_subscribers(topic))
        return publisher, subscription

    def asked(self, client):
        """Return what a service answers."""
        self.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()


@pytest.fixture
def site():
    with own_domain() as domain:
        rclpy.init(domain_id=domain)
        site = Site()
        nodes = site.executor.get_nodes()
        yield site
        nodes = {*nodes, *site.executor.get_nodes()}
        site.executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()


def yes(request, response):
    response.success = True
    return response


def test_messages_come_in_order_as_objects_or_as_bytes(site):
    objects, raw = [], []
    publisher, _ = site.channel(lambda message: objects.append(message.data))
    site.channel(lambda data: raw.append(deserialize_message(data, String).data), raw=True)
    site.until(lambda: publisher.get_subscription_count() == 2)
    texts = [str(number) for number in range(50)]
    for text in texts:
        publisher.publish(String(data=text))
    site.until(lambda: len(objects) == len(raw) == 50)
    assert objects == raw == texts


@pytest.mark.skipif(not features.tells_message_info(),
                    reason='this rclpy tells no callback more than the message')
def test_a_callback_that_takes_it_is_told_about_the_message(site):
    told = []
    publisher, _ = site.channel(lambda message, info: told.append((message.data, info)))
    numbered = []
    site.channel(features.numbered(lambda message, number: numbered.append(number)))
    site.until(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(String(data='a'))
    site.until(lambda: told and numbered)
    assert told[0][0] == 'a'
    assert told[0][1]['publication_sequence_number'] == numbered[0]
    assert numbered[0] in (1, None)  # Cyclone DDS tells none


def test_where_rclpy_tells_no_more_than_the_message_its_number_is_unknown(monkeypatch):
    monkeypatch.delattr(rclpy.subscription.Subscription, 'CallbackType', raising=False)
    told = []
    features.numbered(lambda *given: told.append(given))('a message')
    assert told == [('a message', None)]
    assert not features.wants_info(lambda message, info: None)


def test_all_messages_that_have_come_share_a_wake_up(site):
    seen = []
    publisher, _ = site.channel(lambda message: seen.append(message.data))
    texts = [str(number) for number in range(10)]
    for text in texts:
        publisher.publish(String(data=text))
    assert publisher.wait_for_all_acked(Duration(seconds=PATIENCE))
    assert loops._do_what_waits(site.executor) > 1
    assert seen == texts
    assert loops._do_what_waits(site.executor) == 1


def test_a_service_answers_in_between_however_many_messages_come(site):
    seen = []
    publisher, _ = site.channel(seen.append)
    site.node.create_service(Trigger, '~/ask', yes)
    client = site.node.create_client(Trigger, '~/ask')
    site.until(client.service_is_ready)

    def flood():
        publisher.publish(String(data='x'))
        publisher.publish(String(data='y'))
    site.until(lambda: len(seen) > 20 * BUSY, flood)
    future = client.call_async(Trigger.Request())
    before = len(seen)
    site.until(future.done, flood)
    assert future.result().success
    assert len(seen) > before


def test_a_task_that_makes_tasks_holds_up_nobody(site):
    seen = []
    publisher, _ = site.channel(seen.append)

    def task():
        site.executor.create_task(task)
    task()
    timer = site.node.create_timer(0.01, lambda: seen.append('timer'))
    publisher.publish(String(data='x'))
    site.until(lambda: 'timer' in seen and len(seen) > 1, timeout_sec=PATIENCE)
    site.node.destroy_timer(timer)


def test_entities_that_are_always_ready_share_the_turns(site):
    calls = {'one': 0, 'other': 0}
    guards = {}

    def again(name):
        calls[name] += 1
        guards[name].trigger()
    for name in calls:
        guards[name] = site.node.create_guard_condition(lambda name=name: again(name))
        guards[name].trigger()
    for spins in range(60):
        site.executor.spin_once(timeout_sec=0.0 if spins % 3 == 0 else 0.1)
    assert sum(calls.values()) > 30
    assert abs(calls['one'] - calls['other']) <= 2


def test_a_node_that_comes_is_looked_after_and_one_that_goes_no_more(site):
    seen = []
    publisher, _ = site.channel(lambda message: seen.append('one'))
    other = site.add('other')
    site.channel(lambda message: seen.append('other'), other)
    assert {*site.executor.get_nodes()} == {site.node, other}
    assert not site.executor.add_node(other)
    publisher.publish(String(data='x'))
    site.until(lambda: {*seen} == {'one', 'other'})
    site.executor.remove_node(other)
    site.executor.remove_node(other)
    other.destroy_node()
    seen.clear()
    site.until(lambda: len(seen) > 2, lambda: publisher.publish(String(data='y')))
    assert {*seen} == {'one'}


def test_what_a_callback_makes_is_looked_after(site):
    made = []

    def make():
        site.node.destroy_timer(timer)
        site.node.create_service(Trigger, '~/made', yes)
        made.append(site.node.create_timer(0.001, lambda: made.append('timer')))
    timer = site.node.create_timer(0.001, make)
    assert site.asked(site.node.create_client(Trigger, '~/made')).success
    site.until(lambda: 'timer' in made)


@pytest.mark.parametrize('end', ['node', 'entity'])
def test_what_a_callback_destroys_is_not_called_any_more(site, end):
    seen = []

    def destroy_the_other(which):
        seen.append(which)
        for name, guard in [*guards.items()]:
            if name != which:
                del guards[name]
                if end == 'node':
                    site.node.destroy_guard_condition(guard)
                else:  # without a word to the node
                    guard.destroy()
    guards = {name: site.node.create_guard_condition(lambda name=name: destroy_the_other(name))
              for name in ('one', 'other')}
    for guard in [*guards.values()]:
        guard.trigger()
    for _ in range(10):
        site.executor.spin_once(timeout_sec=0.01)
    assert len(seen) == 1


def test_a_subscription_that_destroys_itself_takes_nothing_more(site):
    seen = []

    def once(message):
        seen.append(message.data)
        site.node.destroy_subscription(subscription)
    publisher, subscription = site.channel(once)
    for text in 'abc':
        publisher.publish(String(data=text))
    site.until(lambda: seen)
    site.until(lambda: not publisher.get_subscription_count())
    assert seen == ['a']


def test_a_timer_that_is_cancelled_while_it_is_in_line_does_not_go_off(site):
    seen = []

    def cancel_the_other(which):
        seen.append(which)
        timers[1 - which].cancel()
    timers = [site.node.create_timer(0.001, lambda which=which: cancel_the_other(which))
              for which in (0, 1)]
    while not all(timer.is_ready() for timer in timers):
        time.sleep(0.001)
    site.until(lambda: len(seen) > 3)
    assert len({*seen}) == 1


def test_a_node_may_be_destroyed_before_the_executor_lets_go_of_it(site):
    other = site.add('other')
    other.create_timer(0.01, lambda: None)
    site.executor.spin_once(timeout_sec=0.0)
    site.executor.remove_node(other)
    other.destroy_node()
    for _ in range(5):
        site.executor.spin_once(timeout_sec=0.0)
    with pytest.raises(InvalidHandle):
        other.get_name()


def test_an_answer_that_nobody_waits_for_any_more_is_no_error(site):
    site.node.create_service(Trigger, '~/ask', yes)
    client = site.node.create_client(Trigger, '~/ask')
    site.until(client.service_is_ready)
    client.remove_pending_request(client.call_async(Trigger.Request()))
    assert site.asked(client).success


def test_what_a_node_of_rclpy_itself_waits_for_works(site):
    missed = []
    site.node.create_subscription(
        String, 'late', lambda message: None,
        QoSProfile(depth=1, deadline=Duration(nanoseconds=20_000_000)),
        event_callbacks=features.SubscriptionEventCallbacks(
            deadline=missed.append, use_default_callbacks=False))
    publisher = site.node.create_publisher(
        String, 'late', QoSProfile(depth=1, deadline=Duration(nanoseconds=1_000_000)))
    site.until(publisher.get_subscription_count)
    publisher.publish(String())
    site.until(lambda: missed)
    assert missed[0].total_count >= 1


def test_an_exception_comes_out_and_changes_nothing_else(site):
    seen = []

    def fail(message):
        seen.append(message.data)
        raise ArithmeticError(message.data)
    publisher, _ = site.channel(fail)
    for text in 'abc':
        publisher.publish(String(data=text))
    for text in 'abc':
        with pytest.raises(ArithmeticError, match=text):
            site.until(lambda: False)
    assert seen == ['a', 'b', 'c']


class Later(threading.Thread):
    """Does something once the executor waits."""

    def __init__(self, executor, job):
        super().__init__(daemon=True)
        self._executor, self._job = executor, job

    def run(self):
        while not self._executor._waiting:
            time.sleep(0.001)
        self._job()


@pytest.mark.parametrize('news', ['task', 'entity', 'node'])
def test_what_another_thread_asks_for_ends_a_wait(site, news):
    for _ in range(5):
        site.executor.spin_once(timeout_sec=0.0)
    done = []
    other = rclpy.create_node('other')
    jobs = {'task': lambda: site.executor.create_task(done.append, 1),
            'entity': lambda: site.node.create_timer(0.001, lambda: done.append(1)),
            'node': lambda: site.executor.add_node(other)}
    other.create_timer(0.001, lambda: done.append(1))
    thread = Later(site.executor, jobs[news])
    thread.start()
    began = time.monotonic()
    site.until(lambda: done, timeout_sec=None)
    assert time.monotonic() - began < PATIENCE
    thread.join()
    other.destroy_node()


def test_it_ends_with_the_context(site):
    site.executor.spin_once(timeout_sec=0.0)
    thread = Later(site.executor, rclpy.shutdown)
    thread.start()
    with pytest.raises(ExternalShutdownException):
        for _ in range(10):
            site.executor.spin_once()
    thread.join()


def test_after_its_end_it_does_nothing(site):
    done = []
    site.executor.create_task(done.append, 1)
    assert site.executor.shutdown()
    assert site.executor.shutdown()
    site.executor.create_task(lambda: None)
    site.executor.wake()
    site.executor.spin_once()
    assert not done


def test_the_wait_sets_stay_while_the_entities_are_the_same(site, monkeypatch):
    made = []
    wait_set = wait_set_executor.WaitSet

    def make(*arguments):
        made.append(arguments)
        return wait_set(*arguments)
    monkeypatch.setattr(wait_set_executor, 'WaitSet', make)
    seen = []
    publisher, _ = site.channel(seen.append)
    site.executor.spin_once(timeout_sec=0.0)
    before = len(made)
    site.until(lambda: len(seen) > 50, lambda: publisher.publish(String(data='x')))
    assert len(made) == before


def test_while_one_thing_follows_the_other_most_looks_leave_out_the_services(site, monkeypatch):
    guard = site.node.create_guard_condition(lambda: None)
    looked = []
    fill = wait_set_executor.WaitSet.fill

    def witness(wait_set):
        looked.append(len(wait_set._adders))
        fill(wait_set)
    monkeypatch.setattr(wait_set_executor.WaitSet, 'fill', witness)
    monkeypatch.setattr(wait_set_executor, 'RARE_AFTER', PATIENCE)
    site.until(lambda: len(looked) > 4 * BUSY, guard.trigger)
    assert looked.count(min(looked)) > len(looked) / 2
    assert max(looked) - min(looked) >= 6  # services of parameters alone
