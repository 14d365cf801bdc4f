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

"""multi_camera.launch.py: one bridge per camera of a list, each in its own namespace."""

import os
import signal
import unittest

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge_msgs.msg import Stop
import launch_testing
import psutil
import pytest
from rigs.launch_rig import AllEndWith0, parameters_of, Site

CAMERAS = {'gate': 'gate', 'main_hall': 'hall', 'back_door_2': 'back door/2'}  # by namespace


@pytest.mark.launch_test
def generate_test_description():
    site = Site()
    url = site.orchestrator.sim.url
    cameras_file = site.write('cameras.yaml', {'cameras': [
        {'camera_id': 'gate'},
        {'camera_id': 'hall', 'namespace': 'main_hall', 'orchestrator_url': url,
         'params_file': site.parameters_file('hall.yaml', boxes_max_messages=77)},
        {'camera_id': 'back door/2'}]})
    return site.description(site.launched(
        'multi_camera.launch.py', cameras_file=cameras_file, orchestrator_url=url,
        params_file=site.parameters_file(boxes_max_messages=55), respawn='true'))


class TestCameras(unittest.TestCase):

    def setUp(self, site):
        self.orchestrator = site.orchestrator
        self.probes = {namespace: site.probe(namespace) for namespace in CAMERAS}
        for probe in self.probes.values():
            probe.wait_until_registered()

    def test_each_registers_under_its_own_id(self):
        self.assertEqual(
            {message['id'] for message in self.orchestrator.messages('identifier')},
            {*CAMERAS.values()})
        for namespace, camera_id in CAMERAS.items():
            self.assertEqual(self.probes[namespace].status.camera_id, camera_id)

    def test_each_has_its_own_parameters(self):
        for namespace, camera_id in CAMERAS.items():
            parameters = parameters_of(
                self.probes[namespace], f'/{namespace}/camera_ws_bridge')
            self.assertEqual(parameters['camera_id'], camera_id)
            self.assertEqual(parameters['orchestrator_url'], self.orchestrator.sim.url)
            self.assertEqual(
                parameters['boxes_max_messages'], 77 if namespace == 'main_hall' else 55)

    def test_boxes_of_each_arrive(self):
        frames = {namespace: 100.0 + number for number, namespace in enumerate(CAMERAS)}
        for namespace, frame_id in frames.items():
            self.probes[namespace].publish_frames([frame_id])
            self.probes[namespace].wait(lambda: frame_id in self.orchestrator.frame_ids())

    def test_commands_go_to_one_camera_only(self):
        for probe in self.probes.values():
            probe.commands.clear()
        for number, (namespace, camera_id) in enumerate(CAMERAS.items(), 1):
            self.orchestrator.do('send', camera=camera_id, text=strict_json.dumps(
                {'type': 'stop', 'objectId': number}))
            self.probes[namespace].wait(lambda: self.probes[namespace].of(Stop))
        for number, namespace in enumerate(CAMERAS, 1):
            self.assertEqual(
                [command.object_id for command in self.probes[namespace].commands], [number])

    def test_who_is_killed_comes_back_as_itself(self, proc_info):
        probe = self.probes['gate']  # launched first: later ones must not have changed it
        killed = next(
            info.pid for info in proc_info
            if '__ns:=/gate' in psutil.Process(info.pid).cmdline())
        registered = len(self._registrations('gate'))
        os.kill(killed, signal.SIGKILL)
        probe.wait(lambda: len(self._registrations('gate')) > registered)
        probe.wait_until_registered()
        probe.publish_frames([500.0])
        probe.wait(lambda: 500.0 in self.orchestrator.frame_ids())

    def _registrations(self, camera_id):
        return [message for message in self.orchestrator.messages('identifier')
                if message['id'] == camera_id]


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):

    def test_each_had_a_process(self, proc_info):
        self.assertEqual(len(proc_info.process_names()), len(CAMERAS))
