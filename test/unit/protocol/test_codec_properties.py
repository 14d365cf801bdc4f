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
What holds of the wire format for any message and any text.

decode(encode(m)) is m; decode returns a message or raises DecodeError, nothing else; encode
returns text that decodes or raises EncodeError, nothing else. With both JSON libraries.
"""

from dataclasses import replace
import json

from camera_ws_bridge.errors import DecodeError, EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.boxes import Boxes, flat_box, NOT_TRACKED
from camera_ws_bridge.protocol.identifier import Identifier
from camera_ws_bridge.protocol.message import Message
from camera_ws_bridge.protocol.start import IMAGE_PREFIX, Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
from hypothesis import example, given, HealthCheck, settings, strategies as st
from rigs.codec_rig import exact, in_words, LIBRARIES, library
from rigs.png_files import chunk, png_file
from rigs.texts import data_uri

thorough = settings(
    max_examples=300, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# ---- messages

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = DOUBLES | st.integers(-2**53, 2**53)
OBJECT_IDS = st.integers(0, 2**63 - 1)
BOX_IDS = st.integers(-2**63, 2**63 - 1)
TEXTS = st.text(max_size=30)
BOXES = st.builds(
    flat_box, BOX_IDS, st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), TEXTS, NUMBERS,
    st.just(NOT_TRACKED) | OBJECT_IDS)
PNGS = st.builds(
    lambda width, height, more: png_file(*more, width=width, height=height),
    st.integers(1, 20), st.integers(1, 20),
    st.lists(st.builds(chunk, st.just(b'teSt'), st.binary(max_size=40)), max_size=3))
MESSAGES = st.one_of(
    st.builds(Boxes, NUMBERS, st.lists(BOXES, max_size=5).map(tuple)),
    st.builds(Update, OBJECT_IDS, st.lists(NUMBERS, max_size=20).map(tuple)),
    st.builds(Start, OBJECT_IDS, NUMBERS, BOX_IDS, st.none() | PNGS),
    st.builds(Start, OBJECT_IDS, st.none(), st.none(), PNGS),
    st.builds(Stop, OBJECT_IDS),
    st.builds(Identifier, TEXTS),
    st.builds(Authenticate, TEXTS))

# ---- JSON values

ANY_TEXT = st.text(st.characters(), max_size=20)  # half surrogate pairs included
ANY_INTEGER = st.one_of(
    st.integers(-2, 10), st.integers(-2**65, 2**65), st.integers(2**53 - 2, 2**53 + 2),
    st.integers(2**63 - 2, 2**63 + 1), st.sampled_from([10**400, -10**400]))
SCALARS = st.one_of(
    st.none(), st.booleans(), ANY_INTEGER, st.floats(), ANY_TEXT,
    PNGS.map(data_uri), st.sampled_from(['start', 'stop', IMAGE_PREFIX, 'cam-1', '']))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
        ANY_TEXT, inner, max_size=4), max_leaves=12)
TYPES = st.sampled_from([
    'boundingBoxes', 'featureMap', 'start', 'stop', 'identifier', 'authenticate'])
BOX_OBJECTS = st.fixed_dictionaries({}, optional={
    'boxId': BOX_IDS | JSON, 'rect': st.lists(NUMBERS, min_size=4, max_size=4) | JSON,
    'objectType': TEXTS | JSON, 'certainty': NUMBERS | JSON, 'objectId': OBJECT_IDS | JSON})
NEAR_MESSAGES = st.fixed_dictionaries({'type': TYPES | JSON}, optional={
    'objectId': OBJECT_IDS | JSON, 'frameId': NUMBERS | JSON, 'boxId': BOX_IDS | JSON,
    'image': PNGS.map(data_uri) | JSON, 'featureMap': st.lists(NUMBERS, max_size=5) | JSON,
    'boxes': st.lists(BOX_OBJECTS, max_size=3) | JSON, 'id': TEXTS | JSON, 'jwt': TEXTS | JSON,
    'cameraId': JSON})


def usable(message):
    """Return the message without a word of what was left out of it."""
    if isinstance(message, Start):
        return replace(message, frame_problem='', image_problem='')
    return message


def decodes_or_is_refused(text):
    """Assert that this is what happens; return the message, if it is one."""
    try:
        message = codec.decode(text)
    except DecodeError as error:
        assert in_words(error, DecodeError)
        assert error.cause in ('malformed', 'invalid_field', 'unknown_type', 'too_big')
        return None
    for problem in message.left_out():
        assert in_words(problem, DecodeError)
        assert problem.cause in ('frame_unusable', 'image_unusable')
    assert isinstance(message, Message)
    whole = usable(message)
    for name in LIBRARIES:
        with library(name):
            assert exact(usable(codec.decode(codec.encode(message)))) == exact(whole), name
    return message


# ---- messages there and back

@thorough
@given(MESSAGES)
def test_decoding_is_the_inverse_of_encoding(message):
    decoded = []
    for name in LIBRARIES:
        with library(name):
            text = codec.encode(message)
            assert codec.encode_utf8(message) == text.encode()
            decoded.append(json.loads(text))
            assert exact(codec.decode(text)) == exact(message)
            assert exact(codec.decode(text.encode())) == exact(message)
    assert repr(decoded[0]) == repr(decoded[1])


# ---- any text

@thorough
@given(st.text(st.characters()))
@example('')
def test_any_text(text):
    decodes_or_is_refused(text)


@thorough
@given(st.binary())
@example(b'\xef\xbb\xbf{}')
def test_any_bytes(data):
    decodes_or_is_refused(data)


@thorough
@given(JSON)
def test_any_json(value):
    decodes_or_is_refused(json.dumps(value))


@thorough
@given(NEAR_MESSAGES)
def test_what_is_nearly_a_message(value):
    decodes_or_is_refused(json.dumps(value))


# ---- damaged messages

@thorough
@given(MESSAGES, st.data())
def test_a_message_with_a_piece_of_its_text_replaced(message, data):
    text = codec.encode(message)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 10)))
        piece = data.draw(st.sampled_from([
            '', '"', ',', ':', '{', '}', '[', ']', '-', '0', '1e999', 'NaN', 'true', 'null', '.',
            '\\', '\\ud800', '\x00', '=', 'e5']) | st.text(st.characters(), max_size=3))
        text = text[:start] + piece + text[end:]
    decodes_or_is_refused(text)


@thorough
@given(MESSAGES, st.data())
def test_a_message_with_a_bit_flipped(message, data):
    text = bytearray(codec.encode_utf8(message))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= 1 << data.draw(st.integers(0, 7))
    decodes_or_is_refused(bytes(text))


@thorough
@given(MESSAGES, st.data())
def test_a_message_cut_off(message, data):
    text = codec.encode(message)
    assert decodes_or_is_refused(text[:data.draw(st.integers(0, len(text) - 1))]) is None


@thorough
@given(MESSAGES, JSON, st.data())
def test_a_message_with_a_value_replaced(message, value, data):
    whole = json.loads(codec.encode(message))
    at = whole
    while True:
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], (dict, list)) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = value
    decodes_or_is_refused(json.dumps(whole))


# ---- messages with any value of the right type in them

VALUES = ANY_INTEGER | st.floats()
ANY_MESSAGE = st.one_of(
    st.builds(Update, ANY_INTEGER, st.lists(VALUES).map(tuple)),
    st.builds(Start, ANY_INTEGER, VALUES, ANY_INTEGER, st.none() | PNGS),
    st.builds(Stop, ANY_INTEGER),
    st.builds(Identifier, ANY_TEXT),
    st.builds(Authenticate, ANY_TEXT))


@thorough
@given(ANY_MESSAGE)
def test_encoding_any_values(message):
    texts = []
    for name in LIBRARIES:
        with library(name):
            try:
                texts.append(codec.encode(message))
            except EncodeError as error:
                assert error.field and in_words(error, EncodeError), name
                texts.append(None)
            else:
                assert exact(codec.decode(texts[-1])) == exact(message), name
    assert (texts[0] is None) == (texts[1] is None)
