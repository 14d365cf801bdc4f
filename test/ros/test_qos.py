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

"""QoS: what is said of profiles that do not fit, and what a bridge process does about them."""

import itertools

from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Boxes, Start, Status, Stop, TrackedObjects, Update
from diagnostic_msgs.msg import DiagnosticArray
import pytest
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.duration import Duration
from rclpy.qos import QoSDurabilityPolicy, QoSLivelinessPolicy, QoSProfile, QoSReliabilityPolicy
from rigs import process_rig as rigs
from rigs.lifecycle_rig import managed

BEST_EFFORT = QoSReliabilityPolicy.BEST_EFFORT
RELIABLE = QoSReliabilityPolicy.RELIABLE
TRANSIENT_LOCAL = QoSDurabilityPolicy.TRANSIENT_LOCAL
PUBLISHED = {
    'start': Start, 'stop': Stop, 'update': Update, 'tracked_objects': TrackedObjects,
    'status': Status}


def profile(**policies):
    return QoSProfile(depth=10, **policies)


# ---- profiles

def test_profiles_that_fit():
    assert qos.mismatch(profile(), profile()) == ''
    assert qos.mismatch(profile(), profile(reliability=BEST_EFFORT)) == ''
    assert qos.mismatch(qos.STATUS, qos.commands(32)) == ''


@pytest.mark.parametrize('publisher, subscription, reason', [
    (profile(reliability=BEST_EFFORT), profile(), 'best effort publisher and reliable sub'),
    (profile(), profile(durability=TRANSIENT_LOCAL), 'volatile publisher and transient local'),
    (profile(), profile(deadline=Duration(seconds=1)), 'deadline'),
    (profile(), profile(liveliness=QoSLivelinessPolicy.MANUAL_BY_TOPIC), 'manual'),
    (profile(reliability=BEST_EFFORT), profile(durability=TRANSIENT_LOCAL), '; '),
])
def test_profiles_that_do_not_fit(publisher, subscription, reason):
    assert reason in qos.mismatch(publisher, subscription)


UNSET = [  # as profiles, middlewares and rclpy have it
    Duration(), Duration(nanoseconds=2**63 - 1), Duration(nanoseconds=2**63 - 2),
    Duration(seconds=2**31 - 1), Duration(seconds=2**31 - 1, nanoseconds=2**32 - 1)]
TIMES = [*UNSET, Duration(seconds=1), Duration(seconds=2), Duration(seconds=86400)]


@pytest.mark.parametrize('policy', ['deadline', 'liveliness_lease_duration'])
def test_a_time_that_is_unset_is_the_longest_however_it_is_written(policy):
    def length(time):
        return float('inf') if time in UNSET else time.nanoseconds
    for offered, requested in itertools.product(TIMES, TIMES):
        found = qos.mismatch(profile(**{policy: offered}), profile(**{policy: requested}))
        assert bool(found) == (length(offered) > length(requested)), (offered, requested, found)
        assert not found or policy.split('_')[0] in found
        assert 'lease' not in found or policy != 'deadline', 'only what does not fit is named'


def test_liveliness_fits_by_its_kind_whatever_the_times():
    automatic, manual = QoSLivelinessPolicy.AUTOMATIC, QoSLivelinessPolicy.MANUAL_BY_TOPIC
    kinds = (QoSLivelinessPolicy.SYSTEM_DEFAULT, automatic, manual)
    for offered, requested, deadline, lease in itertools.product(kinds, kinds, UNSET, UNSET):
        found = qos.mismatch(
            profile(liveliness=offered, deadline=deadline),
            profile(liveliness=requested, liveliness_lease_duration=lease))
        assert bool(found) == (requested == manual and offered != manual), (offered, requested)


def test_an_unset_deadline_is_none_for_people():
    for unset in UNSET:
        assert 'deadline' not in qos.describe(profile(deadline=unset))


