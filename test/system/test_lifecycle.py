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

"""The bridge as a managed node: a real process, driven through its lifecycle services."""

from __future__ import annotations

import signal
import time

from camera_ws_bridge_msgs.msg import Start, Status, Update
from diagnostic_msgs.msg import DiagnosticStatus
import pytest
from rigs import process_rig as rigs
from rigs.lifecycle_rig import managed, Manager, WAY_TO

UP = (Status.REGISTERED, Status.STABLE)


def diagnosis(rig, beginning):
    """Wait for a diagnostic status whose text begins so, and return it."""
    def newest():
        return rig.probe.diagnostics and rig.probe.diagnostics[-1].status[0]
    rig.wait(lambda: newest() and newest().message.startswith(beginning), beginning)
    return newest()


def frames(rig):
    return set(rig.orchestrator.frame_ids())


# ---- the states

def test_each_state_has_what_it_needs_and_no_more(tmp_path):
    with managed(tmp_path) as rig:
        assert rig.manager.state() == 'unconfigured'
        rig.wait_for_lifecycle(Status.UNCONFIGURED)
        assert rig.probe.status.state == Status.CLOSED
        assert diagnosis(rig, 'unconfigured').level == DiagnosticStatus.OK
        assert not rig.probe.call('reconnect').success
        assert not rig.probe.call('clear_buffer').success
        assert rig.probe.node.count_publishers('camera_ws_bridge/start') == 0

        assert rig.manager.change('configure') and rig.manager.state() == 'inactive'
        rig.wait_for_lifecycle(Status.INACTIVE)
        assert (rig.probe.status.state, rig.probe.status.camera_id) == (
            Status.CLOSED, rigs.CAMERA_ID)
        rig.wait(lambda: rig.probe.node.count_publishers('camera_ws_bridge/start') == 1)
        assert diagnosis(rig, 'inactive').level == DiagnosticStatus.OK
        assert rig.probe.boxes.get_subscription_count() == 0
        assert rig.orchestrator.sim.opened == 0

        assert rig.manager.change('activate') and rig.manager.state() == 'active'
        rig.probe.wait_until_registered()
        assert rig.probe.status.lifecycle == Status.ACTIVE
        found = diagnosis(rig, 'registered')
        assert ('lifecycle', 'active') in [(value.key, value.value) for value in found.values]
        assert rig.probe.call('reconnect').success

        assert rig.manager.change('deactivate', 'cleanup')
        rig.wait_for_lifecycle(Status.UNCONFIGURED)
        assert (rig.probe.status.state, rig.probe.status.boxes_accepted) == (Status.CLOSED, 0)
        rig.wait(lambda: rig.probe.boxes.get_subscription_count() == 0)
        rig.wait(lambda: rig.probe.node.count_publishers('camera_ws_bridge/start') == 0)

        assert rig.manager.change('shutdown') and rig.manager.state() == 'finalized'
        rig.wait_for_lifecycle(Status.FINALIZED)
        assert rig.process.alive


def test_the_next_life_has_the_same_publishers_if_it_comes_soon(tmp_path):
    topics = [f'camera_ws_bridge/{name}' for name in (
        'start', 'stop', 'update', 'tracked_objects')]

    def publishers():
        return [bytes(found.endpoint_gid) for topic in topics
                for found in rig.probe.node.get_publishers_info_by_topic(topic)]
    with managed(tmp_path) as rig:
        assert rig.manager.change('configure')
        rig.wait(lambda: len(publishers()) == len(topics))
        before = publishers()
        for _ in range(5):  # Fast DDS never forgets one that anybody has heard
            assert rig.manager.change('cleanup', 'configure')
        assert publishers() == before


def test_who_comes_late_hears_no_command_of_the_life_before(tmp_path):
    with managed(tmp_path) as rig:
        assert rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        rig.orchestrator.send('{"type": "start", "objectId": 7, "frameId": 1.0, "boxId": 0}')
        rig.wait(lambda: rig.probe.of(Start))
        assert rig.manager.change('deactivate', 'cleanup', 'configure')
        late = rigs.Probe(rig.domain)
        try:
            late.wait(lambda: late.tracked.session, 'it hears what is tracked')
            assert rig.manager.change('activate')
            rig.probe.wait_until_registered()
            rig.orchestrator.send('{"type": "start", "objectId": 8, "frameId": 2.0, "boxId": 0}')
            late.wait(lambda: late.of(Start), 'a start of this life')
            assert [start.object_id for start in late.of(Start)] == [8]
        finally:
            late.close()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize('state', WAY_TO)
def test_a_signal_ends_it_with_0_in_every_state(tmp_path, state, number):
    with managed(tmp_path) as rig:
        assert rig.manager.change(*WAY_TO[state])
        rig.wait_for_lifecycle(state)
        rig.process.signal(number)
        assert rig.process.wait() == 0


