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

"""A model orchestrator, a spool as slow as a test likes, and the bridge but for its link."""

import itertools

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.buffer.outbox import Item, Policy
from camera_ws_bridge.buffer.spool.spool import Row, Spool
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from rigs.shared import Recorder

SETTINGS = Settings(
    'gate', boxes=Policy(8, 10**6), updates=Policy(8, 10**6, newest_per_object=True),
    command_rate=1e6)
PONG = 'pong'


class Orchestrator:
    """One life of it: what it tracks, and what it says to the one camera that is connected."""

    def __init__(self):
        self.tracked = {}  # feature map by object id
        self.ids = itertools.count(1)
        self.said = None  # and not read yet; None: nobody is connected

    def say(self, *messages):
        """Send messages, if somebody is there."""
        if self.said is not None:
            self.said += messages

    def start(self, here):
        """Track a new object, which an operator sees on this camera or on another one."""
        object_id = next(self.ids)
        self.tracked[object_id] = ()
        if here:
            self.say(Start(object_id, 1.5, 0))

    def stop(self, object_id):
        """Track an object no more."""
        del self.tracked[object_id]
        self.say(Stop(object_id))

    def take(self, update):
        """Take a feature map of some camera."""
        if update.object_id in self.tracked:
            self.tracked[update.object_id] = update.feature_map
            self.say(update)

    def identify(self):
        """Replay."""
        self.say(*(Update(*each) for each in self.tracked.items()))


class SlowSpool:
    """A spool whose thread is so slow that it writes only when a test says so."""

    def __init__(self, outbox, path):
        self.is_open = True
        self.rows, self.removed, self.content = {}, [], b''
        self.file = Spool.open(path, 2**22)
        self.outbox = outbox

    def open(self, path, max_bytes):  # noqa: A003
        """Put back what is in the file."""
        rows = self.file.load()
        self.found_note = self.file.note()
        for lane in (self.outbox.updates, self.outbox.boxes):
            self.outbox.put_back(lane, [
                Item(row.id, row.payload, 0.0, row.object_id, row.session)
                for row in rows if row.lane == lane.name])
        self.outbox.next_id = rows[-1].id + 1 if rows else 1
        self.outbox.journal = self

    def added(self, lane_name, item):
        """Keep a message."""
        self.rows[item.id] = Row(
            item.id, lane_name, item.object_id, 0.0, item.payload, item.session)

    def gone(self, id_):
        """Forget a message."""
        if self.rows.pop(id_, None) is None:
            self.removed.append(id_)

    def note(self, content):
        """Keep the note."""
        self.content = content

    def commit(self):
        """Write what there is to write."""
        self.file.write([*self.rows.values()], self.removed, self.content)
        self.rows, self.removed = {}, []


class Process:
    """A bridge whose link is the test, and the loop and the node that it needs."""

    def __init__(self, path):
        self.loop = self
        self.soon = []
        self.commands = []  # on their way to the re-ID node
        self.noted = 0  # of these
        self.bridge = Bridge(SETTINGS, None, self, self, Recorder())
        self.spool = None
        if path:
            self.spool = self.bridge.spool = SlowSpool(self.bridge.outbox, path)
            self.bridge.open_spool(path, 2**22)
        self.bridge.begin()
        self.settle()

    def create_task(self, job):
        """Do nothing once a second."""
        job.close()

    def call_soon(self, job):
        """Do so when the test calls settle."""
        self.soon.append(job)

    def settle(self):
        """Let the loop turn."""
        while self.soon:
            self.soon.pop()()

    def now(self):
        """Return the ROS time."""
        return 0

    def publish(self, command, frame_stamp):
        """Take a command for the re-ID node."""
        self.commands.append(command)

    def publish_tracked(self, session):
        """Take the list; nobody needs it here."""
