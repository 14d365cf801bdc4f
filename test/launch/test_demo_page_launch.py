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

"""demo.launch.py page:=true: the live show of the operator's page, with an operator of its own."""

import socket
import unittest
import urllib.request

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Start, Update
from launch_ros.actions import Node
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, Site

STREETS = ('entrance', 'yard')


def unused_ports(count):
    """Return the first of so many ports in a row that nobody uses."""
    while True:
        probes = [socket.socket() for _ in range(count)]
        try:
            probes[0].bind(('127.0.0.1', 0))
            first = probes[0].getsockname()[1]
            for number, probe in enumerate(probes[1:], 1):
                probe.bind(('127.0.0.1', first + number))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for probe in probes:
                probe.close()


@pytest.mark.launch_test
def generate_test_description():
    site = Site()
    port = unused_ports(1 + len(STREETS))
    operator = Node(
        package='camera_ws_bridge', executable='operator_sim',
        arguments=['--url', f'ws://127.0.0.1:{port}/client', '--camera', STREETS[0],
                   '--every', '2'])
    return site.description(
        site.launched('demo.launch.py', page='true', namespace='show', port=str(port)),
        site.surrounded(operator), port=port)


class TestLiveShow(unittest.TestCase):

    def setUp(self, site, port):
        self.port = port
        self.probes = {street: site.probe(f'show/{street}') for street in STREETS}
        for probe in self.probes.values():
            probe.wait_for_status(lambda status: status.acknowledged)

    def get(self, port, path, size):
        with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=30) as answer:
            return answer.headers.get_content_type(), answer.read(size)

    def stats(self):
        return strict_json.loads(self.get(self.port, '/stats', None)[1])

    def test_both_cameras_are_registered(self):
        self.assertEqual(self.stats()['registered'], [*STREETS])

    def test_page_and_pictures_are_served(self):
        self.assertEqual(self.get(self.port, '/', None)[0], 'text/html')
        for number in range(1, 1 + len(STREETS)):
            kind, beginning = self.get(self.port + number, '/', 1000)
            self.assertEqual(kind, 'multipart/x-mixed-replace')
            self.assertIn(b'image/', beginning)

    def test_a_person_who_is_clicked_on_is_looked_for_by_both_cameras(self):
        # The operator stops what it has started: it is over when the map has arrived.
        self.probes['entrance'].wait(lambda: self.probes['entrance'].of(Start))
        self.probes['yard'].wait(lambda: any(
            len(update.feature_map) for update in self.probes['yard'].of(Update)))
        self.assertTrue(self.stats()['received']['featureMap'])


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):

    def test_there_were_seven_and_the_operator(self, proc_info):
        names = sorted(name.rpartition('-')[0] for name in proc_info.process_names())
        self.assertEqual(names, sorted(
            ['operator_sim', 'orchestrator_sim', *2 * ['bridge', 'camera_sim', 'reid_node.py']]))
