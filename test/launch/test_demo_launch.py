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

"""demo.launch.py: a whole site, with the simulated orchestrator as a process of its own."""

import socket
import unittest
import urllib.request

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Boxes, Start, Stop
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, Site, text_of


def unused_port():
    """Return a port that the kernel has picked."""
    with socket.socket() as probing:
        probing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probing.bind(('127.0.0.1', 0))
        return probing.getsockname()[1]


@pytest.mark.launch_test
def generate_test_description():
    site = Site()
    port = unused_port()
    return site.description(site.launched(
        'demo.launch.py', port=str(port), camera_id='entrance', namespace='show', rate='20',
        boxes='3', click_every='0.5', log_level='warn'), address=f'http://127.0.0.1:{port}')


class TestDemo(unittest.TestCase):

    def setUp(self, site, address):
        self.address = address
        self.probe = site.probe('show')
        self.probe.wait_for_status(lambda status: status.acknowledged)

    def stats(self):
        with urllib.request.urlopen(f'{self.address}/stats', timeout=30) as answer:
            return strict_json.loads(answer.read())

    def control(self, **order):
        urllib.request.urlopen(
            f'{self.address}/control', strict_json.dumps(order).encode(), timeout=30).close()

    def received(self, kind):
        return self.stats()['received'].get(kind, 0)

    def test_the_camera_is_registered(self):
        self.assertEqual(self.stats()['registered'], ['entrance'])

    def test_boxes_flow_as_the_arguments_say(self):
        heard = []
        subscription = self.probe.node.create_subscription(Boxes, 'boxes', heard.append, 10)
        self.probe.wait(lambda: heard)
        self.probe.node.destroy_subscription(subscription)
        self.assertEqual(len(heard[0].boxes), 3)
        before = self.received('boundingBoxes')
        self.probe.wait(lambda: self.received('boundingBoxes') > before + 10)

    def test_the_camera_answers_a_start(self):
        before = self.received('featureMap')
        for message in ({'type': 'start', 'objectId': 1, 'frameId': 0, 'boxId': 1},
                        {'type': 'stop', 'objectId': 1}):
            self.control(do='send', camera='entrance', text=strict_json.dumps(message))
        self.probe.wait(lambda: self.probe.of(Start) and self.probe.of(Stop))
        self.probe.wait(lambda: self.received('featureMap') > before)

    def test_the_operator_starts_and_stops_objects(self):
        self.probe.wait_for_status(lambda status: status.starts and status.stops)
        # What a status counts may come after it.
        self.probe.wait(lambda: [
            message for message in self.probe.of(Start) if message.image.data])

    def test_a_broken_connection_comes_back_and_loses_nothing(self):
        reconnects = self.probe.status.reconnects
        self.control(do='drop')
        self.probe.wait_for_status(lambda status: status.reconnects > reconnects)
        acknowledged = self.probe.status.acknowledged
        self.probe.wait_for_status(lambda status: status.acknowledged > acknowledged)
        self.assertFalse(self.probe.status.dropped)
        self.assertEqual(self.stats()['registered'], ['entrance'])


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):

    def test_there_were_four(self, proc_info):
        names = sorted(name.rpartition('-')[0] for name in proc_info.process_names())
        self.assertEqual(names, ['bridge', 'camera_sim', 'operator_sim', 'orchestrator_sim'])

    def test_the_log_level_reaches_the_bridge(self, proc_output):
        self.assertNotIn('[INFO]', text_of(proc_output, 'bridge-'))
