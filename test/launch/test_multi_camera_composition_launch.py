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

"""multi_camera.launch.py under a parent: its namespace and parameters reach every camera."""

import unittest

from launch_ros.actions import PushRosNamespace, SetParameter
import launch_testing
import pytest
from rigs.launch_rig import AllEndWith0, included, parameters_of, Site


@pytest.mark.launch_test
@launch_testing.parametrize('process', ['shared', 'separate'])
def generate_test_description(process):
    site = Site()
    cameras_file = site.write('cameras.yaml', {'cameras': [
        {'camera_id': 'gate'},
        {'camera_id': 'hall', 'parameters': {'heartbeat_interval': 4.0}}]})
    return site.description(site.surrounded(
        PushRosNamespace('site'), SetParameter('heartbeat_interval', 3.0),
        SetParameter('connect_timeout', 20.0),
        included('multi_camera.launch.py', cameras_file=cameras_file, process=process,
                 orchestrator_url=site.orchestrator.sim.url)))


class TestCameras(unittest.TestCase):

    def test_what_the_parent_sets_holds_unless_the_camera_says_else(self, site):
        for namespace, interval in {'site/gate': 3.0, 'site/hall': 4.0}.items():
            probe = site.probe(namespace)
            probe.wait_until_registered()
            parameters = parameters_of(probe, f'/{namespace}/camera_ws_bridge')
            self.assertEqual(parameters['heartbeat_interval'], interval)
            self.assertEqual(parameters['connect_timeout'], 20.0)


@launch_testing.post_shutdown_test()
class TestAfterwards(AllEndWith0, unittest.TestCase):
    """Whatever was launched."""
