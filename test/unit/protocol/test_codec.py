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

"""The wire format, with orjson and with the standard library: lossless, strict, the same."""

import importlib.util
import json
import math
import sys
import time

from camera_ws_bridge.errors import DecodeError, EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.messages import (
    Authenticate, Box, Boxes, Identifier, Start, Stop, Update)
import pytest
from rigs.bad_inputs import REJECTED
from rigs.codec_rig import exact, RECT, round_trip
from rigs.png_files import PNG, png_file, png_of_length
from rigs.texts import BOX, boxes_with, compose, data_uri, GOOD, message as text_of, start_with

pytestmark = pytest.mark.usefixtures('json_library')


# ---- round trips

def test_boxes_on_the_wire():
    boxes = Boxes(1606.0333333333335, (
        Box(0, RECT, 'person', 0.87), Box(1, (0.0, 0.0, 1.0, 1.0), '', 1.0, 7)))
    assert round_trip(boxes) == {
        'type': 'boundingBoxes', 'frameId': 1606.0333333333335, 'boxes': [
            {'boxId': 0, 'rect': [0.1, 0.25, 0.2, 0.75], 'objectType': 'person',
             'certainty': 0.87},
            {'boxId': 1, 'rect': [0.0, 0.0, 1.0, 1.0], 'objectType': '', 'certainty': 1.0,
             'objectId': 7}]}


def test_a_frame_without_boxes():
    assert round_trip(Boxes(0.5)) == {'type': 'boundingBoxes', 'frameId': 0.5, 'boxes': []}


@pytest.mark.parametrize('box', [
    Box(0, RECT, 'person', 0.5),
    Box(0, RECT, 'person', 0.5, 0),
    Box(2**63 - 1, RECT, 'person', 0.5, 2**63 - 1),
    Box(-2**63, RECT, 'person', 0.5),
    Box(0, (0, 0, 1, 1), 'person', 1),
    Box(0, (-0.0, -5.5, 1e300, 5e-324), 'person', -0.0),
    Box(0, RECT, '\x00\n"\\/\x1f\x7f\u2028\u00e4\u20ac\U0001f600', 0.5),
])
def test_boxes_lose_nothing(box):
    round_trip(Boxes(0.5, (box, box)))


DOUBLES = [
    0.0, -0.0, 0.1, 1 / 3, 1606.0333333333335, 5e-324, -5e-324, 2.225073858507201e-308,
    2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e15, 1e16, 1e17,
    1e21, 1e22, 1e23, 123456789012345680.0, 2.0**53, 2.0**53 + 2, 2.0**63, 1e-5, 1e-7,
    math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0), math.pi]
INTEGERS = [0, 1, -1, 1606, 2**53, -2**53, 2**53 + 2, 2**62, -2**62, -2**63]


@pytest.mark.parametrize('number', DOUBLES + INTEGERS)
def test_numbers_survive_bit_for_bit_wherever_they_stand(number):
    round_trip(Boxes(number, (Box(0, (number,) * 4, 'person', number),)))
    round_trip(Start(7, number, 0))
    round_trip(Update(7, (number, 0.5, number)))


@pytest.mark.parametrize('number', [
    2**63, -2**63 - 2**11, 2**64, -2**64, 2**70, -2**70, 10**22, 2**1000, 2**1023],
    ids=lambda number: f'{float(number):g}')
def test_integers_beyond_int64_are_refused_both_ways(number):
    # Exact doubles all of them; but JSON libraries differ in which integers they let through.
    with pytest.raises(DecodeError, match=r'^boundingBoxes\.frameId: '):
        codec.decode(text_of('boundingBoxes', frameId=str(number)))
    for message, field in [
            (Boxes(number), 'boundingBoxes.frameId'), (Start(7, number, 0), 'start.frameId'),
            (Update(7, (number,)), 'featureMap.featureMap[0]')]:
        with pytest.raises(EncodeError) as caught:
            codec.encode(message)
        assert caught.value.field == field


