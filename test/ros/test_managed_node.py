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

"""What a managed node adds to rclpy's: answers instead of exceptions, and turns."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
import gc

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.node.bridge_node import BridgeNode
from camera_ws_bridge.process.loops import SharedLoop
from camera_ws_bridge.ros.managed_node import (
    ACTIVE, FINALIZED, INACTIVE, ManagedNode, SUCCESS, UNCONFIGURED)
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter
from rigs import process_rig as rigs
from rigs.shared import WAIT, wait_until


class Recorded(ManagedNode):
    """Notes what is asked of it, and fails where it is told to."""

    def __init__(self, context):
        self.done = []
        self.fail = {}  # exceptions by name of the step
        super().__init__('recorded', context=context)

    def _note(self, step):
        self.done.append(step)
        if step in self.fail:
            raise self.fail[step]

    def configure(self):
        self._note('configure')

    def activate(self):
        self._note('activate')

    def deactivate(self):
        self._note('deactivate')

    def cleanup(self):
        self._note('cleanup')

    def entered(self):
        self.done.append(self.lifecycle)

    def refused(self, error):
        self.done.append(error.parameter)

    @property
    def of_rcl(self):
        return self._state_machine.current_state[0]


@pytest.fixture
def node():
    with rigs.own_domain() as domain:
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        node = Recorded(context)
        yield node
        assert node.of_rcl == node.lifecycle, 'two truths'
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def test_a_whole_life(node):
    for trigger in (node.trigger_configure, node.trigger_activate, node.trigger_deactivate,
                    node.trigger_cleanup, node.trigger_shutdown):
        assert trigger() == SUCCESS
    assert node.done == [
        'configure', INACTIVE, 'activate', ACTIVE, 'deactivate', INACTIVE, 'cleanup',
        UNCONFIGURED, 'cleanup', FINALIZED]


def test_a_refused_configuration_leaves_nothing_behind_and_can_be_tried_again(node):
    node.fail['configure'] = ConfigurationError('spool_path', 'in use')
    assert node.trigger_configure() != SUCCESS
    assert node.done == ['configure', 'cleanup', 'spool_path']
    assert node.of_rcl == UNCONFIGURED
    node.fail.clear()
    assert node.trigger_configure() == SUCCESS


def test_a_refused_activation_leaves_it_inactive_and_can_be_tried_again(node):
    assert node.trigger_configure() == SUCCESS
    node.done.clear()
    node.fail['activate'] = ConfigurationError('qos_overrides', 'no such policy')
    assert node.trigger_activate() != SUCCESS
    assert node.done == ['activate', 'qos_overrides']
    assert node.of_rcl == INACTIVE
    node.fail.clear()
    assert node.trigger_activate() == SUCCESS


@pytest.mark.parametrize(('step', 'way', 'cleaned'), [
    ('configure', ['configure'], ['cleanup']),
    ('activate', ['configure', 'activate'], ['cleanup']),
    ('deactivate', ['configure', 'activate', 'deactivate'], ['deactivate', 'cleanup']),
])
def test_a_bug_in_a_transition_leaves_it_unconfigured(node, step, way, cleaned):
    for name in way[:-1]:
        assert getattr(node, f'trigger_{name}')() == SUCCESS
    failures = [KeyError('a bug')]

    def once(name):
        node.done.append(name)
        if name == step and failures:
            raise failures.pop()
    node._note = once
    node.done.clear()
    assert getattr(node, f'trigger_{way[-1]}')() != SUCCESS
    assert node.done == [step, *cleaned, UNCONFIGURED]
    assert node.trigger_configure() == SUCCESS


def test_if_not_even_cleaning_up_works_it_is_finalized(node):
    node.fail = {'configure': KeyError('a bug'), 'cleanup': KeyError('another')}
    assert node.trigger_configure() != SUCCESS
    assert node.lifecycle == FINALIZED
    node.fail.clear()


def test_shutting_down_an_active_node_stops_it_first(node):
    node.trigger_configure()
    node.trigger_activate()
    node.done.clear()
    assert node.trigger_shutdown() == SUCCESS
    assert node.done == ['deactivate', 'cleanup', FINALIZED]


def test_a_destroyed_node_has_left_ros_even_if_somebody_keeps_the_object():
    """Else the middleware is taken down by the process's exit handlers, in any order."""
    with rigs.own_domain() as domain:
        contexts = [Context(), Context()]
        for context in contexts:
            rclpy.init(context=context, domain_id=domain)
        watcher = rclpy.create_node('watcher', context=contexts[1])
        node = Recorded(contexts[0])
        wait_until(lambda: 'recorded' in watcher.get_node_names())
        node.destroy_node()
        wait_until(lambda: 'recorded' not in watcher.get_node_names())
        assert node.done == [], 'it is still there, as an object'
        watcher.destroy_node()
        for context in contexts:
            rclpy.try_shutdown(context=context)


# ---- the bridge's

@pytest.fixture(autouse=True)
def collected():
    """Free a node's cycles here: done in a fork (flake8's), without DDS's threads, it crashes."""
    yield
    gc.collect()


@contextmanager
def bridge_node():
    """Return an inactive bridge node, and a function that waits until its link has given up."""
    gave_up = asyncio.Event()
    host = SharedLoop()
    with rigs.own_domain() as domain:
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        node = BridgeNode(host, lambda fault: gave_up.set(), context=context, parameter_overrides=[
            Parameter('autostart', value=False), Parameter('camera_id', value='front-door'),
            Parameter('orchestrator_url', value='ws://127.0.0.1:1'),
            Parameter('connect_timeout', value=0.2)])
        assert node.trigger_configure() == SUCCESS
        yield node, lambda: host.wait(gave_up.wait(), WAIT)
        node.shut_down()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
    host.stop()


def test_no_endpoint_has_an_event_handler():
    """Destroyed under the events executor, one crashes the process now and then."""
    with bridge_node() as (node, _):
        assert node.trigger_activate() == SUCCESS
        node.set_parameters([Parameter('use_sim_time', value=True)])
        assert '/clock' in [subscription.topic_name for subscription in node.subscriptions]
        assert '/parameter_events' in [publisher.topic_name for publisher in node.publishers]
        assert list(node.waitables) == []
        node.trigger_deactivate()


def test_a_link_that_gives_up_deactivates_its_node():
    with bridge_node() as (node, wait_until_given_up):
        assert node.trigger_activate() == SUCCESS
        wait_until_given_up()
        node._deactivate_in_turn()
        assert node.lifecycle == INACTIVE


def test_a_node_that_was_activated_again_meanwhile_stays_active():
    with bridge_node() as (node, wait_until_given_up):
        assert node.trigger_activate() == SUCCESS
        wait_until_given_up()
        assert node.trigger_deactivate() == SUCCESS
        assert node.trigger_activate() == SUCCESS
        node._deactivate_in_turn()
        assert node.lifecycle == ACTIVE
