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

"""bridge.launch.py: what can never work ends with a line that says why, and its exit code."""

import unittest

import launch_testing
import launch_testing.asserts
import launch_testing.markers
import pytest
from rigs.launch_rig import Afterwards, Site, text_of

CASES = {  # what is wrong: exit code, what it says
    'no url': (2, 'orchestrator_url: is not set'),
    'no camera': (2, 'camera_id: is not set'),
    'bad scheme': (2, 'must begin with ws: or wss:'),
    'wrong path': (2, 'HTTP 404'),
    'nobody there': (3, 'gave up after 1 s'),
}


@pytest.mark.launch_test
@launch_testing.parametrize('case', [*CASES])
@launch_testing.markers.keep_alive
def generate_test_description(case):
    site = Site()
    url = site.orchestrator.sim.url
    arguments = {
        'no url': {'orchestrator_url': ''},
        'no camera': {'camera_id': ''},
        'bad scheme': {'orchestrator_url': url.replace('ws:', 'http:')},
        'wrong path': {'orchestrator_url': url.replace('processor', 'wrong')},
        'nobody there': {},
    }[case]
    if case == 'nobody there':
        site.orchestrator.die()
    return site.description(site.bridge(
        params_file=site.parameters_file(connect_timeout=1.0), **arguments))


class TestExit(unittest.TestCase):

    def test_it_ends_by_itself_and_says_why(self, site, case, proc_info, proc_output):
        code, says = CASES[case]
        proc_info.assertWaitForStartup('bridge', timeout=30)
        proc_info.assertWaitForShutdown('bridge', timeout=30)
        launch_testing.asserts.assertExitCodes(proc_info, [code])
        site.probe().wait(lambda: says in text_of(proc_output), f'it says {says!r}')


@launch_testing.post_shutdown_test()
class TestAfterwards(Afterwards, unittest.TestCase):
    """It has ended by itself."""
