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

"""What the wire format refuses to write, with orjson and with the standard library alike."""

import math

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.messages import (
    Authenticate, Box, Boxes, Identifier, Message, Start, Stop, Update)
import pytest
from rigs.codec_rig import exact, HUGE, RECT
from rigs.png_files import PNG
from rigs.texts import data_uri

pytestmark = pytest.mark.usefixtures('json_library')


# ---- messages

def a_box(**changes):
    """Return Boxes of a good box and a changed one."""
    values = {'box_id': 0, 'rect': RECT, 'object_type': 'person', 'certainty': 0.5, **changes}
    return Boxes(0.5, (Box(1, RECT, 'person', 0.5), Box(**values)))


NO_NUMBERS = [
    math.nan, math.inf, -math.inf, None, True, '0.5', b'5', [], {}, 2**53 + 1, HUGE, -HUGE, 5j,
    (HUGE,)]
NO_IDS = [
    -1, -2**63, 2**63, HUGE, -HUGE, 7.0, math.nan, None, True, '7', b'7', [], {}, (HUGE,),
    object()]
NO_TEXTS = [None, 5, True, b'person', ['person'], {}, (HUGE,), '\ud800', 'a\udc00b']
NO_RECTS = [
    None, 5, 'rect', b'rect', (), RECT[:3], (*RECT, 0.5), {}, {1, 2, 3, 4}, (HUGE,), (HUGE,) * 5]
NO_SEQUENCES = [
    None, 5, 0.5, True, object(), Stop(7), {}, {0.5: 1}, {0.5}, (number for number in [0.5])]


def unencodable():
    """Yield messages with something bad in them, each with the field."""
    boxes = 'boundingBoxes.boxes[1]'
    for value in NO_NUMBERS:
        yield Boxes(value), 'boundingBoxes.frameId'
        yield Start(7, value, 0), 'start.frameId'
        yield Update(7, (0.5, value)), 'featureMap.featureMap[1]'
        yield a_box(certainty=value), f'{boxes}.certainty'
        yield a_box(rect=(0.0, 0.0, value, 1.0)), f'{boxes}.rect[2]'
    for value in NO_IDS:
        yield Stop(value), 'stop.objectId'
        yield Start(value, 0.5, 0), 'start.objectId'
        yield Update(value, (0.5,)), 'featureMap.objectId'
        if value is not None:
            yield a_box(object_id=value), f'{boxes}.objectId'
        if value not in (-1, -2**63):
            yield a_box(box_id=value), f'{boxes}.boxId'
            yield Start(7, 0.5, value), 'start.boxId'
    for value in NO_TEXTS:
        yield a_box(object_type=value), f'{boxes}.objectType'
        yield Identifier(value), 'identifier.id'
        yield Authenticate(value), 'authenticate.jwt'
    for value in NO_RECTS:
        yield a_box(rect=value), f'{boxes}.rect'
    for value in NO_SEQUENCES:
        yield Boxes(0.5, value), 'boundingBoxes.boxes'
        yield Update(7, value), 'featureMap.featureMap'
    for value in (None, 5, 'box', (), {}, object(), Stop(7), HUGE):
        yield Boxes(0.5, (Box(1, RECT, 'person', 0.5), value)), boxes
    for value in (5, 'image', data_uri(PNG), True, 0.5, [1, 2], (), object()):
        yield Start(7, 0.5, 0, value), 'start.image'
    yield Start(7), 'start.image'
    yield Start(7, box_id=0), 'start.frameId'
    yield Start(7, box_id=0, image=PNG), 'start.frameId'
    yield Start(7, frame_id=0.5), 'start.boxId'


UNENCODABLE = list(unencodable())


@pytest.mark.parametrize('index', range(len(UNENCODABLE)), ids=lambda index: (
    f'{UNENCODABLE[index][1]}-{index}'))
def test_what_the_protocol_cannot_carry(index):
    message, field = UNENCODABLE[index]
    for encode in (codec.encode, codec.encode_utf8):
        with pytest.raises(EncodeError) as caught:
            encode(message)
        assert type(caught.value) is EncodeError
        assert caught.value.field == field
        assert caught.value.cause == 'invalid_field'
        assert len(str(caught.value)) <= 300
        assert str(caught.value).isprintable()


def test_what_the_library_refuses_is_an_encode_error_too(monkeypatch):
    def dumps(*_, **__):
        raise TypeError('no reason')

    monkeypatch.setattr('json.dumps' if codec.orjson is None else 'orjson.dumps', dumps)
    with pytest.raises(EncodeError, match=r'^not expressible in JSON \(no reason\)$'):
        codec.encode(Stop(7))


class Other(Message):
    """A message that the protocol does not know."""


class OwnStop(Stop):
    """A subclass is not the message itself."""


@pytest.mark.parametrize('message', [
    Other(), OwnStop(7), Message(), Box(0, RECT, 'person', 0.5), None, 5, 'stop', {'type': 'stop'},
    Stop, object()])
def test_what_is_no_message_of_the_wire(message):
    with pytest.raises(EncodeError, match=r'^type: \w+ is not on the wire$') as caught:
        codec.encode(message)
    assert caught.value.field == 'type'


# ---- loads and dumps, for text that is not a message

@pytest.mark.parametrize('value', [
    {}, {'a': [1, 0.5, None, True, 'text', {}, []]}, {'': {'nested': [[[]]]}},
    {'a': -0.0, 'b': 5e-324, 'c': 2**63 - 1, 'd': -2**63, 'e': 2**63}, {'a': '\x00\u00e4\u2028'}])
def test_any_object_there_and_back(value):
    text = codec.dumps(value)
    assert type(text) is str
    assert exact(codec.loads(text)) == exact(value)
    assert exact(codec.loads(text.encode())) == exact(value)


@pytest.mark.parametrize('value', [
    math.nan, math.inf, -math.inf, [math.nan], {'b': math.inf}, '\ud800', b'bytes', {1}, object(),
    HUGE], ids=lambda value: type(value).__name__)
def test_what_json_cannot_hold(value):
    with pytest.raises(EncodeError) as caught:
        codec.dumps({'a': value})
    assert caught.value.field == ''
    assert len(str(caught.value)) <= 300


def test_a_structure_without_end():
    value = {}
    value['a'] = value
    with pytest.raises(EncodeError):
        codec.dumps(value)
