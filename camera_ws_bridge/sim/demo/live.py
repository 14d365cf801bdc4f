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

"""The live show: two streets, with camera, bridge and re-ID node each; you are the operator."""

from __future__ import annotations

import argparse
import http.client
import time
import urllib.parse

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.demo.processes import Site

CAMERAS = ('entrance', 'yard')
PATIENCE = 120.0  # seconds: seven processes start, perhaps on a busy machine
PERIOD = 0.5  # seconds from a look to the next


class Live:
    """One show; arguments are those of the command line."""

    def __init__(self, site: Site, arguments: argparse.Namespace) -> None:
        self._site = site
        self._rate = arguments.rate or 15.0
        self._people = 6 if arguments.boxes is None else arguments.boxes
        self._port = arguments.port
        site.shows_progress = False

    def play(self) -> None:
        """Start everything, and let it run until a signal comes."""
        site = self._site
        site.run_orchestrator(self._port, record=False)
        print(f"operator's page: {site.page_url}", flush=True)
        for number, camera in enumerate(CAMERAS):
            if not site.stopping():
                self._open(camera, number)
        seen = time.monotonic()

        def ready() -> bool:
            nonlocal seen
            if site.stopping():
                return True
            if time.monotonic() < seen + PERIOD:
                return False
            seen = time.monotonic()
            return self._ask('GET', '/stats')['registered'] == sorted(CAMERAS)

        site.wait_for('both cameras are registered', ready, PATIENCE)
        if not site.stopping():
            print(f'Both cameras are there. Open {site.page_url} and click on somebody: the re-ID '
                  'node\nof the other camera looks for the same person. Ctrl-C ends it.',
                  flush=True)
        while not site.stopping():
            site.spin(60.0)
        site.end_all()

    def _open(self, camera: str, number: int) -> None:
        """Start what belongs to one camera."""
        site = self._site
        namespace = f'__ns:=/{camera}'
        site.run('bridge', '--ros-args', '--log-level', 'error', '-r', namespace,
                 '-p', f'orchestrator_url:={site.url}', '-p', f'camera_id:={camera}',
                 of=f' of {camera}')
        site.run('reid_node', '--ros-args', '-r', namespace, of=f' of {camera}')
        site.run('camera', '--pictures', '--detector', '--rate', str(self._rate),
                 '--boxes', str(self._people), '--seed', str(number + 1),
                 '--ros-args', '-r', namespace, '-r', 'boxes:=detections',
                 of=f' of {camera}', read=True)
        url = site.line_of(f'camera of {camera}', 'pictures: ')
        self._ask('POST', '/control', {'do': 'picture', 'camera': camera, 'url': url})

    def _ask(
            self, method: str, path: str,
            fields: dict[str, str] | None = None) -> dict[str, object]:
        """Ask the orchestrator something over HTTP."""
        where = urllib.parse.urlsplit(self._site.page_url)
        assert where.hostname is not None
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if fields is None else strict_json.dumps(fields))
            return strict_json.loads(connection.getresponse().read())
        finally:
            connection.close()
