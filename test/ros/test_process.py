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

"""What the executables that run bridges have in common, in a process of its own."""

import os
import subprocess
import sys

from rigs.process_rig import own_domain
from rigs.shared import own_words

PATIENCE = 60.0  # seconds

FAILS = """
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.process import run as processes
import rclpy
said = []
class Witness:
    def __init__(self, executor):
        self.executor = executor
    def shutdown(self):
        said.append('executor')
        self.executor.shutdown()
def start(process):
    node = rclpy.create_node('node')
    node.metrics_address = ''  # as every bridge's node has one
    process.add(node)
    destroy_node = node.destroy_node
    node.destroy_node = lambda: (said.append('node'), destroy_node())
    process.executor = Witness(process.executor)
    raise ConfigurationError('spool_path', 'in use')
print(processes.run([], start), said, rclpy.ok())
"""


def test_a_start_that_fails_leaves_ros_in_order(tmp_path):
    """Left to Python's end, the middleware calls an executor that is gone: exit code -11."""
    with own_domain() as domain:
        done = subprocess.run(
            [sys.executable, '-c', FAILS], cwd=tmp_path,
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)}, text=True, capture_output=True,
            timeout=PATIENCE)
    assert done.stdout == "2 ['executor', 'node'] False\n", done.stderr
    assert own_words(done.stderr) == 'camera_ws_bridge: parameter spool_path: in use\n'
