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

"""A process of many cameras, and what is around it."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import pathlib
from typing import Any

from rigs import process_rig as rigs
import yaml


class Site:
    """An orchestrator, and the bridges of a list of cameras in one process."""

    def __init__(
            self, domain: int, folder: pathlib.Path, orchestrator: rigs.Orchestrator,
            cameras: list[dict[str, Any]], parameters: dict[str, Any],
            environment: dict[str, str] | None) -> None:
        self.orchestrator = orchestrator
        self.domain = domain
        self._probes: dict[str, rigs.Probe] = {}
        path = folder / 'cameras.yaml'
        path.write_text(yaml.safe_dump({'cameras': cameras}))
        self.process = rigs.Process(
            domain, folder / 'multi.log', command=('multi_bridge', str(path)),
            environment=environment, **{
                'orchestrator_url': orchestrator.sim.url, **rigs.FAST, **parameters})

    def probe(self, namespace: str) -> rigs.Probe:
        """Return the detector and re-ID node of a camera."""
        if namespace not in self._probes:
            self._probes[namespace] = rigs.Probe(self.domain, namespace=namespace)
        return self._probes[namespace]

    def frames_of(self, camera_id: str) -> list[float]:
        """Return the ids of frames that the orchestrator got over this camera's connections."""
        return [message['frameId'] for message in self.orchestrator.messages('boundingBoxes')
                if message['boxes'] and message['boxes'][0]['objectType'] == camera_id]

    def close(self) -> None:
        """End what is left."""
        self.process.kill()
        for probe in self._probes.values():
            probe.close()


@contextlib.contextmanager
def site(
        folder: pathlib.Path, cameras: list[dict[str, Any]],
        orchestrator: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None, **parameters: Any) -> Iterator[Site]:
    """Run multi_bridge; fails with what it has said."""
    with rigs.serving(**(orchestrator or {})) as stand_in, rigs.own_domain() as domain:
        found = Site(domain, folder, stand_in, cameras, parameters, environment)
        try:
            yield found
            assert environment or 'Traceback' not in found.process.log
        except BaseException:
            print(found.process.log)
            raise
        finally:
            found.close()


def publish(probe: rigs.Probe, camera_id: str, *frame_ids: float) -> None:
    for frame_id in frame_ids:
        probe.boxes.publish(rigs.boxes(frame_id, rigs.box(object_type=camera_id)))
