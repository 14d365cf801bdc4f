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

"""
Through lives, outages and restarts: no feature map of one life of the orchestrator enters another.

A model orchestrator that does as docs/protocol.md says, the bridge but for its link, the spool's
file, and a re-ID node that lags behind as it likes. Every feature map and every box is another
one, so it is known of which life what arrives is; and whatever is accepted is acknowledged,
dropped by a cause, or still there.
"""

import itertools
import os
import shutil
import tempfile

from camera_ws_bridge.bridge import CURRENT
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes, flat_box, NOT_TRACKED
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, RuleBasedStateMachine
from rigs.lives_rig import Orchestrator, PONG, Process

IN_MEMORY = '/dev/shm' if os.path.isdir('/dev/shm') else None  # what is synced takes no time there
COUNT = st.sampled_from([1, 2, 99, 99, 99])
MOSTLY = st.sampled_from([True, True, True, False])


class Lives(RuleBasedStateMachine):
    """All of them together, and beside it what is true."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp(dir=IN_MEMORY)
        self.marks = itertools.count(1)
        self.orchestrator = Orchestrator()
        self.process = None
        self.lives = {}  # by session number
        self.truth = {}  # mark of a feature map or of a box to its life and object id
        self.heard = []  # what the re-ID node has ever known: session and object id
        self.knows = []  # of these, what it knows now
        self.told = {}  # the feature map that the orchestrator told last, by object id
        self.unjudged = []  # messages that were read and of which nothing follows yet
        self.unseen = set()  # objects that nobody has named to the camera
        self.wire = []  # items on their way to the orchestrator
        self.handled = 0  # serial of the newest that it has handled
        self.awaited = False  # the pong of a registration
        self.proved = False  # whether the registration proves that the session goes on
        self.registered = False
        self.left = False  # the connection is left, and may yet go on

    def teardown(self):
        """Leave nothing."""
        if self.process is not None:
            self.end()
        shutil.rmtree(self.folder)

    @initialize(spool=st.booleans())
    def begin(self, spool):
        """Begin with a bridge that was never connected."""
        self.path = os.path.join(self.folder, 'of one', 'spool') if spool else ''
        self.process = Process(self.path)

    # ---- the orchestrator, and who else is there

    @rule(here=MOSTLY, at_once=MOSTLY)
    def start(self, here, at_once):
        """Click on an object; the re-ID node may hear of it at once."""
        self.orchestrator.start(here)
        if not here:
            self.unseen.add(max(self.orchestrator.tracked))
        elif self.registered and at_once:
            self.read(99)
            self.hear(99)

    @precondition(lambda self: self.orchestrator.tracked)
    @rule(data=st.data())
    def stop(self, data):
        """Click on it again."""
        self.orchestrator.stop(data.draw(st.sampled_from(sorted(self.orchestrator.tracked))))

    @precondition(lambda self: self.orchestrator.tracked)
    @rule(data=st.data())
    def another_camera_extracts(self, data):
        """Have a feature map from a camera that does not lag behind."""
        object_id = data.draw(st.sampled_from(sorted(self.orchestrator.tracked)))
        self.orchestrator.take(Update(object_id, (float(next(self.marks)), 0.5)))

    @rule(objects=st.integers(0, 3))
    def restart_the_orchestrator(self, objects):
        """Let it die; others may be back, and track objects, before this camera is."""
        self.lose()
        self.orchestrator = Orchestrator()
        self.unseen = set()
        for _ in range(objects):
            self.start(False, False)

    # ---- the link

    @property
    def connected(self):
        """Tell whether there is a connection."""
        return self.orchestrator.said is not None

    @precondition(lambda self: not self.connected)
    @rule(at_once=MOSTLY)
    def connect(self, at_once):
        """Connect and send `identifier`; the pong may come at once."""
        self.orchestrator.said = []
        self.identify(anew=True)
        if at_once:
            self.answer_the_ping()
            self.read(99)

    @precondition(lambda self: self.registered and not self.awaited)
    @rule()
    def identify_again(self):
        """Do so on a connection that goes on."""
        self.identify(anew=False)

    def identify(self, anew):
        self.awaited = True
        self.proved = not anew or any(
            feature_map and self.told.get(object_id) == feature_map
            for object_id, feature_map in self.orchestrator.tracked.items())
        self.unseen = set()
        self.process.bridge.inbound.begin_registration(anew)
        self.orchestrator.identify()

    @precondition(lambda self: self.awaited and PONG not in self.orchestrator.said)
    @rule()
    def answer_the_ping(self):
        """Send the pong, which may come some time after the replay."""
        self.orchestrator.say(PONG)

    @precondition(lambda self: self.connected and self.orchestrator.said)
    @rule(count=COUNT)
    def read(self, count):
        """Read some of what the orchestrator says."""
        for _ in range(min(count, len(self.orchestrator.said))):
            message = self.orchestrator.said.pop(0)
            if message is PONG:
                self.read_pong()
                continue
            self.process.bridge.inbound.handle(codec.encode(message), 0.0)
            self.unjudged.append(message)
            if self.registered or self.left:
                self.learn()
        self.listen()

    def read_pong(self):
        number, dropped = self.session.number, self.outbox.dropped.copy()
        self.process.bridge.inbound.end_registration()
        if self.proved:
            assert (self.session.number, self.outbox.dropped) == (number, dropped)
        self.registered, self.awaited = True, False
        self.learn()
        if not self.orchestrator.said:
            assert {*self.session.tracked} == {*self.orchestrator.tracked} - self.unseen

    def learn(self):
        for message in self.unjudged:
            if isinstance(message, Stop):
                self.told.pop(message.object_id, None)
            elif isinstance(message, Update):
                self.told[message.object_id] = message.feature_map
                self.unseen.discard(message.object_id)
        self.unjudged = []

    @precondition(lambda self: self.registered)
    @rule()
    def leave(self):
        """Leave a connection that is silent; it stays open."""
        self.process.bridge.inbound.end_connection()
        self.outbox.restore()
        self.listen()
        self.registered = self.awaited = False
        self.orchestrator.said = [each for each in self.orchestrator.said if each is not PONG]
        self.left, self.handled = True, 0
        # What is on its way may arrive, but its pong says nothing any more.
        self.wire = [(0, payload) for _, payload in self.wire]

    @precondition(lambda self: self.left)
    @rule(at_once=MOSTLY)
    def go_on(self, at_once):
        """Have it answer again."""
        self.left = False
        self.identify(anew=False)
        if at_once:
            self.answer_the_ping()
            self.read(99)

    @precondition(lambda self: self.registered or self.left)
    @rule(count=COUNT, acknowledged=st.booleans())
    def flush(self, count, acknowledged):
        """Write what may be written; some of it arrives, and the pong behind that may be back."""
        if self.registered:
            self.wire += [(item.serial, item.payload) for item in self.outbox.take(0.0)]
        for serial, payload in self.wire[:count]:
            del self.wire[0]
            self.handled = serial or self.handled
            message = codec.decode(payload)
            if isinstance(message, Update):
                self.check(message.feature_map[0], message.object_id)
                self.orchestrator.take(message)
                continue
            for *_, certainty, object_id in message.boxes:
                if object_id != NOT_TRACKED:
                    self.check(certainty, object_id)
        if acknowledged and self.registered:
            self.outbox.acknowledge(self.handled)

    def check(self, mark, object_id):
        assert self.truth[mark] == (self.orchestrator, object_id), 'it is of another life'

    @precondition(lambda self: self.connected)
    @rule()
    def lose(self):
        """Lose the connection, and all that is on its way."""
        if self.connected:
            self.orchestrator.said = None
            if not self.left:
                self.process.bridge.inbound.end_connection()
                self.outbox.restore()
            self.listen()
        if any(isinstance(message, Start) for message in self.unjudged):
            self.learn()
        self.unjudged, self.wire, self.handled = [], [], 0
        self.registered = self.awaited = self.left = False

    # ---- the bridge

    @property
    def session(self):
        return self.process.bridge.session

    @property
    def outbox(self):
        return self.process.bridge.outbox

    def listen(self):
        """Note of which life the new commands are; they are on their way to the re-ID node."""
        self.process.settle()
        for command in self.process.commands[self.process.noted:]:
            concluded = isinstance(command.message, Stop) and command.reconciled
            life = self.lives.setdefault(command.session, self.orchestrator)
            assert concluded or life is self.orchestrator, 'a session is of one life'
        self.process.noted = len(self.process.commands)

    @rule(orderly=st.booleans())
    def restart_the_bridge(self, orderly):
        """Restart the process; what its spool has not written is lost at a kill."""
        self.lose()
        if self.process.spool is not None and orderly:
            self.process.spool.commit()
        else:
            self.told = {}
        self.end()
        self.knows = []
        number = self.session.number
        self.process = Process(self.path)
        if self.path and orderly:
            assert (self.session.number, self.outbox.dropped) == (number, {})

    def end(self):
        if self.process.spool is not None:
            self.process.spool.file.close()

    @precondition(lambda self: self.process.spool is not None)
    @rule()
    def commit(self):
        """Let the spool's thread write."""
        self.process.spool.commit()

    # ---- the re-ID node

    @precondition(lambda self: self.process.commands)
    @rule(count=COUNT)
    def hear(self, count):
        """Take some of the commands."""
        for command in self.process.commands[:count]:
            found = command.session, command.message.object_id
            if isinstance(command.message, Stop):
                self.knows = [known for known in self.knows if known != found]
            else:
                self.knows.append(found)
                self.heard.append(found)
        del self.process.commands[:count]
        self.process.noted = len(self.process.commands)

    @precondition(lambda self: self.knows and not self.process.commands)
    @rule(data=st.data(), boxes=st.booleans())
    def publish(self, data, boxes):
        """Publish something of an object without saying of which session; it is up to date."""
        self.submit(CURRENT, *data.draw(st.sampled_from(self.knows)), boxes)

    @precondition(lambda self: self.heard)
    @rule(data=st.data(), boxes=st.booleans())
    def publish_late(self, data, boxes):
        """Publish something of an object that was heard of at any time before."""
        session, object_id = data.draw(st.sampled_from(self.heard))
        self.submit(session, session, object_id, boxes)

    def submit(self, said, session, object_id, boxes):
        mark = float(next(self.marks))
        self.truth[mark] = self.lives[session], object_id
        if boxes:
            message = Boxes(
                mark, (flat_box(1, (0.0, 0.0, 1.0, 1.0), 'dog', mark, object_id),))
            self.process.bridge.submit_boxes(
                mark, (0, 0), codec.encode_utf8(message), said)
        else:
            message = Update(object_id, (mark,))
            rejected = self.process.bridge.rejected.total()
            self.process.bridge.submit_update(message, codec.encode_utf8(message), said)
            if session != self.session.number:
                assert self.process.bridge.rejected.total() == rejected + 1
        self.process.settle()

    @invariant()
    def every_message_is_accounted_for(self):
        """Check that accepted = acknowledged + dropped + queued + in flight."""
        if self.process is not None:
            outbox = self.outbox
            assert outbox.boxes.accepted + outbox.updates.accepted == (
                outbox.acknowledged + outbox.dropped.total() + len(outbox))


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow])
