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

"""A stand-in for the executor with which a loop takes turns."""

import asyncio
import queue

WAIT = 30.0  # seconds; only a failing test ever waits so long


class Executor:
    """Runs what is put into its queue, one at a time, as ROS's executors do."""

    def __init__(self):
        self.queue = queue.Queue()
        self.spins = 0
        self.timeouts = []

    def create_task(self, callback):
        self.queue.put(callback)

    def spin_once(self, timeout_sec):
        self.spins += 1
        self.timeouts.append(timeout_sec)
        try:
            callback = self.queue.get(timeout=max(timeout_sec, 1e-9))
        except queue.Empty:
            return
        callback()


def fail():
    raise AssertionError('an error of a callback')


def spin(shared, executor, job, on_error=fail):
    """Spin until the coroutine is done; return its result."""
    task = shared.loop.create_task(asyncio.wait_for(job, WAIT))
    shared.spin(executor, task.done, on_error)
    return task.result()
