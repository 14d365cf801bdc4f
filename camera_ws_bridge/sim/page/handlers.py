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

"""The operator's page over HTTP: its files, and by a WebSocket what /client does not tell."""

from __future__ import annotations

from collections.abc import Callable
import html
import importlib.resources
import mimetypes
import time
from typing import Any

from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.sim.page.guard import Guard
from camera_ws_bridge.sim.page.pictures import Pictures, policy
from tornado import ioloop, web, websocket

PERIOD = 0.25  # seconds from a look at the state to the next
HEADERS = {
    'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer', 'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-cache',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()'}
TYPES = {'.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'}


class Page:
    """What all handlers of the page share."""

    def __init__(self, state: Callable[[float], dict[str, Any]], guard: Guard) -> None:
        """Set up; state: returns what is shown besides the pictures, given the time."""
        self.guard = guard
        self.pictures = Pictures()
        self.files = {path.name: path.read_bytes() for path in (
            importlib.resources.files(__package__) / 'static').iterdir() if path.is_file()}
        self.viewers: set[State] = set()
        self._state = state
        self._timer = ioloop.PeriodicCallback(self.tell, 1000.0 * PERIOD)

    def routes(self) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
        """Return the handlers, for an application."""
        mine = {'page': self}
        return [('/', Index, mine), ('/page/state', State, mine), ('/page/(.+)', File, mine)]

    def start(self) -> None:
        """Begin to tell the viewers what is news."""
        self._timer.start()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._timer.stop()
        for viewer in list(self.viewers):
            viewer.close()

    def tell(self) -> None:
        """Tell all viewers how things are, if there are any."""
        if not self.viewers:
            return
        # How things are, not what is news: a viewer may leave out what it has no time for.
        text = strict_json.dumps({**self._state(time.time()), 'pictures': {
            camera: {'url': picture.url, 'kind': picture.kind, 'origin': picture.origin}
            for camera, picture in self.pictures.of.items()}})
        for viewer in self.viewers:
            viewer.tell(text)


class Shown(web.RequestHandler):
    """Something that a browser gets, with the headers that all of it has."""

    def initialize(self, page: Page) -> None:
        self.page = page

    def prepare(self) -> None:
        refusal = self.page.guard.refusal_of_host(self.request.host)
        if refusal is not None:
            self.set_status(403)
            self.set_header('Content-Type', 'text/plain; charset=utf-8')
            self.finish(f'{refusal}\n')

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header('Content-Security-Policy', "default-src 'none'")
        self.clear_header('Server')


class Index(Shown):
    """The page's HTML."""

    def get(self) -> None:
        origins = self.page.pictures.origins()
        self.set_header('Content-Type', 'text/html; charset=utf-8')
        self.set_header('Content-Security-Policy', policy(
            self.request.host, self.request.protocol == 'https', origins))
        text = self.page.files['index.html'].decode()
        # By which the page sees that it needs another policy: then it loads itself anew.
        self.write(text.replace('{{origins}}', html.escape(' '.join(origins))))


class File(Shown):
    """A file of the page."""

    def get(self, name: str) -> None:
        if name not in self.page.files:
            raise web.HTTPError(404)
        ending = name[name.rfind('.'):]
        kind = TYPES.get(ending) or mimetypes.guess_type(name)[0] or 'application/octet-stream'
        self.set_header('Content-Type', f'{kind}; charset=utf-8')
        self.write(self.page.files[name])


class State(websocket.WebSocketHandler):
    """Tells a page all that it shows besides the boxes, again and again; takes nothing."""

    def initialize(self, page: Page) -> None:
        self.page = page

    def check_origin(self, origin: str) -> bool:
        return self.page.guard.refusal(
            self.request.host, origin, self.request.protocol) is None

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: A003 - tornado's name
        self.page.viewers.add(self)
        self.page.tell()

    def on_message(self, message: str | bytes) -> None:
        pass

    def on_close(self) -> None:
        self.page.viewers.discard(self)

    def tell(self, text: str) -> None:
        """Send a text, unless this viewer is gone or has not read what it was sent before."""
        connection = self.ws_connection
        stream = None if connection is None else connection.stream
        if stream is None or stream.closed() or stream.writing():
            return
        # That the connection breaks meanwhile is seen elsewhere; asyncio shall not complain of it.
        self.write_message(text).add_done_callback(
            lambda written: written.cancelled() or written.exception())
