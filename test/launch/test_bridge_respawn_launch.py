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

import os
import signal
import unittest

from launch.events.process import ProcessStarted
import launch_testing
import launch_testing.asserts
import launch_testing.markers
import pytest
from rigs.launch_rig import Afterwards, Site


@pytest.mark.launch_test
@launch_testing.parametrize('respawn', ['true', 'false'])
@launch_testing.markers.keep_alive
def generate_test_description(respawn):
    site = Site()
    return site.description(site.bridge(respawn=respawn))


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
class TestAfterwards(Afterwards, unittest.TestCase):

    def test_exit_code(self, proc_info, respawn):
        launch_testing.asserts.assertExitCodes(
            proc_info, [0 if respawn == 'true' else -signal.SIGKILL])
