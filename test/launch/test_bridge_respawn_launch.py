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

"""bridge.launch.py with respawn: who is killed comes back, and only then."""

import pathlib
import sys
import unittest

import pytest

pytest.importorskip('launch_testing', reason='launch_testing is not installed: no launch tests')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import os  # noqa: E402,I100
import signal  # noqa: E402

from launch import LaunchDescription  # noqa: E402
from launch.events.process import ProcessStarted  # noqa: E402
from launch_rig import Site, text_of  # noqa: E402
import launch_testing  # noqa: E402
from launch_testing.actions import ReadyToTest  # noqa: E402
import launch_testing.asserts  # noqa: E402
import launch_testing.markers  # noqa: E402


@pytest.mark.launch_test
@pytest.mark.timeout(300)
@launch_testing.parametrize('respawn', ['true', 'false'])
@launch_testing.markers.keep_alive
def generate_test_description(respawn):
    site = Site()
    return LaunchDescription([
        site.launched(
            'bridge.launch.py', orchestrator_url=site.orchestrator.sim.url, camera_id='gate',
            respawn=respawn, params_file=site.parameters_file()),
        ReadyToTest(),
    ]), {'site': site}


class TestKilled(unittest.TestCase):

    def test_it_comes_back_only_if_asked_to(self, site, respawn, proc_info):
        probe = site.probe()
        probe.wait_until_registered()
        killed = proc_info['bridge'].pid
        os.kill(killed, signal.SIGKILL)
        if respawn == 'true':
            probe.wait(lambda: isinstance(proc_info['bridge'], ProcessStarted)
                       and proc_info['bridge'].pid != killed, 'launch starts it anew')
            probe.wait(lambda: len(site.orchestrator.messages('identifier')) > 1)
            probe.wait_until_registered()
            probe.publish_frames([5.0])
            probe.wait(lambda: 5.0 in site.orchestrator.frame_ids())
        else:
            proc_info.assertWaitForShutdown('bridge', timeout=30)
            self.assertEqual(proc_info['bridge'].returncode, -signal.SIGKILL)


@launch_testing.post_shutdown_test()
class TestAfterwards(unittest.TestCase):

    @classmethod
    def tearDownClass(cls, site):
        site.close()

    def test_exit_code(self, proc_info, proc_output, respawn):
        launch_testing.asserts.assertExitCodes(
            proc_info, [0 if respawn == 'true' else -signal.SIGKILL])
        self.assertNotIn('Traceback', text_of(proc_output))
