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

"""bridge.launch.py: where URL and camera id come from, and which source beats which."""

import unittest

from ament_index_python import get_package_share_directory
from launch_ros.actions import SetParameter
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, included, parameters_of, Site
import yaml


@pytest.mark.launch_test
@launch_testing.parametrize('source', ['argument', 'params_file', 'parent', 'environment'])
def generate_test_description(source):
    site = Site()
    url = site.orchestrator.sim.url
    # What is weaker than the source names a camera, too; it must not get through.
    environment = {'ORCHESTRATOR_URL': url, 'CAMERA_ID': 'environment'}
    arguments = {}
    parent = []
    if source != 'environment':
        environment['ORCHESTRATOR_URL'] = 'ws://127.0.0.1:1/wrong'
        parent = [SetParameter('camera_id', 'parent'), SetParameter('orchestrator_url', url)]
    if source in ('argument', 'params_file'):
        arguments['params_file'] = site.parameters_file(
            orchestrator_url=url, camera_id='params_file')
    if source == 'argument':
        arguments.update(orchestrator_url=url, camera_id='argument')
    return site.description(site.surrounded(
        *parent, included('bridge.launch.py', **arguments), environment=environment))


class TestSource(unittest.TestCase):

    def test_the_camera_registers_under_this_id(self, site, source):
        probe = site.probe()
        probe.wait_until_registered()
        self.assertEqual(
            {message['id'] for message in site.orchestrator.messages('identifier')}, {source})
        self.assertEqual(probe.status.camera_id, source)

    def test_all_other_parameters_are_as_the_params_file_says(self, site, source):
        probe = site.probe()
        probe.wait_until_registered()
        parameters = parameters_of(probe)
        path = f'{get_package_share_directory("camera_ws_bridge")}/config/bridge.yaml'
        with open(path, encoding='utf-8') as file:
            documented = yaml.safe_load(file)['/**']['ros__parameters']
        self.assertEqual({*parameters}, {*documented})
        if source in ('environment', 'parent'):  # without a params_file
            for values in (parameters, documented):
                for name in ('orchestrator_url', 'camera_id'):
                    values.pop(name)
            self.assertEqual(parameters, documented)
        else:
            self.assertEqual(parameters['camera_id'], source)
            self.assertEqual(parameters['reconnect_delay_max'], 0.2)


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
