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

"""multi_camera.launch.py process:=shared: all cameras of a list in one process."""

import unittest

import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, parameters_of, Site

# boxes_max_messages and connect_timeout, by namespace
EXPECTED = {'gate': (55, 0.0), 'main_hall': (77, 44.0), 'yard': (88, 33.0)}


@pytest.mark.launch_test
@launch_testing.parametrize('process', ['shared', 'separate'])
def generate_test_description(process):
    site = Site()
    url = site.orchestrator.sim.url
    cameras_file = site.write('cameras.yaml', {'cameras': [
        {'camera_id': 'gate'},
        {'camera_id': 'hall', 'namespace': 'main_hall', 'orchestrator_url': url,
         'params_file': site.parameters_file(
             'hall.yaml', boxes_max_messages=77, connect_timeout=44.0)},
        {'camera_id': 'yard', 'parameters': {
            'boxes_max_messages': 88, 'connect_timeout': 33.0, 'insecure_token_host': '010'}}]})
    return site.description(site.launched(
        'multi_camera.launch.py', cameras_file=cameras_file, orchestrator_url=url,
        params_file=site.parameters_file(boxes_max_messages=55), process=process))


class TestCameras(unittest.TestCase):

    def test_each_works_with_its_own_parameters(self, site, process, proc_info):
        for number, (namespace, (limit, timeout)) in enumerate(EXPECTED.items()):
            probe = site.probe(namespace)
            probe.wait_until_registered()
            parameters = parameters_of(probe, f'/{namespace}/camera_ws_bridge')
            self.assertEqual(parameters['boxes_max_messages'], limit)
            self.assertEqual(parameters['connect_timeout'], timeout)
            self.assertEqual(
                parameters['insecure_token_host'], '010' if namespace == 'yard' else '')
            self.assertEqual(parameters['orchestrator_url'], site.orchestrator.sim.url)
            probe.publish_frames([100.0 + number])
            probe.wait(lambda: 100.0 + number in site.orchestrator.frame_ids())
        names = proc_info.process_names()
        self.assertEqual(len(names), 1 if process == 'shared' else 3, names)


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
