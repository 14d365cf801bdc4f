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

from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.messages import Box, Message

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
    if isinstance(value, (Message, Box)):
        return type(value).__name__, exact(vars(value))
    return type(value).__name__, value


def round_trip(message):
    """Assert that nothing is lost; return the JSON object on the wire."""
    text = codec.encode(message)
    assert type(text) is str
    assert codec.encode_utf8(message) == text.encode()
    assert exact(codec.decode(text)) == exact(message)
    assert exact(codec.decode(text.encode())) == exact(message)
    value = json.loads(text)
    assert exact(codec.loads(text)) == exact(value)
    return value


@contextlib.contextmanager
def library(name):
    """Use one of the JSON libraries; orjson where it is installed."""
    if name == 'json':
        with mock.patch.object(codec, 'orjson', None):
            yield
    else:
        yield
