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

"""The wire format: every message there and back, strict, and open for a new message."""

from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.stop import Stop
from rigs.bad_inputs import REJECTED
from rigs.codec_rig import exact, not_decoded, refused, round_trip
from rigs.texts import boxes_with, GOOD, message as text_of
from rigs.toy_message import Zoom


# ---- a new message: its file and its line in the registry; its handler is in test_inbound

def test_a_new_message_is_a_class_and_a_line(monkeypatch):
    assert not_decoded('{"type": "zoom", "factor": 2.5}')[2] == 'unknown_type'
    monkeypatch.setitem(codec.MESSAGES, 'zoom', Zoom)
    assert round_trip(Zoom(2.5)) == {'type': 'zoom', 'factor': 2.5}
    assert not_decoded('{"type": "zoom"}') == ('zoom.factor', 'missing', 'invalid_field')


def test_the_registry_has_every_message_of_the_protocol():
    assert {*codec.MESSAGES} == {
        'authenticate', 'boundingBoxes', 'featureMap', 'identifier', 'start', 'stop'}
    assert all(kind.wire_type == name for name, kind in codec.MESSAGES.items())


# ---- any message

def test_the_text_is_compact():
    assert codec.encode(Stop(7)) == '{"type":"stop","objectId":7}'


def test_good_input():
    for good in GOOD:
        message = codec.decode(good.text)
        assert exact(codec.decode(good.text.encode())) == exact(message), good.name
        assert message.left_out() == [], good.name
        round_trip(message)


def test_bad_input():
    assert len(REJECTED) >= 130
    assert len({bad.name for bad in REJECTED}) == len(REJECTED)
    for bad in REJECTED:
        field, _, cause = not_decoded(bad.text)
        assert (field, cause) == (bad.field, bad.cause), bad.name


def test_no_more_is_read_than_the_largest_image_takes(monkeypatch):
    text = '{"type": "stop", "objectId": 7}'
    monkeypatch.setattr(codec, 'LONGEST', len(text))
    assert codec.decode(text) == Stop(7)
    assert not_decoded(text + ' ') == ('', '32 characters; 31 are allowed', 'too_big')


def test_a_feature_map_too_long_for_any_is_named_and_not_read():
    text = '{"type": "featureMap", "objectId": 7, "featureMap": [' + 2**22 * ' ' + 'no JSON'
    field, reason, cause = not_decoded(text)
    assert (field, cause) == ('featureMap.featureMap', 'too_big')
    assert str(len(text)) in reason


def test_what_cannot_be_written_is_named():
    assert refused(Stop(-1)) == ('stop.objectId', f'-1 is not in 0 to {2**63 - 1}')


def test_unknown_fields_are_ignored():
    assert codec.decode(text_of('stop', more='{"a": [NaN, "\\ud800"]}')) == Stop(7)
    assert codec.decode(boxes_with(cameraId='"cam-1"')) == codec.decode(boxes_with())
