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

"""The endpoint, asked over real sockets, with bridges that tell what the test wants."""

import socket
import sys
import threading
import time
from types import SimpleNamespace as Message
import urllib.request

from camera_ws_bridge_msgs.msg import Count, Status
import pytest
from rigs.shared import WAIT

# No part of every ROS install.
pytest.importorskip('prometheus_client', reason='prometheus_client is not installed')
from camera_ws_bridge.metrics.endpoint import Endpoint  # noqa: E402, I100, I202
from prometheus_client.openmetrics.parser import (  # noqa: E402, I100
    text_string_to_metric_families as parse_open)
from prometheus_client.parser import text_string_to_metric_families as parse  # noqa: E402


class Bridge:
    """One that has told this."""

    def __init__(self, name, **fields):
        self._name = name
        self.last_report = None
        if fields:
            self.tell(**fields)

    def tell(self, reconnects={}, age=0.0, **fields):
        self.last_report = Message(
            status=Status(**fields), wanted=True, fill=0.25, registered_seconds=10.5,
            reconnects=reconnects, at=time.monotonic() - age)

    def get_fully_qualified_name(self):
        return self._name


@pytest.fixture
def listen():
    """Return what opens an endpoint for bridges."""
    endpoints = []

    def open_one(*bridges, host='127.0.0.1'):
        endpoints.append(Endpoint(host, 0, bridges))
        return endpoints[-1]
    yield open_one
    for endpoint in endpoints:
        endpoint.close()


def ask(endpoint, accept='text/plain'):
    request = urllib.request.Request(endpoint.url, headers={'Accept': accept})
    with urllib.request.urlopen(request, timeout=WAIT) as response:
        return response.read().decode()


def samples(endpoint):
    """Return values by the sample's name and labels, but for the node's name."""
    return {(sample.name, *(value for key, value in sorted(sample.labels.items())
                            if key != 'node')): sample.value
            for family in parse(ask(endpoint)) for sample in family.samples}


def test_each_camera_has_its_samples(listen):
    endpoint = listen(
        Bridge('/gate/bridge', camera_id='gate', state=3, boxes_accepted=5,
               dropped=[Count(cause='boxes_overflow', count=2)], reconnects={'silent': 3}),
        Bridge('/door/bridge', camera_id='door', state=0, boxes_accepted=7))
    found = samples(endpoint)
    for camera, registered, accepted in (('gate', 1, 5), ('door', 0, 7)):
        assert found['camera_ws_bridge_registered', camera] == registered
        assert found['camera_ws_bridge_accepted_messages_total', camera, 'boxes'] == accepted
        assert found['camera_ws_bridge_registered_seconds_total', camera] == 10.5
    assert found['camera_ws_bridge_dropped_messages_total', 'gate', 'boxes_overflow'] == 2
    assert found['camera_ws_bridge_reconnects_total', 'gate', 'silent'] == 3
    assert found['camera_ws_bridge_state', 'gate', 'stable'] == 1
    assert found['camera_ws_bridge_state', 'gate', 'connecting'] == 0
    assert not [name for name, *rest in found if name.startswith(
        'camera_ws_bridge_dropped') and 'door' in rest]
    assert abs(found['camera_ws_bridge_time_seconds', ] - time.time()) < WAIT
    assert found['process_resident_memory_bytes', ] > 2**20


def test_open_metrics_are_given_to_who_wants_them(listen):
    endpoint = listen(Bridge('/bridge', camera_id='gate', state=2))
    families = {family.name: family for family in parse_open(
        ask(endpoint, 'application/openmetrics-text; version=1.0.0'))}
    assert families['camera_ws_bridge_state'].type == 'stateset'
    assert families['camera_ws_bridge_sent_messages'].type == 'counter'
    assert families['camera_ws_bridge_round_trip_seconds'].type == 'gauge'


def test_who_has_told_nothing_yet_is_left_out_and_what_is_told_later_shows(listen):
    bridge = Bridge('/bridge')
    endpoint = listen(bridge)
    assert ('camera_ws_bridge_registered', 'gate') not in samples(endpoint)
    for state, registered in (2, 1), (0, 0):
        bridge.tell(camera_id='gate', state=state, age=100.0)
        found = samples(endpoint)
        assert found['camera_ws_bridge_registered', 'gate'] == registered
        assert found['camera_ws_bridge_status_age_seconds', 'gate'] >= 100.0


def test_one_camera_id_twice_gives_samples_that_differ(listen):
    endpoint = listen(*(Bridge(f'/{name}/bridge', camera_id='gate') for name in 'ab'))
    found = [tuple(sorted(sample.labels.items())) for family in parse(ask(endpoint))
             for sample in family.samples if sample.name == 'camera_ws_bridge_registered']
    assert len(found) == len({*found}) == 2


def test_a_camera_id_of_any_characters_comes_back(listen):
    name = 'gate "north" \\ übér {x="1"} #'
    assert ('camera_ws_bridge_registered', name) in samples(listen(Bridge('/b', camera_id=name)))


def test_ipv6_and_names(listen):
    endpoint = listen(host='localhost')
    assert 'camera_ws_bridge_time_seconds' in ask(endpoint)
    try:
        endpoint = listen(host='::1')
    except OSError:
        pytest.skip('there is no IPv6 here')
    assert '//[::1]:' in endpoint.url and 'camera_ws_bridge_time_seconds' in ask(endpoint)


def test_a_client_that_says_nothing_holds_up_neither_others_nor_the_end(listen):
    endpoint = listen()
    host, port = endpoint.url[len('http://'):-len('/metrics')].split(':')
    with socket.create_connection((host, int(port))):
        assert 'camera_ws_bridge_time_seconds' in ask(endpoint)
        endpoint.close()
    assert 'metrics' not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=WAIT)


def test_an_address_that_is_taken_is_an_error(listen):
    endpoint = listen()
    port = int(endpoint.url.rpartition(':')[2].partition('/')[0])
    with pytest.raises(OSError):
        Endpoint('127.0.0.1', port, [])


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux can')
@pytest.mark.parametrize('host', ['192.0.2.7', '2001:db8::7'])
def test_an_address_that_comes_later_is_waited_for(listen, host):
    assert host in listen(host=host).url


def test_names_that_cannot_be_resolved_are_an_error():
    with pytest.raises(OSError):
        Endpoint('nowhere.invalid', 0, [])
