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
from camera_ws_bridge.protocol.start import IMAGE_PREFIX, Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import LONGEST, Update
from camera_ws_bridge.tracking.tracked_objects import Session
import pytest
from rigs.texts import UNEXPECTED
from rigs.toy_message import Zoom

STOP = '{"type": "stop", "objectId": 7}'
UPDATE = '{"type": "featureMap", "objectId": 7, "featureMap": [0.5]}'


class Rig:
    """An Inbound, and what comes out of it."""

    def __init__(self, rate=10.0):
        self.commands = []
        self.warnings = []
        self.session = Session(True)
        take_in = self.session.receive
        self.handlers = {Start: take_in, Stop: take_in, Update: take_in}
        self.inbound = Inbound(
            self.session, self.handlers, rate, codec.DEFAULT_LIMITS,
            ThrottledLog(self, 'gate', lambda: 0.0), self)

    def told(self, command):
        self.commands.append(command)

    def session_changed(self):
        self.commands.append(f'session {self.session.number}')

    def warning(self, text):
        self.warnings.append(text)


def test_a_message_becomes_a_command():
    rig = Rig()
    rig.inbound.handle(STOP, 0.0)
    assert [command.message for command in rig.commands] == [Stop(7)]
    assert not rig.inbound.rejected and not rig.warnings


def test_a_new_message_is_a_line_in_the_registry_and_a_handler(monkeypatch):
    rig, handed = Rig(), []
    monkeypatch.setitem(codec.MESSAGES, 'zoom', Zoom)
    rig.handlers[Zoom] = lambda message: handed.append(message) or []
    rig.inbound.handle('{"type": "zoom", "factor": 2.5}', 0.0)
    assert handed == [Zoom(2.5)]
    assert not rig.inbound.rejected and not rig.commands


def test_what_is_no_message_is_counted_by_cause_and_logged():
    for frame, cause in (
            (b'\x00', 'binary'), ('{', 'malformed'), ('{"type": "dance"}', 'unknown_type'),
            ('{"type": "stop"}', 'invalid_field')):
        rig = Rig()
        rig.inbound.handle(frame, 0.0)
        assert rig.inbound.rejected == {cause: 1} and not rig.commands
        assert 'gate: message from the orchestrator ignored' in rig.warnings[0]


def test_what_a_camera_never_receives_is_counted_as_such():
    for text in UNEXPECTED:
        rig = Rig()
        rig.inbound.handle(text, 0.0)
        assert rig.inbound.rejected == {'unexpected_type': 1} and not rig.commands
        assert 'ignored: ' in rig.warnings[0]
        assert rig.warnings[0].endswith('the orchestrator never sends this to a camera')


def test_a_start_is_passed_on_without_what_is_unusable_in_it():
    for fields, field, cause in (
            ('"image": null', 'image', 'image_unusable'),
            ('"image": "data:,", "frameId": 1.5, "boxId": 3', 'image', 'image_unusable'),
            ('"frameId": 1.5', 'boxId', 'frame_unusable')):
        rig = Rig()
        rig.inbound.handle(f'{{"type": "start", "objectId": 7, {fields}}}', 0.0)
        (command,) = rig.commands
        assert command.message.object_id == 7 and command.message.image is None
        assert rig.inbound.rejected == {cause: 1}
        assert len(rig.warnings) == 1
        assert f'passed on without what is unusable in it: start.{field}: ' in rig.warnings[0]


def test_each_unusable_part_is_counted():
    rig = Rig()
    rig.inbound.handle('{"type": "start", "objectId": 7, "boxId": 3, "image": ""}', 0.0)
    assert rig.inbound.rejected == {'frame_unusable': 1, 'image_unusable': 1}
    assert len(rig.warnings) == 2


def test_different_faults_do_not_share_a_line():
    rig = Rig()
    for fields in '"objectId": 7.5', '"objectId": -1', '"frameId": 5':
        rig.inbound.handle(f'{{"type": "stop", {fields}}}', 0.0)  # one fault thrice
        rig.inbound.handle(f'{{"type": "start", {fields}}}', 0.0)
    rig.inbound.handle('{"type": "featureMap", "objectId": 7, "featureMap": 5}', 0.0)
    assert rig.inbound.rejected == {'invalid_field': 7}
    assert [line.split(': ')[2] for line in rig.warnings] == [
        'stop.objectId', 'start.objectId', 'featureMap.featureMap']