def test_activation_again_keeps_buffer_counters_and_tracked_objects(tmp_path):
    with managed(tmp_path) as rig:
        rig.orchestrator.sim.state.objects[7] = [0.5]
        rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        rig.wait(lambda: rig.probe.tracked.objects)
        rig.probe.publish_frames(range(200))
        assert rig.manager.change('deactivate')
        assert frames(rig) >= {*range(200)}, 'a deactivation flushes'
        rig.wait_for_lifecycle(Status.INACTIVE)
        accepted = rig.probe.status.boxes_accepted
        assert accepted == rig.probe.status.acknowledged
        assert [found.object_id for found in rig.probe.tracked.objects] == [7]
        assert rig.manager.change('activate')
        rig.probe.wait_until_registered()
        assert rig.probe.status.boxes_accepted >= accepted
        rig.orchestrator.send('{"type": "featureMap", "objectId": 7, "featureMap": [1.5]}')
        rig.wait(lambda: len(rig.probe.of(Update)) == 2)
        assert [command.sequence for command in rig.probe.commands] == [1, 2]
        rig.orchestrator.die()
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        rig.probe.publish_frames(range(1000, 1100))
        assert rig.manager.change('deactivate')
        rig.probe.wait_for_status(lambda status: status.lifecycle == Status.INACTIVE)
        assert rig.probe.status.boxes_queued >= 100
        rig.orchestrator.come_back()
        assert rig.manager.change('activate')
        rig.wait(lambda: frames(rig) >= {*range(1000, 1100)})


@pytest.mark.parametrize('buffer', [False, True])
def test_what_arrives_while_inactive_is_buffered_if_so_told(tmp_path, buffer):
    with managed(tmp_path, buffer_when_inactive=buffer) as rig:
        rig.manager.change('configure')
        if buffer:
            rig.probe.wait_until_connected()
            rig.probe.publish_frames(range(10))
            assert rig.probe.status.lifecycle == Status.INACTIVE
        rig.manager.change('activate')
        rig.probe.wait_until_registered()
        rig.manager.change('deactivate')
        rig.wait_for_lifecycle(Status.INACTIVE)
        if buffer:
            rig.probe.publish_frames(range(10, 20))
            assert rig.probe.call('clear_buffer').success
            rig.probe.publish_frames(range(20, 30))
        else:
            rig.wait(lambda: rig.probe.boxes.get_subscription_count() == 0)
            rig.probe.boxes.publish(rigs.boxes(20.0))
        rig.manager.change('activate')
        rig.probe.wait_until_registered()
        rig.probe.publish_frames([99])
        rig.wait(lambda: 99.0 in frames(rig))
        assert frames(rig) == ({*range(10), *range(20, 30), 99} if buffer else {99})


def test_cleaned_up_it_begins_anew_with_what_the_spool_holds(tmp_path):
    with managed(tmp_path, spool_path=str(tmp_path / 'spool' / 'a.sqlite')) as rig:
        rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        rig.orchestrator.die()
        rig.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        rig.probe.publish_frames(range(50))
        assert rig.manager.change('deactivate', 'cleanup')
        rig.wait_for_lifecycle(Status.UNCONFIGURED)
        assert rig.probe.status.spool == ''
        # The file is free now: another one takes it, and gives it back.
        other = rig.start('other.log', '-r', '__ns:=/other', autostart=True, connect_timeout=0.0)
        watcher = rigs.Probe(rig.domain, bridge='/other/camera_ws_bridge')
        watcher.wait_for_status(lambda status: status.boxes_queued >= 50)
        assert not rig.manager.change('configure') and rig.manager.state() == 'unconfigured'
        rig.probe.wait_for_status(lambda status: 'spool_path' in status.cause)
        assert rig.probe.status.lifecycle == Status.UNCONFIGURED
        assert 'spool_path' in diagnosis(rig, 'unconfigured (').message
        assert rig.process.log.count('in use by another bridge') == 1, rig.process.log
        assert other.end() == 0
        watcher.close()
        rig.orchestrator.come_back()
        assert rig.manager.change('configure')
        rig.wait_for_lifecycle(Status.INACTIVE)
        assert rig.probe.status.boxes_queued >= 50 and rig.probe.status.cause == ''
        assert rig.manager.change('activate')
        rig.wait(lambda: frames(rig) >= {*range(50)})


def test_what_can_never_work_leaves_it_unconfigured_each_time_with_the_reason(tmp_path):
    with managed(tmp_path, tls_ca_file='nowhere.pem',
                 orchestrator_url='wss://localhost:1/processor') as rig:
        for count in (1, 2):
            assert not rig.manager.change('configure')
            assert rig.manager.state() == 'unconfigured'
            assert rig.process.log.count('not configured: parameter tls_ca_file') == count
        rig.probe.wait_for_status(lambda status: 'tls_ca_file' in status.cause)
        assert diagnosis(rig, 'unconfigured (').level == DiagnosticStatus.ERROR


# ---- the link's end and the node's