@pytest.mark.parametrize('policies, text', [
    ({'durability': QoSDurabilityPolicy.VOLATILE}, 'reliable, volatile'),
    ({'reliability': BEST_EFFORT, 'durability': TRANSIENT_LOCAL}, 'best_effort, transient_local'),
    ({'durability': TRANSIENT_LOCAL, 'deadline': Duration(seconds=0.5)},
     'reliable, transient_local, deadline 0.5 s'),
    ({'durability': TRANSIENT_LOCAL, 'liveliness': QoSLivelinessPolicy.MANUAL_BY_TOPIC},
     'reliable, transient_local, liveliness manual_by_topic'),
])
def test_a_profile_is_described_by_what_may_not_fit(policies, text):
    assert qos.describe(profile(**policies)) == text


def test_what_to_set_on_a_subscription():
    own = profile(durability=TRANSIENT_LOCAL)
    assert qos.to_set('/t', qos.SUBSCRIPTION, own, profile(
        reliability=BEST_EFFORT, durability=QoSDurabilityPolicy.VOLATILE)) == [
            'qos_overrides./t.subscription.reliability:=best_effort',
            'qos_overrides./t.subscription.durability:=volatile']
    assert qos.to_set('/t', qos.SUBSCRIPTION, own, profile(
        durability=TRANSIENT_LOCAL, deadline=Duration(seconds=1))) == []


def test_what_to_set_on_a_publisher():
    own = profile(reliability=BEST_EFFORT)
    assert qos.to_set('/t', qos.PUBLISHER, own, profile()) == [
        'qos_overrides./t.publisher.reliability:=reliable']


def test_a_copy_is_equal_and_apart():
    own = profile(deadline=Duration(seconds=1), durability=TRANSIENT_LOCAL)
    copy = qos.copy_of(own)
    assert copy == own
    copy.depth = 11
    assert own.depth == 10
    assert qos.copy_of(own, reliability=BEST_EFFORT).reliability == BEST_EFFORT


# ---- the bridge process

@pytest.fixture(scope='module', name='rig')
def shared_rig(tmp_path_factory):
    with rigs.running(tmp_path_factory.mktemp('qos')) as running:
        yield running


def line_with(rig, *texts):
    """Wait for one log line that holds all texts."""
    def found():
        return [line for line in rig.process.log.splitlines()
                if all(text in line for text in texts)]
    rig.wait(found, f'a line of the log holds {texts}')
    assert len(found()) == 1
    return found()[0]


def test_boxes_of_a_best_effort_detector_arrive_beside_a_reliable_one(rig):
    best_effort = rig.probe.node.create_publisher(
        Boxes, 'boxes', QoSProfile(depth=10, reliability=BEST_EFFORT))

    def arrived():
        best_effort.publish(rigs.boxes(999.0))
        rig.probe.executor.spin_once(timeout_sec=0.2)
        # The log tells of the subscription; only a frame proves that both ends know each other.
        return '/boxes: a best-effort publisher is there' in rig.process.log and (
            999.0 in frames())

    def frames():
        return rig.orchestrator.frame_ids()[before:]
    before = len(rig.orchestrator.frame_ids())
    try:
        rig.wait(arrived)
        expected = []
        for number in range(50):
            for publisher, frame_id in (
                    (best_effort, 1000.0 + number), (rig.probe.boxes, 2000.0 + number)):
                publisher.publish(rigs.boxes(frame_id, rigs.box()))
                rig.wait(lambda: frame_id in frames())
                expected.append(frame_id)
        accepted = rig.probe.status.boxes_accepted
        rig.probe.boxes.publish(rigs.boxes(3000.0))
        rig.probe.wait_for_status(lambda status: status.boxes_accepted > accepted)
        rig.wait(lambda: 3000.0 in frames())
        assert [frame for frame in frames() if frame != 999.0] == [*expected, 3000.0]
    finally:
        rig.probe.node.destroy_publisher(best_effort)
    rig.wait(lambda: '/boxes: no best-effort publisher is left' in rig.process.log)


