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

"""Frames of the orchestrator on their way into the session, and what is rejected."""

from camera_ws_bridge.link.inbound import BURST_SECONDS, Inbound
from camera_ws_bridge.log.throttled_log import ThrottledLog
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.messages import Stop
from camera_ws_bridge.tracking.tracked_objects import Session
import pytest

STOP = '{"type": "stop", "objectId": 7}'
UPDATE = '{"type": "featureMap", "objectId": 7, "featureMap": [0.5]}'


class Rig:
    """An Inbound, and what comes out of it."""

    def __init__(self, rate=10.0):
        self.commands = []
        self.warnings = []
        self.session = Session(True)
        self.inbound = Inbound(
            self.session, rate, codec.DEFAULT_LIMITS,
            ThrottledLog(self, 'gate', lambda: 0.0), self.commands.append)

    def warning(self, text):
        self.warnings.append(text)


def test_a_message_becomes_a_command():
    rig = Rig()
    rig.inbound.handle(STOP, 0.0)
    assert [command.message for command in rig.commands] == [Stop(7)]
    assert not rig.inbound.rejected and not rig.warnings


@pytest.mark.parametrize('frame, cause', [
    (b'\x00', 'binary'), ('{', 'malformed'), ('{"type": "dance"}', 'unknown_type')])
def test_what_is_no_message_is_counted_by_cause_and_logged(frame, cause):
    rig = Rig()
    rig.inbound.handle(frame, 0.0)
    assert rig.inbound.rejected == {cause: 1} and not rig.commands
    assert 'gate: message from the orchestrator ignored' in rig.warnings[0]


def test_more_than_a_burst_is_cut_and_another_rate_counts_at_once():
    rig = Rig(rate=1.0)
    for _ in range(int(BURST_SECONDS) + 5):
        rig.inbound.handle(STOP, 0.0)
    assert rig.inbound.rejected == {'rate': 5}
    rig.inbound.limit_rate(100.0)
    rig.inbound.handle(STOP, 0.1)
    assert rig.inbound.rejected == {'rate': 5}


def test_a_token_that_comes_back_is_not_logged():
    rig = Rig()
    rig.inbound.shown_token = 'a-secret-token'
    rig.inbound.handle('{"type": "a-secret-token"}', 0.0)
    assert rig.warnings and 'secret' not in rig.warnings[0]


def test_what_a_registration_does_not_name_is_stopped():
    rig = Rig()
    rig.inbound.handle(UPDATE, 0.0)
    rig.inbound.begin_registration()
    rig.inbound.end_registration()
    assert isinstance(rig.commands[-1].message, Stop)


def test_a_rejected_message_may_have_been_the_one_that_names_an_object():
    rig = Rig()
    rig.inbound.handle(UPDATE, 0.0)
    rig.inbound.begin_registration()
    rig.inbound.handle('{', 0.0)
    rig.inbound.end_registration()
    assert not any(isinstance(command.message, Stop) for command in rig.commands)


def test_limits_hold_for_what_comes_next():
    rig = Rig()
    image = '"' + 'A' * 4000 + '"'
    rig.inbound.limits = codec.Limits(image_bytes=1000, image_pixels=1000)
    rig.inbound.handle(f'{{"type": "start", "objectId": 1, "image": {image}}}', 0.0)
    assert rig.inbound.rejected.total() == 1
