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

"""Parameters that change while the node runs: what is refused, and what a change does."""

import math
import os

from camera_ws_bridge.config.parameters import BY_NAME, check_change, SPECS
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.ros import features
import pytest
from rclpy.parameter import Parameter, parameter_value_to_python
from rigs import process_rig as rigs
from rigs.parameter_client import ParameterClient

DEFAULTS = {spec.name: spec.default for spec in SPECS}


# ---- what may change, decided without a node

@pytest.mark.parametrize('changes', (
    {}, {'heartbeat_interval': 0.25}, {'heartbeat_interval': 3600.0}, {'reconcile': False},
    {'reconnect_delay_min': 20.0, 'reconnect_delay_max': 30.0}, {'camera_id': ''},
    {'frame_id_zero': 'first_frame'},
    {'boxes_max_messages': 2, 'boxes_max_bytes': 1024, 'boxes_max_age': 5.0}))
def test_changes_that_are_accepted(changes):
    check_change(DEFAULTS, changes)


@pytest.mark.parametrize('changes, name, part', (
    ({'heartbeat_interval': 0.2}, 'heartbeat_interval', 'must be in 0.25 to 3600'),
    ({'heartbeat_interval': math.nan}, 'heartbeat_interval', 'must be in'),
    ({'heartbeat_interval': math.inf}, 'heartbeat_interval', 'must be in'),
    ({'boxes_max_messages': 1}, 'boxes_max_messages', 'must be in 2'),
    ({'boxes_max_messages': 5.0}, 'boxes_max_messages', 'must be an integer'),
    ({'reconcile': 1}, 'reconcile', 'must be true or false'),
    ({'heartbeat_interval': None}, 'heartbeat_interval', 'must be a number'),
    ({'frame_id_zero': 'now'}, 'frame_id_zero', 'must be epoch, first_frame, or a stamp'),
    ({'camera_id': 'other'}, 'camera_id', 'cannot change while the node runs'),
    ({'spool_path': '/tmp/x'}, 'spool_path', 'cannot change'),
    ({'reconnect_delay_min': 20.0}, 'reconnect_delay_min', 'more than reconnect_delay_max (2.5)'),
    ({'reconnect_delay_max': 0.1}, 'reconnect_delay_min', 'is 0.5, more than'),
    ({'heartbeat_timeout': 5.0, 'open_timeout': 0.0}, 'open_timeout', 'must be in')))
def test_changes_that_are_refused(changes, name, part):
    with pytest.raises(ConfigurationError) as caught:
        check_change(DEFAULTS, changes)
    assert caught.value.parameter == name and part in caught.value.reason


def test_what_is_not_known_is_not_compared():
    check_change({}, {'reconnect_delay_min': 20.0})


# ---- a running node

@pytest.fixture(scope='module')
def rig(tmp_path_factory):
    """Return a rig that all tests here share."""
    with rigs.running(tmp_path_factory.mktemp('live'), identify_interval=3600.0,
                      heartbeat_interval=3600.0) as running:
        yield running


@pytest.fixture(scope='module')
def client(rig):
    """Return a client of the node's parameter services."""
    client = ParameterClient(rig.probe.node, 'camera_ws_bridge')
    rig.wait(client.services_are_ready, 'the parameter services are there')
    return client


def parameters(values):
    """Return values as ROS parameters."""
    return [Parameter(name, value=value) for name, value in values.items()]


def set_each(rig, client, **values):
    """Set one after the other; return reasons, empty for each that was accepted."""
    future = client.set_parameters(parameters(values))
    rig.wait(future.done, 'the node answers')
    return [result.reason if not result.successful else '' for result in future.result().results]


def set_all(rig, client, **values):
    """Set all or none; return the reason, empty if it was accepted."""
    future = client.set_parameters_atomically(parameters(values))
    rig.wait(future.done, 'the node answers')
    result = future.result().result
    return result.reason if not result.successful else ''


def values_of(rig, client, *names):
    """Return what the node says."""
    future = client.get_parameters(list(names))
    rig.wait(future.done, 'the node answers')
    return [parameter_value_to_python(value) for value in future.result().values]


def test_descriptors_say_what_may_change(rig, client):
    future = client.describe_parameters([*BY_NAME])
    rig.wait(future.done, 'the node answers')
    read_only = {entry.name for entry in future.result().descriptors if entry.read_only}
    assert read_only == {spec.name for spec in SPECS if not spec.live}
    assert {'camera_id', 'spool_path'} < read_only


@pytest.mark.parametrize('name, value, part', (
    ('camera_id', 'other', 'read-only'),
    ('heartbeat_interval', 0.1, 'range'),
    ('heartbeat_interval', math.nan, 'nan'),
    ('heartbeat_interval', 3, 'type'),
    ('reconnect_delay_min', 50.0, 'more than reconnect_delay_max')))
def test_a_bad_value_is_refused_with_the_reason(rig, client, name, value, part):
    before = values_of(rig, client, name)
    for refusal in (set_each(rig, client, **{name: value})[0], set_all(rig, client, **{
            'boxes_max_age': 77.0, name: value})):
        assert part in refusal
    assert values_of(rig, client, name, 'boxes_max_age') == [*before, 0.0]


