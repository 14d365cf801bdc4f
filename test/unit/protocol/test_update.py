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

"""What `featureMap` is on the wire."""

import math

from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.update import LONGEST, object_of_too_long, Update
import pytest
from rigs.codec_rig import exact, HUGE, not_decoded, refused, round_trip
from rigs.texts import message as text_of


def test_on_the_wire():
    for update, feature_map in (
            (Update(7), {}),
            (Update(0, (0.5, 1, -0.0, 2**53)), [0.5, 1, -0.0, 2**53]),
            (Update(2**63 - 1, (0,)), [0]),
            (Update(7, (0.1,) * 2**16), [0.1] * 2**16)):
        assert exact(round_trip(update)) == exact({
            'type': 'featureMap', 'objectId': update.object_id, 'featureMap': feature_map})


def test_no_numbers_are_no_map():
    assert codec.decode(text_of('featureMap', featureMap='[]')) == Update(7)
    assert codec.decode(text_of('featureMap', featureMap='{}')) == Update(7)


def test_numbers_keep_their_type():
    assert exact(codec.decode(text_of('featureMap', featureMap='[1, 1.0, 1e0, -1]'))) == exact(
        Update(7, (1, 1.0, 1.0, -1)))


def test_what_the_protocol_cannot_carry():
    for bad in math.nan, math.inf, -math.inf, 2**53 + 1, 2**63, HUGE:
        assert refused(Update(7, (0.5, bad)))[0] == 'featureMap.featureMap[1]'
    for object_id in -1, 2**63:
        assert refused(Update(object_id, (0.5,)))[0] == 'featureMap.objectId'


def test_the_limit_is_the_greatest_that_is_let_through():
    text = text_of('featureMap', featureMap='[1, 2, 3]')
    assert codec.decode(text, codec.Limits(feature_map=3)) == Update(7, (1, 2, 3))
    assert not_decoded(text, codec.Limits(feature_map=2)) == (
        'featureMap.featureMap', '3 numbers; 2 are allowed', 'too_big')


def long_text(head, length):
    """Return the text of a feature map that begins in this way, so long."""
    return head + ' ' * (length - len(head) - 3) + '1]}'


LONG = '{"type": "featureMap", "objectId": 7, "featureMap": ['


def test_a_text_too_long_for_any_is_not_parsed_and_its_object_is_known(monkeypatch):
    assert codec.decode(long_text(LONG, LONGEST)) == Update(7, (1,))
    assert object_of_too_long(long_text(LONG, LONGEST)) is None
    for head, object_id in (
            (LONG, 7), ('{"type":"featureMap","objectId":0,"featureMap":[', 0),
            (LONG.replace('7', '9' * 18), 10**18 - 1)):
        assert object_of_too_long(long_text(head, LONGEST + 1)) == object_id
    monkeypatch.setattr(codec.strict_json, 'loads', lambda text: pytest.fail('it is parsed'))
    field, reason, cause = not_decoded(long_text(LONG, LONGEST + 1))
    assert (field, cause) == ('featureMap.featureMap', 'too_big')
    assert reason == '4194305 characters, more than 65536 numbers take, which are allowed'


def test_what_is_long_and_begins_otherwise_is_read():
    for head in (
            '{"objectId": 7, "type": "featureMap", "featureMap": [',
            LONG.replace('7', '1' + '0' * 18)):
        text = long_text(head, LONGEST + 1)
        assert object_of_too_long(text) is None
        assert codec.decode(text).feature_map == (1,)
    for head in (LONG.replace('7', '-7'), LONG.replace('7', '07'),
                 '{"type": "start", "objectId": 7,'):
        assert object_of_too_long(long_text(head, LONGEST + 1)) is None
    assert object_of_too_long(long_text(LONG, LONGEST + 1).encode()) is None


def test_neither_numbers_nor_an_empty_object():
    for bad in '{"a": 1}', '5', 'null', '"[]"':
        field, reason, _ = not_decoded(text_of('featureMap', featureMap=bad))
        assert field == 'featureMap.featureMap', bad
        assert reason.endswith('is neither an array of numbers nor {}'), bad
