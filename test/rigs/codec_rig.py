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

"""What the tests of the wire format share: both JSON libraries, and equality of every bit."""

import contextlib
import json
import struct
from unittest import mock

from camera_ws_bridge.errors import DecodeError, EncodeError
from camera_ws_bridge.protocol import codec, strict_json
from camera_ws_bridge.protocol.message import Message

LIBRARIES = ('orjson', 'json')
HUGE = 10**5000
RECT = (0.1, 0.25, 0.2, 0.75)


def exact(value):
    """Return a value that is equal only for the same types and the same bits."""
    if isinstance(value, float):
        return 'float', struct.pack('>d', value)
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [exact(element) for element in value]
    if isinstance(value, dict):
        return {key: exact(element) for key, element in value.items()}
    if isinstance(value, Message):
        return type(value).__name__, exact(vars(value))
    return type(value).__name__, value


def round_trip(message):
    """Assert that nothing is lost, by either library; return the JSON object on the wire."""
    values = []
    for name in LIBRARIES:
        with library(name):
            text = codec.encode(message)
            assert type(text) is str, name
            assert codec.encode_utf8(message) == text.encode(), name
            assert exact(codec.decode(text)) == exact(message), name
            assert exact(codec.decode(text.encode())) == exact(message), name
            values.append(json.loads(text))
            assert exact(strict_json.loads(text)) == exact(values[-1]), name
    assert exact(values[0]) == exact(values[1])
    return values[0]


def refused(message):
    """Return field and reason for which the message is not encoded, by neither library."""
    errors = []
    for name in LIBRARIES:
        with library(name):
            try:
                raise AssertionError(f'{name} wrote {codec.encode(message)[:100]}')
            except EncodeError as error:
                assert in_words(error, EncodeError), name
                errors.append((error.field, error.reason, error.cause))
    assert errors[0] == errors[1] and errors[0][2] == 'invalid_field'
    return errors[0][:2]


def not_decoded(text, limits=codec.DEFAULT_LIMITS):
    """Return field, reason and cause for which the text is no message."""
    try:
        raise AssertionError(f'decoded: {codec.decode(text, limits)!r:.100}')
    except DecodeError as error:
        assert in_words(error, DecodeError)
        return error.field, error.reason, error.cause


def in_words(error, kind):
    """Tell whether an error is of that very kind and says something, in one line of any log."""
    return type(error) is kind and error.reason and len(str(error)) <= 300 and (
        str(error).isprintable())


@contextlib.contextmanager
def library(name):
    """Use one of the JSON libraries to write; orjson where it is installed."""
    if name == 'json':
        with mock.patch.object(strict_json, 'orjson', None):
            yield
    else:
        yield
