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

"""
Makes the rclpy of every process that has this folder on PYTHONPATH look like Lyrical's.

It takes away the names that have gone since, and gives those that came instead. The names were
read from the documentation of rolling.
"""

import pathlib
import signal
import sys

# Threads of these imports (numpy's, on Kilted) must not get the signals that end a bridge.
held_back = signal.pthread_sigmask(
    signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))

import rclpy  # noqa: E402
import rclpy.node  # noqa: E402, F401
import rclpy.topic_endpoint_info  # noqa: E402

signal.pthread_sigmask(signal.SIG_SETMASK, held_back)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import taking_away  # noqa: E402, I100

sys.modules['rclpy.endpoint_info'] = rclpy.endpoint_info = rclpy.topic_endpoint_info
taking_away.take_modules('rclpy.topic_endpoint_info', 'rclpy.qos_event')