def test_a_set_that_only_fits_together_is_taken_together(rig, client):
    delays = values_of(rig, client, 'reconnect_delay_min', 'reconnect_delay_max')
    low, high = delays
    assert set_all(rig, client, reconnect_delay_min=20.0, reconnect_delay_max=30.0) == ''
    assert values_of(rig, client, 'reconnect_delay_min', 'reconnect_delay_max') == [20.0, 30.0]
    assert 'more than' in set_each(
        rig, client, reconnect_delay_max=high, reconnect_delay_min=low)[0]
    assert set_all(rig, client, reconnect_delay_min=low, reconnect_delay_max=high) == ''


def test_the_registration_is_repeated_at_the_new_interval(rig, client):
    before = len(rig.orchestrator.messages('identifier'))
    assert set_each(rig, client, identify_interval=0.3) == ['']
    rig.wait(lambda: len(rig.orchestrator.messages('identifier')) >= before + 3)
    assert set_each(rig, client, identify_interval=3600.0) == ['']
    assert 'parameter identify_interval is now 0.3' in rig.process.log


def test_a_silent_orchestrator_is_noticed_in_the_new_time(rig, client):
    assert set_all(rig, client, heartbeat_interval=0.25, heartbeat_timeout=0.75) == ''
    rig.orchestrator.do('stall')
    rig.probe.wait_for_status(lambda status: status.cause.startswith('silent'))
    assert '0.75 s' in rig.probe.status.cause
    rig.orchestrator.do('resume')
    assert set_all(rig, client, heartbeat_interval=3600.0, heartbeat_timeout=10.0) == ''
    rig.probe.wait_until_registered()


def test_limits_of_the_buffer_hold_at_once_and_drops_are_counted(rig, client):
    rig.orchestrator.do('refuse', status=503)
    rig.orchestrator.do('drop')
    rig.probe.wait_for_status(lambda status: status.state == status.CONNECTING)
    queued = rig.probe.status.boxes_queued
    rig.probe.publish_frames(range(100))
    rig.probe.wait_for_status(lambda status: status.boxes_queued >= queued + 100)

    def drops():
        return {entry.cause: entry.count for entry in rig.probe.status.dropped}
    assert set_each(rig, client, boxes_max_messages=10) == ['']
    rig.probe.wait_for_status(lambda status: status.boxes_queued == 10)
    assert drops()['boxes_overflow'] >= 90
    assert set_each(rig, client, boxes_max_age=0.1) == ['']
    rig.probe.wait_for_status(lambda status: status.boxes_queued == 0)
    assert drops()['boxes_too_old'] == 10
    assert set_all(rig, client, boxes_max_age=0.0, boxes_max_messages=20000) == ''
    rig.orchestrator.do('accept')
    rig.probe.wait_until_registered()


@pytest.mark.skipif(
    not features.node_arguments(enable_logger_service=True)
    or os.environ.get('CAMERA_WS_BRIDGE_COMPAT') == 'humble',
    reason='this rclpy has no logger service')
def test_the_level_of_the_log_changes_by_the_service_of_ros(rig, client):
    try:
        from rcl_interfaces.msg import LoggerLevel
        from rcl_interfaces.srv import SetLoggerLevels
    except ImportError:
        pytest.skip('and no messages for it')
    service = rig.probe.node.create_client(
        SetLoggerLevels, 'camera_ws_bridge/set_logger_levels')
    rig.wait(service.service_is_ready, 'the logger service is there')

    def set_level(level):
        future = service.call_async(SetLoggerLevels.Request(levels=[
            LoggerLevel(name='camera_ws_bridge', level=level)]))
        rig.wait(future.done, 'the node answers')
        assert future.result().results[0].successful
    set_level(LoggerLevel.LOG_LEVEL_ERROR)
    assert set_each(rig, client, open_timeout=11.0) == ['']
    set_level(LoggerLevel.LOG_LEVEL_INFO)
    assert set_each(rig, client, open_timeout=12.0) == ['']
    rig.wait(lambda: 'open_timeout is now 12.0' in rig.process.log)
    assert 'open_timeout is now 11.0' not in rig.process.log


# ---- a node that is not configured

def test_an_unconfigured_node_takes_what_it_will_need(tmp_path):
    with rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        process = rigs.Process(
            domain, tmp_path / 'log', autostart=False, camera_id='gate',
            orchestrator_url='ws://127.0.0.1:1/', reconnect_delay_min=5.0, reconnect_delay_max=2.0)
        try:
            client = ParameterClient(probe.node, 'camera_ws_bridge')
            probe.wait(client.services_are_ready, 'the parameter services are there')
            refused = set_each(probe, client, reconnect_delay_min=3.0, heartbeat_timeout=math.nan)
            assert all(refused)
            assert set_each(probe, client, reconnect_delay_min=1.0, open_timeout=2.0) == ['', '']
            assert process.end() == 0, process.log
        finally:
            process.kill()
            probe.close()
