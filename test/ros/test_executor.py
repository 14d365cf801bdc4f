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

"""Which executor is used: one that has shown that it works with the node at hand."""

from camera_ws_bridge.process import executor as executors
from camera_ws_bridge.process.wait_set_executor import WaitSetExecutor
from camera_ws_bridge.ros import features
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rigs.process_rig import own_domain
from std_srvs.srv import Trigger

PATIENCE = 300  # spins of 0.1 s


@pytest.fixture
def node():
    """Return a node in the default context, which the executors use."""
    with own_domain() as domain:
        rclpy.init(domain_id=domain)
        node = rclpy.create_node('probed')
        yield node
        node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture(params=['as found', 'fallback'])
def executor(request, node, monkeypatch):
    if request.param == 'fallback':
        monkeypatch.setattr(executors, 'works', lambda executor, node: False)
    executor = executors.add_nodes(executors.make_executor(), node)
    if request.param == 'fallback':
        assert isinstance(executor, WaitSetExecutor)
    yield executor
    executor.shutdown()


def test_tasks_services_and_timers_are_delivered(executor, node):
    called = []

    def serve(request, response):
        called.append('service')
        response.success = True
        return response

    node.create_service(Trigger, '~/ask', serve)
    timer = node.create_timer(0.01, lambda: called.append('timer'))
    client = node.create_client(Trigger, '~/ask')
    executor.create_task(lambda: called.append('task'))
    future = None
    for _ in range(PATIENCE):
        executor.spin_once(timeout_sec=0.1)
        if future is None and client.service_is_ready():
            future = client.call_async(Trigger.Request())
        if future is not None and future.done() and {*called} == {'service', 'timer', 'task'}:
            break
    assert {*called} == {'service', 'timer', 'task'}
    assert future.result().success
    node.destroy_timer(timer)


def test_one_that_cannot_be_made_is_replaced(node, monkeypatch):
    def no_standard_error():
        raise RuntimeError('sys.stderr is None')
    monkeypatch.setattr(features, 'events_executor', lambda: no_standard_error)
    executor = executors.make_executor()
    assert isinstance(executor, WaitSetExecutor)
    executor.shutdown()


class Deaf(SingleThreadedExecutor):
    """An executor that takes nodes and never delivers."""

    def __init__(self):
        super().__init__()
        self.shut = False

    def spin_once(self, timeout_sec=None):
        pass

    def shutdown(self, timeout_sec=None):
        self.shut = True
        return super().shutdown(timeout_sec)


class Failing(Deaf):
    """An executor whose middleware cannot call back."""

    def spin_once(self, timeout_sec=None):
        raise RuntimeError('Failed to set the on new message callback')


@pytest.mark.parametrize('kind', [Deaf, Failing])
def test_one_that_does_not_work_is_replaced(kind, node, monkeypatch):
    monkeypatch.setattr(executors, 'PROBE_TIMEOUT', 0.05)
    broken = kind()
    assert not executors.works(broken, node)
    monkeypatch.setattr(executors, 'is_known', lambda executor: False)
    found = executors.add_nodes(broken, node)
    assert found is not broken
    assert broken.shut
    assert list(found.get_nodes()) == [node]
    assert node.executor is found
    found.shutdown()


def test_the_probe_leaves_nothing_behind(node):
    executor = executors.add_nodes(executors.make_executor(), node)
    assert not list(node.timers)
    executor.shutdown()
