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

"""demo.launch.py: a whole site, with the orchestrator stand-in as a process of its own."""

import pathlib
import sys
import unittest

import pytest

pytest.importorskip('launch_testing', reason='launch_testing is not installed: no launch tests')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import socket  # noqa: E402,I100
import urllib.request  # noqa: E402

from camera_ws_bridge import wire  # noqa: E402
from camera_ws_bridge_msgs.msg import Boxes, Start, Stop  # noqa: E402
from launch import LaunchDescription  # noqa: E402
from launch_rig import Site, text_of  # noqa: E402
import launch_testing  # noqa: E402
from launch_testing.actions import ReadyToTest  # noqa: E402
import launch_testing.asserts  # noqa: E402


def unused_port():
    """Return a port that the kernel has picked."""
    with socket.socket() as probing:
        probing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probing.bind(('127.0.0.1', 0))
        return probing.getsockname()[1]


@pytest.mark.launch_test
@pytest.mark.timeout(300)
def generate_test_description():
    site = Site()
    port = unused_port()
    return LaunchDescription([
        site.launched(
            'demo.launch.py', port=str(port), camera_id='entrance', namespace='show', rate='20',
            boxes='3', log_level='warn'),
        ReadyToTest(),
    ]), {'site': site, 'address': f'http://127.0.0.1:{port}'}


class TestDemo(unittest.TestCase):

    def setUp(self, site, address):
        self.address = address
        self.probe = site.probe('show')
        self.probe.wait_for_status(lambda status: status.acknowledged)

    def stats(self):
        with urllib.request.urlopen(f'{self.address}/stats', timeout=30) as answer:
            return wire.loads(answer.read())

    def control(self, **order):
        urllib.request.urlopen(
            f'{self.address}/control', wire.dumps(order).encode(), timeout=30).close()

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
            self.control(do='send', camera='entrance', text=wire.dumps(message))
        self.probe.wait(lambda: self.probe.of(Start) and self.probe.of(Stop))
        self.probe.wait(lambda: self.received('featureMap') > before)

    def test_a_broken_connection_comes_back_and_loses_nothing(self):
        reconnects = self.probe.status.reconnects
        self.control(do='drop')
        self.probe.wait_for_status(lambda status: status.reconnects > reconnects)
        acknowledged = self.probe.status.acknowledged
        self.probe.wait_for_status(lambda status: status.acknowledged > acknowledged)
        self.assertFalse(self.probe.status.dropped)
        self.assertEqual(self.stats()['registered'], ['entrance'])


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):

    @classmethod
    def tearDownClass(cls, site):
        site.close()

    def test_all_three_end_with_0(self, proc_info, proc_output):
        names = sorted(name.rpartition('-')[0] for name in proc_info.process_names())
        self.assertEqual(names, ['bridge', 'camera_sim', 'orchestrator_sim'])
        launch_testing.asserts.assertExitCodes(proc_info)
        self.assertNotIn('Traceback', text_of(proc_output))

    def test_the_log_level_reaches_the_bridge(self, proc_output):
        self.assertNotIn('[INFO]', text_of(proc_output, 'bridge-'))
