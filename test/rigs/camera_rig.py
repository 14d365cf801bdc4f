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

"""The simulated camera as a process, and the bridge's topics in the hands of the test."""

import contextlib
import os
import pathlib
import signal
import subprocess

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.ros import qos
from camera_ws_bridge_msgs.msg import Boxes, Start, Stop, Update
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rigs import process_rig as rigs
from rigs.installed import executable
from rigs.shared import wait_until


class Bridge:
    """The bridge's topics in the hands of the test."""

    def __init__(self, domain, name='camera_ws_bridge', namespace='', boxes='boxes',
                 feature_map='feature_map'):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node(name, namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.frames = []
        self.feature_maps = []
        self.commands = {
            kind: self.node.create_publisher(kind, f'~/{topic}', qos.commands(100))
            for kind, topic in ((Start, 'start'), (Stop, 'stop'), (Update, 'update'))}
        self.node.create_subscription(
            Update, feature_map, self.feature_maps.append, qos.FEATURE_MAP)
        # Last, for the camera publishes as soon as it sees this one.
        self.node.create_subscription(Boxes, boxes, self.frames.append, qos.BOXES)

    def spin(self):
        self.executor.spin_once(timeout_sec=0.05)

    def tell(self, command):
        self.commands[type(command)].publish(command)

    def ids(self, frame=-1):
        """Return the object ids of a frame's boxes; of the newest frame if not told."""
        return [box.object_id for box in self.frames[frame].boxes] if self.frames else []

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


class Camera:
    """The executable, and the bridge that it talks to."""

    def __init__(self, domain, folder, arguments, **bridge):
        self.domain = domain
        self.folder = folder
        self.bridge = Bridge(domain, **bridge)
        self._log = folder / 'camera.log'
        self._report = folder / 'report.json'
        self.process = subprocess.Popen(
            [executable('camera_sim'), '--report', str(self._report), *arguments],
            stdout=self._log.open('w'), stderr=subprocess.STDOUT, env={
                **os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1',
                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})

    @property
    def log(self):
        return self._log.read_text()

    def wait(self, condition, what='the condition holds'):
        """Let ROS work until the condition holds, and fail at once if the camera has ended."""
        def spin():
            assert self.process.poll() is None, f'the camera has ended:\n{self.log}'
            self.bridge.spin()
        wait_until(condition, what, spin)

    def wait_until_connected(self):
        """Wait until frames come, and commands arrive."""
        self.wait(lambda: self.bridge.frames, 'frames come')
        self.wait(lambda: all(publisher.get_subscription_count()
                              for publisher in self.bridge.commands.values()),
                  'commands are subscribed')

    def end(self, number=signal.SIGINT):
        """Interrupt it; return its exit code. ROS works meanwhile, for it waits for that."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Return the exit code of a camera that ends by itself."""
        wait_until(lambda: self.process.poll() is not None, 'it ends', self.bridge.spin)
        return self.process.returncode

    def report(self):
        return strict_json.loads(self._report.read_text())


@contextlib.contextmanager
def running(folder: pathlib.Path, *arguments, **bridge):
    with rigs.own_domain() as domain:
        camera = Camera(domain, folder, arguments, **bridge)
        try:
            yield camera
        except BaseException:
            print(camera.log)
            raise
        finally:
            camera.process.kill()
            camera.process.wait()
            camera.bridge.close()