def test_a_bridge_that_comes_up_after_a_best_effort_detector_hears_it(rig, tmp_path):
    with rigs.own_domain() as domain:
        probe = rigs.Probe(domain)
        probe.node.destroy_publisher(probe.boxes)
        probe.boxes = probe.node.create_publisher(
            Boxes, 'boxes', QoSProfile(depth=1000, reliability=BEST_EFFORT))
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url=rig.orchestrator.sim.url,
            camera_id='late', **rigs.FAST)
        probe.wait_until_registered()
        assert process.end() == 0, process.log
        probe.close()


def test_an_incompatible_publisher_is_reported_with_both_profiles_and_what_to_set(rig):
    publisher = rig.probe.node.create_publisher(
        Update, 'feature_map', QoSProfile(depth=1, reliability=BEST_EFFORT))
    try:
        line = line_with(
            rig, 'incompatible QoS: nothing arrives from a publisher on /feature_map',
            'Offered: best_effort, volatile; requested: reliable, volatile.',
            'qos_overrides./feature_map.subscription.reliability:=best_effort of this node')
        assert len(line) < 500
    finally:
        rig.probe.node.destroy_publisher(publisher)


@pytest.mark.parametrize('name', PUBLISHED)
def test_an_incompatible_subscription_is_reported_too(rig, name):
    subscription = rig.probe.node.create_subscription(
        PUBLISHED[name], f'camera_ws_bridge/{name}', lambda _: None,
        QoSProfile(depth=1, deadline=Duration(seconds=1), durability=TRANSIENT_LOCAL))
    try:
        line = line_with(
            rig, f'nothing reaches a subscription on /camera_ws_bridge/{name}',
            'Offered: reliable, transient_local; requested: reliable, transient_local, '
            'deadline 1 s. Change the subscription')
        assert 'qos_overrides' not in line, 'no parameter of the bridge could help'
    finally:
        rig.probe.node.destroy_subscription(subscription)


def test_a_healthy_subscription_is_not_reported_beside_one_that_does_not_fit(rig):
    healthy = rig.probe.node.create_subscription(
        Start, 'camera_ws_bridge/start', lambda _: None, QoSProfile(depth=5))
    other = rigs.Probe(rig.domain).node
    other.create_subscription(
        Start, 'camera_ws_bridge/start', lambda _: None,
        QoSProfile(depth=2, deadline=Duration(seconds=1)))
    try:
        before = rig.process.log
        rig.wait(lambda: '/camera_ws_bridge/start' in rig.process.log[len(before):])
        seen = len(rig.probe.statuses)
        rig.wait(lambda: len(rig.probe.statuses) > seen + 3, 'it has looked again')
        told = [line for line in rig.process.log[len(before):].splitlines()
                if 'incompatible QoS' in line]
        assert len(told) == 1, told
        assert 'deadline' in told[0] and 'lease' not in told[0]
    finally:
        rig.probe.node.destroy_subscription(healthy)
        other.destroy_node()


def test_a_latched_subscription_to_diagnostics_is_told_what_to_set(rig):
    subscription = rig.probe.node.create_subscription(
        DiagnosticArray, '/diagnostics', lambda _: None,
        QoSProfile(depth=1, durability=TRANSIENT_LOCAL))
    try:
        line_with(rig, 'nothing reaches a subscription on /diagnostics',
                  'qos_overrides./diagnostics.publisher.durability:=transient_local')
    finally:
        rig.probe.node.destroy_subscription(subscription)


def call(rig, service_type, name, request):
    client = rig.probe.node.create_client(service_type, f'camera_ws_bridge/{name}')
    rig.wait(client.service_is_ready)
    future = client.call_async(request)
    rig.wait(future.done)
    rig.probe.node.destroy_client(client)
    return future.result()