def test_places_and_foreign_names_share_a_line():
    rig = Rig(rate=100.0)
    for number in range(100):
        numbers = '1, ' * number + 'null'
        rig.inbound.handle(
            f'{{"type": "featureMap", "objectId": 7, "featureMap": [{numbers}]}}', 0.0)
        rig.inbound.handle(f'{{"type": "dance{number}"}}', 0.0)
        rig.inbound.handle(f'{{"type": "stop", "x{number}": 1, "x{number}": 1}}', 0.0)
    assert rig.inbound.rejected.total() == 300
    assert len(rig.warnings) == 3


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
    rig.inbound.begin_registration(anew=False)
    rig.inbound.end_registration()
    assert isinstance(rig.commands[-1].message, Stop)


@pytest.mark.parametrize('frame, stopped', [
    ('{', False), ('{"type": "featureMap", "objectId": 7.5}', False), (b'', False),
    ('{"type": "stop"}', False), ('{"type": "featureMap", "objectId": 7}', False),
    ('{"type": "featureMap", "objectId": 7, "featureMap": {"test": "test"}}', False),
    ('{"type": "featureMap", "objectId": 8, "featureMap": "?"}', True),
    ('{"type": "dance", "objectId": 7}', True), (UNEXPECTED[0], True)])
def test_only_what_may_have_been_named_by_a_rejected_message_is_spared(frame, stopped):
    rig = Rig()
    rig.inbound.handle(UPDATE, 0.0)
    rig.inbound.begin_registration(anew=False)
    rig.inbound.handle(frame, 0.0)
    rig.inbound.end_registration()
    assert any(command.message == Stop(7) for command in rig.commands) == stopped
    assert any('is stopped for' in line or 'object 7' in line for line in rig.warnings) != stopped


def test_between_registrations_a_rejected_message_has_no_consequence():
    rig = Rig()
    rig.inbound.handle('{', 0.0)
    assert rig.warnings[0].endswith('not JSON (Expecting property name enclosed in double quotes: '
                                    'line 1 column 2 (char 1))')


def test_another_session_is_told_after_its_commands():
    rig = Rig()
    rig.inbound.handle(UPDATE, 0.0)
    rig.inbound.begin_registration(anew=True)
    rig.inbound.handle(UPDATE.replace('0.5', '1.5'), 0.0)
    assert len(rig.commands) == 1
    rig.inbound.end_registration()
    assert [command.session for command in rig.commands[1:3]] == [1, 2]
    assert rig.commands[3:] == ['session 2']


def test_a_flood_on_one_connection_does_not_cost_the_replay_of_the_next():
    rig = Rig(rate=1.0)
    for anew, passed in ((False, False), (True, True)):
        while rig.inbound.rejected['rate'] == 0:
            rig.inbound.handle(UPDATE, 0.0)
        rig.inbound.begin_registration(anew)
        rejected = rig.inbound.rejected['rate']
        rig.inbound.handle(UPDATE, 0.0)
        assert (rig.inbound.rejected['rate'] == rejected) == passed


def test_a_start_is_told_though_its_connection_ends_before_the_pong():
    rig = Rig()
    rig.inbound.begin_registration(anew=True)
    rig.inbound.handle('{"type": "start", "objectId": 7, "frameId": 1, "boxId": 2}', 0.0)
    assert not rig.commands
    rig.inbound.end_connection()
    assert [command.message.object_id for command in rig.commands] == [7]


def test_a_feature_map_too_long_to_be_read_spares_its_object():
    rig = Rig()
    for object_id in (7, 8):
        rig.inbound.handle(UPDATE.replace('7', str(object_id)), 0.0)
    rig.commands.clear()
    rig.inbound.begin_registration(anew=False)
    rig.inbound.handle(UPDATE.replace('0.5', '0.5' + LONGEST * ' '), 0.0)
    rig.inbound.end_registration()
    assert [command.message for command in rig.commands] == [Stop(8)]
    assert rig.inbound.rejected == {'too_big': 1}
    assert rig.warnings[-1].endswith('; object 7 is tracked all the same')


def test_what_the_session_lacks_is_told():
    rig = Rig()
    assert not rig.inbound.lacks_proof()
    rig.inbound.handle('{"type": "featureMap", "objectId": 7, "featureMap": {}}', 0.0)
    assert rig.inbound.lacks_proof()
    rig.inbound.handle(UPDATE, 0.0)
    assert not rig.inbound.lacks_proof()


def test_limits_hold_for_what_comes_next():
    rig = Rig()
    image = f'"{IMAGE_PREFIX}{"A" * 4000}"'
    rig.inbound.limits = codec.Limits(image_bytes=1000, image_pixels=1000)
    rig.inbound.handle(f'{{"type": "start", "objectId": 1, "image": {image}}}', 0.0)
    assert rig.inbound.rejected == {'image_unusable': 1}
