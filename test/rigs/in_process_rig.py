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

"""A bridge without ROS, with what it tells noted, and an orchestrator for it."""

import asyncio
import json
import threading
import time

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.transport import websocket
from rigs.raw_peer import CLOSE, frame, PING, PONG, serving, TEXT
from rigs.shared import Recorder, WAIT

STAMP = (12, 34)


def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


async def nobody(timeout):
    await asyncio.Event().wait()


class Rig:
    """A bridge, and what it tells; by default it never gets a connection."""

    tokens = None

    def __init__(self, loop_thread, connect=nobody, boxes=Policy(100_000, 2**26), **settings):
        self.loop_thread = loop_thread
        self.logger = Recorder()
        self.published = []
        self.tracked = []  # ids, as often as they were published
        self.reports = []
        self.ends = []
        self.threads = set()
        self._connect = connect
        self.bridge = Bridge(
            Settings(
                'front-door', reconnect_delay_min=0.01, reconnect_delay_max=0.1, boxes=boxes,
                updates=Policy(1000, 2**20), **settings),
            self, self, loop_thread, self.logger)

    def do(self, call, *arguments):
        """Call in the loop's thread; return what that returns."""
        async def job():
            return call(*arguments)
        return self.loop_thread.submit(job()).result(WAIT)

    def start(self):
        self.do(self.bridge.begin)
        self.do(self.bridge.connect)

    @property
    def tasks(self):
        return [self.bridge._reporting, self.bridge._linking]

    # ---- the orchestrator's side

    async def connect(self, settings, timeout):
        return await self._connect(timeout)

    def watch_network(self, loop, listener):
        return lambda: None

    # ---- the node's side

    def now(self):
        return time.time_ns()

    def publish(self, command, frame_stamp):
        self._note(self.published, (command, frame_stamp))

    def publish_tracked(self, session):
        self._note(self.tracked, set(session.tracked))

    def report(self, state_changed):
        self._note(self.reports, state_changed)

    def link_ended(self, fault):
        self._note(self.ends, fault)

    def _note(self, notes, value):
        self.threads.add(threading.current_thread().name)
        notes.append(value)

    def submit(self, frame_id, payload=None):
        payload = payload or codec.encode_utf8(Boxes(frame_id))
        self.do(self.bridge.submit_boxes, frame_id, STAMP, payload)

    def submit_update(self, object_id, *numbers):
        update = Update(object_id, numbers)
        self.do(self.bridge.submit_update, update, codec.encode_utf8(update))

    def settle(self):
        """Wait until the loop has had its turn."""
        self.do(lambda: None)

    def queued(self):
        self.settle()
        return [json.loads(item.payload)['frameId'] for item in self.bridge.outbox.boxes.queued]


class Orchestrator:
    """Answers pings, notes text messages; can stop reading. Runs in the bridge's loop."""

    def __init__(self, loop_thread):
        self._loop_thread = loop_thread
        self._context = serving(self._behave)
        self.texts = []
        self.closes = []
        self.reading = True
        self.peer = None
        self.server = loop_thread.submit(self._context.__aenter__()).result(WAIT)

    async def _behave(self, peer):
        await peer.upgrade()
        self.peer = peer
        while self.reading:
            opcode, payload = await peer.read_frame()
            if opcode == TEXT:
                self.texts.append(json.loads(payload))
            elif opcode == PING:
                await peer.send(frame(PONG, payload))
            elif opcode == CLOSE:
                self.closes.append(int.from_bytes(payload[:2], 'big'))
                await peer.send(frame(CLOSE, payload))
                peer.writer.close()
                return

    async def connect(self, timeout):
        return await websocket.connect(self.server.url, websocket.Options(), None, timeout)

    def say(self, message):
        async def send():
            await self.peer.send(frame(TEXT, codec.encode_utf8(message)))
        self._loop_thread.submit(send()).result(WAIT)

    def frames(self):
        return [text['frameId'] for text in self.texts if text['type'] == 'boundingBoxes']

    def stop(self):
        self._loop_thread.submit(self._context.__aexit__(None, None, None)).result(WAIT)