@pytest.mark.parametrize('cause', ['refused', 'http_404'])
def test_a_link_that_gives_up_deactivates_the_node_which_may_try_again(tmp_path, cause):
    with managed(tmp_path, connect_timeout=1.0) as rig:
        assert rig.manager.change('configure')
        if cause == 'refused':
            rig.orchestrator.die()
        else:
            rig.orchestrator.do('refuse', status=404)
        assert rig.manager.change('activate')
        rig.probe.wait_for_status(lambda status: (
            status.lifecycle == Status.INACTIVE and status.cause.startswith(cause)))
        assert rig.manager.state() == 'inactive'
        assert rig.probe.status.state == Status.CLOSED
        assert diagnosis(rig, f'inactive ({cause}').level == DiagnosticStatus.ERROR
        assert rig.process.log.count('no connection to ws://') == 1
        if cause == 'refused':
            rig.orchestrator.come_back()
        else:
            rig.orchestrator.do('accept')
        assert rig.manager.change('activate')
        rig.probe.wait_until_registered()
        assert diagnosis(rig, 'registered').level == DiagnosticStatus.OK


# ---- transitions at an awkward time

def test_transitions_in_quick_succession_are_answered_in_order(tmp_path):
    with managed(tmp_path) as rig:
        asked = ['configure', 'activate', 'deactivate', 'activate', 'deactivate', 'cleanup',
                 'configure', 'activate']
        answers = [rig.manager.ask(transition) for transition in asked]
        rig.wait(lambda: all(answer.done() for answer in answers), 'all are answered')
        assert [answer.result().success for answer in answers] == len(asked) * [True]
        rig.probe.wait_until_registered()
        rig.probe.publish_frames(range(10))
        rig.wait(lambda: frames(rig) >= {*range(10)})


def test_an_impossible_transition_is_refused_and_changes_nothing(tmp_path):
    with managed(tmp_path) as rig:
        for transition in ('activate', 'deactivate', 'cleanup', 'no such thing'):
            assert not rig.manager.change(transition)
            assert rig.manager.state() == 'unconfigured'
        rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        for transition in ('configure', 'activate', 'cleanup'):
            assert not rig.manager.change(transition)
            assert rig.manager.state() == 'active'
        assert rig.orchestrator.sim.opened == 1, 'the connection was left alone'
        assert 'internal error' not in rig.process.log


def test_a_deactivation_on_a_stalled_link_ends_in_time_and_holds_up_nothing(tmp_path):
    with managed(tmp_path, shutdown_timeout=2.0, heartbeat_timeout=60.0) as rig:
        rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        rig.orchestrator.do('stall')
        rig.probe.publish_frames(range(10))
        began = time.monotonic()
        answer = rig.manager.ask('deactivate')
        asked = 0
        while not answer.done():
            asked_at = time.monotonic()
            assert rig.manager.state() in ('active', 'inactive')
            if answer.done():
                break
            asked += 1
            assert time.monotonic() - asked_at < 1.5, 'another callback had to wait'
            assert time.monotonic() - began < rigs.PATIENCE
        took = time.monotonic() - began
        assert answer.result().success
        assert asked > 5, 'it took its time, and others did not have to wait'
        assert took < 2.0 + 2.0, took
        rig.probe.wait_for_status(lambda status: status.lifecycle == Status.INACTIVE)
        assert rig.probe.status.boxes_queued >= 10
        assert rig.probe.status.state == Status.CLOSED


def test_a_signal_during_a_flush_ends_it_with_0(tmp_path):
    with managed(tmp_path, shutdown_timeout=3.0, heartbeat_timeout=60.0) as rig:
        rig.manager.change('configure', 'activate')
        rig.probe.wait_until_registered()
        rig.orchestrator.do('stall')
        rig.probe.publish_frames(range(10))
        rig.manager.ask('deactivate')
        assert rig.manager.state() == 'active'
        rig.process.signal(signal.SIGTERM)
        assert rig.process.wait() == 0


def test_many_lives_leave_nothing_behind(tmp_path):
    with managed(tmp_path, spool_path=str(tmp_path / 'spool' / 'a.sqlite')) as rig:
        def life():
            assert rig.manager.change(
                'configure', 'activate', 'deactivate', 'activate', 'deactivate', 'cleanup')

        def resources():
            return rig.process.info.num_threads(), rig.process.info.num_fds()
        for _ in range(3):
            life()
        before = resources()
        for _ in range(10):
            life()
        rig.wait(lambda: resources()[0] <= before[0], 'its threads have ended')
        assert resources()[1] <= before[1] + 1, (before, resources())


# ---- with autostart

def test_an_autostarted_node_can_be_managed_too(tmp_path):
    with rigs.running(tmp_path) as rig:
        manager = Manager(rig.probe)
        assert manager.state() == 'active'
        assert manager.change('deactivate')
        rig.probe.wait_for_status(lambda status: status.lifecycle == Status.INACTIVE)
        assert not rig.probe.call('reconnect').success
        assert manager.change('activate')
        rig.probe.wait_for_status(lambda status: status.state in UP)
        assert rig.probe.status.lifecycle == Status.ACTIVE
