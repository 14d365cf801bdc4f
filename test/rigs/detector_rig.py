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

"""A detector that speaks another type than Boxes on one side, the orchestrator on the other."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import itertools
import pathlib
from typing import Any

from camera_ws_bridge_msgs.msg import Status
from rclpy.qos import qos_profile_sensor_data
from rigs import process_rig as rigs
from sensor_msgs.msg import CameraInfo


class Detector(rigs.Probe):
    """A probe whose boxes are detections; camera_info is its driver's."""

    def __init__(self, domain: int, message_type: type) -> None:
        super().__init__(domain)
        self.node.destroy_publisher(self.boxes)
        self.boxes = self.node.create_publisher(
            message_type, 'detections', qos_profile_sensor_data)
        self.camera_info = self.node.create_publisher(
            CameraInfo, 'camera_info', qos_profile_sensor_data)

    def count(self, counts: Any) -> dict[str, int]:
        """Return the counts of a status by cause."""
        return {count.cause: count.count for count in counts}


class Rig:
    """The bridge between a detector and the orchestrator, registered."""

    def __init__(
            self, domain: int, folder: pathlib.Path, orchestrator: rigs.Orchestrator,
            detector: Detector, environment: dict[str, str], parameters: dict[str, Any]) -> None:
        self.domain = domain
        self.orchestrator = orchestrator
        self.probe = detector
        self.process = rigs.Process(
            domain, folder / 'bridge.log', '-r', 'boxes:=detections', environment=environment,
            orchestrator_url=self.orchestrator.sim.url, camera_id=rigs.CAMERA_ID, **rigs.FAST,
            **parameters)
        self._probes = itertools.count(1)
        self.probe.wait_for_status(
            lambda status: status.state in (Status.REGISTERED, Status.STABLE))

    def connect(self) -> None:
        """Wait until detections arrive at the bridge, whatever it thinks of them."""
        def arrives() -> bool:
            seen = self._seen()
            message = self.probe.boxes.msg_type()
            message.header.stamp.nanosec = next(self._probes)
            self.probe.boxes.publish(message)
            self.probe.executor.spin_once(timeout_sec=0.2)
            return self._seen() > seen
        self.probe.wait(arrives, 'detections arrive')

    def _seen(self) -> int:
        status = self.probe.status
        return int(status.boxes_accepted + sum(
            self.probe.count(status.rejected_outbound).values()))

    def frame(self, frame_id: float) -> dict[str, Any]:
        """Wait for a frame at the orchestrator and return it."""
        def found() -> list[dict[str, Any]]:
            return [message for message in self.orchestrator.messages('boundingBoxes')
                    if message['frameId'] == frame_id]
        self.probe.wait(found, f'frame {frame_id} arrives')
        return found()[0]


@contextlib.contextmanager
def running(
        folder: pathlib.Path, message_type: type, *, environment: dict[str, str] | None = None,
        **parameters: Any) -> Iterator[Rig]:
    """Run bridge and orchestrator for a detector of that message type."""
    with rigs.serving() as orchestrator, rigs.own_domain() as domain:
        rig = Rig(domain, folder, orchestrator, Detector(domain, message_type),
                  environment or {}, parameters)
        yield rig
        assert rig.process.end() == 0, rig.process.log
        rig.probe.close()
