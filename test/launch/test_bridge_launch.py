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

"""bridge.launch.py with all its arguments: topics, parameters, an outage, the end."""

import unittest

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Start, Status, Stop, Update
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, parameters_of, Site, text_of

CAMERA = 'gate 1'
NODE = '/gate/camera_ws_bridge'


@pytest.mark.launch_test
def generate_test_description():
    site = Site()
    return site.description(site.bridge(
        camera_id=CAMERA, namespace='gate', log_level='debug', params_file=site.parameters_file(
            camera_id='not this one', boxes_max_messages=4321, reconcile=False)))


class TestBridge(unittest.TestCase):

    def setUp(self, site):
        self.orchestrator = site.orchestrator
        self.probe = site.probe('gate')
        self.probe.wait_until_registered()

    def test_the_node_is_in_its_namespace(self):
        self.probe.wait(lambda: ('camera_ws_bridge', '/gate') in (
            self.probe.node.get_node_names_and_namespaces()))
        self.assertEqual(self.probe.node.resolve_topic_name('boxes'), '/gate/boxes')

    def test_arguments_and_params_file_reach_the_parameters(self):
        parameters = parameters_of(self.probe, NODE)
        self.assertEqual(parameters['orchestrator_url'], self.orchestrator.sim.url)
        self.assertEqual(parameters['camera_id'], CAMERA, 'the argument beats the params_file')
        self.assertEqual(parameters['boxes_max_messages'], 4321)
        self.assertIs(parameters['reconcile'], False)
        self.assertEqual(parameters['command_queue_depth'], 32, 'in no file: the default')

    def test_the_log_level_reaches_the_node(self, proc_output):
        self.probe.wait(lambda: '[DEBUG]' in text_of(proc_output))

    def test_boxes_arrive_at_the_orchestrator(self):
        self.assertEqual(self.orchestrator.messages('identifier')[0]['id'], CAMERA)
        self.probe.publish_frames([1606.0333333333335, 1607.0])
        self.probe.wait(lambda: {1606.0333333333335, 1607.0} <= {*self.orchestrator.frame_ids()})

    def test_commands_arrive_on_the_topics(self):
        self.probe.commands.clear()
        for message in (
                {'type': 'start', 'objectId': 7, 'frameId': 12, 'boxId': 0},
                {'type': 'featureMap', 'objectId': 8, 'featureMap': [0.5, 1]},
                {'type': 'stop', 'objectId': 7}):
            self.orchestrator.do('send', camera=CAMERA, text=strict_json.dumps(message))
        self.probe.wait(lambda: len(self.probe.commands) == 3)
        self.assertEqual([command.object_id for command in self.probe.of(Start)], [7])
        self.assertEqual([command.object_id for command in self.probe.of(Stop)], [7])
        self.assertEqual(list(self.probe.of(Update)[0].feature_map), [0.5, 1.0])

    def test_feature_maps_arrive_at_the_orchestrator(self):
        self.probe.feature_map.publish(Update(object_id=21, feature_map=[0.25]))
        self.probe.wait(lambda: any(
            message['objectId'] == 21 for message in self.orchestrator.messages('featureMap')))

    def test_services_answer(self):
        reconnects = self.probe.status.reconnects
        self.assertTrue(self.probe.call('reconnect').success)
        self.probe.wait_for_status(lambda status: status.reconnects > reconnects)

    def test_an_outage_loses_nothing(self):
        self.probe.publish_frames(range(100, 110))
        self.orchestrator.die()
        self.probe.publish_frames(range(110, 160))
        self.probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
        self.orchestrator.come_back()
        self.probe.wait(
            lambda: {*map(float, range(100, 160))} <= {*self.orchestrator.frame_ids()})
        self.probe.wait_for_status(lambda status: status.boxes_queued == 0)
        self.assertFalse(self.probe.status.dropped)


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):

    def test_it_has_said_farewell(self, site):
        site.probe('gate').wait(
            lambda: not site.orchestrator.sim.connections, 'the connection is closed')
