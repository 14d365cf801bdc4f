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

"""What happens in a demo: an operator, a neighbouring camera, an outage, and an orderly end."""

from __future__ import annotations

import argparse
import asyncio
from concurrent.futures import ThreadPoolExecutor
import time
from typing import Any

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.camera.picture import a_picture
from camera_ws_bridge.sim.demo.account import account, clicks, Outage, Told
from camera_ws_bridge.sim.demo.processes import Site
from camera_ws_bridge.sim.interface.client import Operator
from camera_ws_bridge.sim.orchestrator.journal import received

CAMERA_ID = 'demo'
NEIGHBOUR_ID = 'neighbour'


class Story:
    """One run; arguments are those of the command line."""

    def __init__(self, site: Site, arguments: argparse.Namespace) -> None:
        self._site = site
        self._arguments = arguments
        self._told = Told()
        self._outages: list[Outage] = []

    def play(self) -> None:
        """Start everything, and let operator and outage happen."""
        site, arguments = self._site, self._arguments
        site.run_orchestrator(arguments.port)
        print(f"operator's page: {site.page_url}", flush=True)
        site.run('bridge', '--ros-args', '--log-level', 'error',
                 '-p', f'orchestrator_url:={site.url}', '-p', f'camera_id:={CAMERA_ID}')
        site.wait_for('the bridge is registered', lambda: site.observer.registered)
        site.run('camera', '--rate', str(arguments.rate or 30.0), '--boxes', str(
                     20 if arguments.boxes is None else arguments.boxes),
                 '--report', str(site.report))
        site.wait_for('the camera publishes', lambda: site.observer.status.boxes_accepted > 0)
        if site.stopping():
            return
        duration = arguments.duration
        away = min(arguments.outage, duration / 3)
        began = time.monotonic()
        self._operate()
        site.spin(began + (duration - away) / 2 - time.monotonic())
        if not site.stopping():
            self._fail(away)
        site.spin(began + duration - time.monotonic())

    def _operate(self) -> None:
        """Be the operator and the neighbouring camera."""
        with ThreadPoolExecutor(1) as thread:
            work = thread.submit(asyncio.run, self._click_and_find())
            self._site.wait_for('operator and neighbour have done their work', work.done)
            work.result()

    async def _click_and_find(self) -> None:
        origin = self._site.url.rpartition('/')[0]
        operator = await Operator.connect(origin + '/client')
        neighbour = await Operator.connect(origin + '/processor', uses_images=False)
        await neighbour.send({'type': 'identifier', 'id': NEIGHBOUR_ID})
        # Clicks on two boxes of the newest frame on the screen, and shows one photograph.
        frame = await operator.wait_for(lambda fields: fields['type'] == 'boundingBoxes')
        first, second = frame['boxes'][0]['boxId'], frame['boxes'][-1]['boxId']
        starts: tuple[dict[str, Any], ...] = (
            {'frame_id': frame['frameId'], 'box_id': first},
            {'image': a_picture()},
            {'frame_id': frame['frameId'], 'box_id': second, 'image': a_picture()})
        ids = []
        for start in starts:
            ids.append(await operator.start(CAMERA_ID, **start))
        # The neighbour speaks when it has heard of the object: no two maps cross on the way.
        await neighbour.wait_for(
            lambda fields: fields.get('objectId') == ids[2] and bool(fields.get('featureMap')))
        await neighbour.send(
            {'type': 'featureMap', 'objectId': ids[2], 'featureMap': [0.25] * 128})
        self._told.updates += 1
        await operator.stop(ids[0])
        await operator.close()
        await neighbour.close()

    def _fail(self, seconds: float) -> None:
        """Kill the orchestrator, and start it again on the same port."""
        site = self._site
        port = int(site.url.rpartition(':')[2].partition('/')[0])
        print(f'       the orchestrator is killed for {seconds:g} s', flush=True)
        outage = Outage(time.time())
        reconnects = site.observer.status.reconnects
        site.kill('orchestrator')
        starts, stops = clicks(received(site.journal))
        self._told.forgotten = starts - stops
        site.spin(seconds)
        site.run_orchestrator(port)
        outage.ended = time.time()
        print('       the orchestrator is back', flush=True)
        site.wait_for('the bridge is registered again', lambda: (
            site.observer.registered and site.observer.status.reconnects > reconnects))
        outage.registered = time.time()
        self._outages.append(outage)

    def settle(self) -> bool:
        """
        Let camera, bridge and orchestrator end in this order; return whether all was well.

        Prints the account.
        """
        site = self._site
        site.stopping = lambda: False
        site.spin(1.0)  # for commands that are under way to the camera
        camera_code = site.end('camera')
        site.wait_for('the buffer is empty', lambda: (
            site.observer.registered and site.observer.status.boxes_queued == 0))
        # The last status is at most a second old.
        site.spin(1.2)
        bridge_code = site.end('bridge')
        site.end('orchestrator')
        # Somebody may have clicked on the page as well.
        self._told.starts, self._told.stops = clicks(received(site.journal))
        complete = account(
            strict_json.loads(site.report.read_text()), received(site.journal, CAMERA_ID),
            site.observer.status, self._told, self._outages)
        return complete and camera_code == bridge_code == 0
