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

"""What the simulated orchestrator answers over HTTP: as the real one, statistics, orders."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.orchestrator.state import State
from camera_ws_bridge.sim.orchestrator.timelines import Timelines
from camera_ws_bridge.sim.page.guard import Guard
from tornado import web

Fields = dict[str, Any]


class ObjectIds(web.RequestHandler):
    """The ids of all objects of this life, those that are stopped included."""

    def initialize(self, state: State) -> None:
        self.state = state

    def get(self) -> None:
        self.set_header('Access-Control-Allow-Origin', '*')
        self.write(json.dumps({'data': [*range(1, self.state.last_object + 1)]}))


class Sightings(web.RequestHandler):
    """Who has seen an object, when."""

    def initialize(self, timelines: Timelines) -> None:
        self.timelines = timelines

    def get(self) -> None:
        found = self.timelines.of(self.get_argument('objectId'))
        if found is None:
            raise web.HTTPError(400)
        self.set_header('Access-Control-Allow-Origin', '*')
        self.write(json.dumps({'data': found}))


class Stats(web.RequestHandler):
    """What is counted, as JSON."""

    def initialize(self, stats: Callable[[], Fields]) -> None:
        self.stats = stats

    def get(self) -> None:
        self.set_header('Content-Type', 'application/json')
        self.write(strict_json.dumps(self.stats()))


class Control(Stats):
    """Takes orders, as JSON objects; `obey` raises ValueError or TypeError for a bad one."""

    def initialize(  # type: ignore[override]
            self, stats: Callable[[], Fields], obey: Callable[[Fields], None],
            guard: Guard) -> None:
        self.stats = stats
        self.obey = obey
        self.guard = guard

    def post(self) -> None:
        refusal = self.guard.refusal(
            self.request.host, self.request.headers.get('Origin'), self.request.protocol)
        if refusal is not None:
            self._refuse(403, refusal)
            return
        try:
            self.obey(strict_json.loads(self.request.body))
        except (DecodeError, ValueError, TypeError) as error:
            self._refuse(400, str(error))
            return
        self.get()

    def _refuse(self, status: int, why: str) -> None:
        self.set_status(status)
        self.write(strict_json.dumps({'error': why}))