@pytest.mark.parametrize('start', [
    Start(7, image=PNG),
    Start(7, 1606.0333333333335, 3),
    Start(7, 1606, 0),
    Start(7, 1606.5, 0, PNG),
    Start(0, 0, 0, png_file()),
    Start(2**63 - 1, -0.0, -2**63, png_of_length(4 * 2**20)),
], ids=['image', 'frame', 'integer frame, box 0', 'all', 'zeros', 'greatest'])
def test_starts_lose_nothing(start):
    value = round_trip(start)
    assert ('image' in value) == (start.image is not None)
    assert ('frameId' in value) == ('boxId' in value) == (start.frame_id is not None)


def test_a_start_on_the_wire():
    assert round_trip(Start(7, 1606, 0, PNG)) == {
        'type': 'start', 'objectId': 7, 'frameId': 1606, 'boxId': 0, 'image': data_uri(PNG)}


@pytest.mark.parametrize('update, feature_map', [
    (Update(7), {}),
    (Update(0, (0.5, 1, -0.0, 2**53)), [0.5, 1, -0.0, 2**53]),
    (Update(2**63 - 1, (0,)), [0]),
    (Update(7, (0.1,) * 2**16), [0.1] * 2**16),
], ids=['empty', 'mixed', 'one', 'greatest'])
def test_feature_maps_lose_nothing(update, feature_map):
    assert exact(round_trip(update)) == exact(
        {'type': 'featureMap', 'objectId': update.object_id, 'featureMap': feature_map})


@pytest.mark.parametrize('message, value', [
    (Stop(0), {'type': 'stop', 'objectId': 0}),
    (Stop(2**63 - 1), {'type': 'stop', 'objectId': 2**63 - 1}),
    (Identifier('cam-1'), {'type': 'identifier', 'id': 'cam-1'}),
    (Identifier('\u00e4 "\\\n'), {'type': 'identifier', 'id': '\u00e4 "\\\n'}),
    (Authenticate('a.b-c_d'), {'type': 'authenticate', 'jwt': 'a.b-c_d'}),
])
def test_small_messages_on_the_wire(message, value):
    assert round_trip(message) == value


def test_the_text_is_compact():
    assert codec.encode(Stop(7)) == '{"type":"stop","objectId":7}'


@pytest.mark.parametrize('message', [
    Boxes(0.5, [Box(0, [0.0, 0.0, 1.0, 1.0], 'person', 0.5)]), Update(7, [0.5]), Update(7, [])])
def test_lists_are_as_good_as_tuples(message):
    decoded = codec.decode(codec.encode(message))
    assert codec.encode(decoded) == codec.encode(message)


def test_both_libraries_write_the_same_values(monkeypatch):
    pytest.importorskip('orjson')
    for message in [
            Boxes(number, (Box(0, (number,) * 4, 'p\u00e4r\U0001f600\x00\u2028', 0.5, 7),))
            for number in DOUBLES + INTEGERS]:
        text = codec.encode(message)
        with monkeypatch.context() as other:
            other.setattr(codec, 'orjson', None)
            assert exact(json.loads(codec.encode(message))) == exact(json.loads(text))


def test_without_orjson_the_module_uses_the_standard_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'orjson', None)
    name = 'camera_ws_bridge.protocol.codec'
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclass looks it up
    spec.loader.exec_module(module)
    assert module.orjson is None
    assert module.decode(module.encode(Stop(7))) == Stop(7)


# ---- decoding

@pytest.mark.parametrize('bad', REJECTED, ids=lambda bad: bad.name)
def test_bad_input(bad):
    with pytest.raises(DecodeError) as caught:
        codec.decode(bad.text)
    error = caught.value
    assert type(error) is DecodeError
    assert (error.field, error.cause) == (bad.field, bad.cause)
    assert error.reason
    assert len(str(error)) <= 300
    assert str(error).isprintable()


@pytest.mark.parametrize('good', GOOD, ids=lambda good: good.name)
def test_good_input(good):
    message = codec.decode(good.text)
    assert exact(codec.decode(good.text.encode())) == exact(message)
    round_trip(message)


def test_the_table_is_large_and_its_names_are_different():
    assert len(REJECTED) >= 130
    assert len({bad.name for bad in REJECTED}) == len(REJECTED)