def test_every_topic_can_be_overridden(rig):
    names = {
        f'qos_overrides.{topic}.{entity}.{policy}'
        for policy in ('history', 'depth', 'reliability', 'durability')
        for topic, entity in [
            *((f'/camera_ws_bridge/{name}', 'publisher') for name in PUBLISHED),
            ('/diagnostics', 'publisher'), ('/boxes', 'subscription'),
            ('/feature_map', 'subscription')]}
    request = ListParameters.Request(prefixes=['qos_overrides'])
    found = call(rig, ListParameters, 'list_parameters', request).result.names
    assert {name for name in found if not name.startswith('qos_overrides./parameter_events')} == (
        names)
    (value,) = call(rig, GetParameters, 'get_parameters', GetParameters.Request(
        names=['qos_overrides./boxes.subscription.reliability'])).values
    assert value.string_value in ('best_available', 'system_default')  # where the first is none


def test_overrides_are_obeyed(tmp_path):
    def of_bridge(infos):
        return [info.qos_profile for info in infos if info.node_name == 'camera_ws_bridge']
    with rigs.running(tmp_path, **{
            'qos_overrides./camera_ws_bridge/start.publisher.durability': 'volatile',
            'qos_overrides./feature_map.subscription.reliability': 'best_effort',
            'qos_overrides./boxes.subscription.reliability': 'reliable'}) as rig:
        node = rig.probe.node
        rig.wait(lambda: of_bridge(node.get_publishers_info_by_topic('/camera_ws_bridge/start')))
        (start,) = of_bridge(node.get_publishers_info_by_topic('/camera_ws_bridge/start'))
        assert start.durability == QoSDurabilityPolicy.VOLATILE
        (stop,) = of_bridge(node.get_publishers_info_by_topic('/camera_ws_bridge/stop'))
        assert stop.durability == TRANSIENT_LOCAL
        (feature_map,) = of_bridge(node.get_subscriptions_info_by_topic('/feature_map'))
        assert feature_map.reliability == BEST_EFFORT
        # The probe wants commands latched, which they are not any more.
        line_with(rig, 'nothing reaches a subscription on /camera_ws_bridge/start',
                  'qos_overrides./camera_ws_bridge/start.publisher.durability:=transient_local')
        best_effort = node.create_publisher(
            Boxes, 'boxes', QoSProfile(depth=10, reliability=BEST_EFFORT))
        line_with(rig, 'nothing arrives from a publisher on /boxes',
                  'qos_overrides./boxes.subscription.reliability:=best_effort')
        for _ in range(10):
            best_effort.publish(rigs.boxes(5.5))
        rig.probe.boxes.publish(rigs.boxes(6.5))
        rig.wait(lambda: 6.5 in rig.orchestrator.frame_ids())
        assert 5.5 not in rig.orchestrator.frame_ids()


@pytest.mark.parametrize('name, value', [
    ('/boxes.subscription.reliability', 'sometimes'),
    ('/boxes.subscription.depth', 'many'),
    ('/boxes.subscription.depth', -1),
    ('/camera_ws_bridge/start.publisher.durability', 'forever'),
])
def test_an_override_that_is_none_ends_with_2(tmp_path, name, value):
    with rigs.own_domain() as domain:
        process = rigs.Process(
            domain, tmp_path / 'log', orchestrator_url='ws://localhost:1/processor',
            camera_id='cam-1', **{f'qos_overrides.{name}': value})
        assert process.wait() == 2, process.log
        assert f'qos_overrides.{name.split(".")[0]}' in process.log
        assert 'Traceback' not in process.log


def test_an_override_that_is_none_refuses_the_activation_of_a_managed_bridge(tmp_path):
    with managed(tmp_path, **{'qos_overrides./boxes.subscription.reliability': 'maybe'}) as rig:
        assert rig.manager.change('configure')
        assert not rig.manager.change('activate')
        assert rig.manager.state() == 'inactive'
        assert 'not activated: parameter qos_overrides./boxes.*' in rig.process.log
        rig.probe.wait_for_status(lambda status: 'qos_overrides' in status.cause)