@pytest.mark.parametrize('data', [
    b'\xff', b'{"type":"stop\xff"}', '{"type":"stop"}'.encode('utf-16'),
    b'{"type":"stop","objectId":7,"x":"\xed\xa0\x80"}', b'"\xc0\x80"'])
def test_bytes_that_are_not_utf8(data):
    with pytest.raises(DecodeError, match='^not UTF-8 text$') as caught:
        codec.decode(data)
    assert (caught.value.field, caught.value.cause) == ('', 'malformed')


def test_numbers_keep_their_type():
    assert exact(codec.decode(text_of('start', frameId='1606')).frame_id) == exact(1606)
    assert exact(codec.decode(text_of('start', frameId='1606.0')).frame_id) == exact(1606.0)
    assert exact(codec.decode(text_of('start', frameId='-0.0')).frame_id) == exact(-0.0)
    assert exact(codec.decode(text_of('featureMap', featureMap='[1, 1.0, 1e0, -1]'))) == exact(
        Update(7, (1, 1.0, 1.0, -1)))


def test_a_double_is_the_nearest_to_its_digits():
    digits = '0.1000000000000000055511151231257827021181583404541015625' + '0' * 1000
    assert exact(codec.decode(text_of('start', frameId=digits)).frame_id) == exact(0.1)
    assert exact(codec.decode(text_of('start', frameId='1e-999')).frame_id) == exact(0.0)


def test_unknown_fields_are_ignored():
    assert codec.decode(text_of('stop', more='{"a": [NaN, "\\ud800"]}')) == Stop(7)
    box = codec.decode(boxes_with(cameraId='"cam-1"')).boxes[1]
    assert box == Box(3, RECT, 'person', 0.87, 7)


def test_the_last_of_a_bad_box_is_found():
    with pytest.raises(DecodeError, match=r'^boundingBoxes\.boxes\[99\]\.certainty: missing$'):
        bad = compose({key: text for key, text in BOX.items() if key != 'certainty'})
        codec.decode(text_of('boundingBoxes', boxes=f'[{f"{compose(BOX)}," * 99}{bad}]'))


@pytest.mark.parametrize('text', [
    '{' + ','.join(f'"k{number}":0' for number in range(15000)) + ',"twice":0,"twice":0}',
    '{"twice":0,' + ','.join(f'"k{number}":0' for number in range(15000)) + ',"twice":0}',
], ids=['last', 'first and last'])
def test_a_key_that_stands_twice_is_found_at_once_among_many(text):
    began = time.process_time()  # a busy machine does not count
    with pytest.raises(DecodeError, match="^key 'twice' stands twice in one object$"):
        codec.decode(text)
    assert time.process_time() - began < 1.0


# ---- limits

@pytest.mark.parametrize('length', range(90, 102))
def test_the_image_limit_is_the_greatest_that_is_let_through(length):
    text = start_with(data_uri(png_of_length(length)))
    assert len(codec.decode(text, codec.Limits(image_bytes=length)).image) == length
    for limit in (length - 1, length - 2, length - 3, length - 30, 0):
        with pytest.raises(DecodeError) as caught:
            codec.decode(text, codec.Limits(image_bytes=limit))
        assert (caught.value.field, caught.value.cause) == ('start.image', 'too_big')


def test_the_pixel_limit_is_the_greatest_that_is_let_through():
    text = start_with(data_uri(PNG))
    assert codec.decode(text, codec.Limits(image_pixels=6)).image == PNG
    with pytest.raises(DecodeError, match='^start.image: PNG file of 2 x 3 pixels; 5 are allowed'):
        codec.decode(text, codec.Limits(image_pixels=5))


def test_the_feature_map_limit_is_the_greatest_that_is_let_through():
    text = text_of('featureMap', featureMap='[1, 2, 3]')
    assert codec.decode(text, codec.Limits(feature_map=3)) == Update(7, (1, 2, 3))
    with pytest.raises(DecodeError, match='^featureMap.featureMap: 3 numbers; 2 are allowed$'):
        codec.decode(text, codec.Limits(feature_map=2))
