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

"""From the bytes of a topic to JSON, also where they are in an encoding that only rclpy reads."""

import json
import struct

from camera_ws_bridge.errors import CdrError, EncodeError
from camera_ws_bridge.inputs import boxes, feature_map
from camera_ws_bridge.protocol import codec
import pytest
from rigs.cdr_writer import encode_boxes, encode_update, Writer

VALUE = ((1, 2), 'camera', 0.5, 6, [
    (1, 0.1, 0.2, 0.3, 0.4, 'person', 0.9, -1), (2, 0.1, 0.2, 0.3, 0.4, 'cat', 0.8, 5)])
UPDATE = ((1, 2), 'camera', 3, 4, 5, [0.5, 0.25])


class Writer2(Writer):
    """XCDR2: nothing is aligned to more than four bytes."""

    def put(self, code, *values):
        for value in values:
            self.bytes += bytes(-len(self.bytes) % min(4, struct.calcsize('=' + code)))
            self.bytes += struct.pack(self.order + code, value)

    def done(self):
        return b'\0\7\0\0' + self.bytes


def writers():
    """Return who writes what this middleware can read; Humble's Cyclone DDS knows no XCDR2."""
    yield Writer
    try:
        boxes.decode(encode_boxes(VALUE, '<', Writer2))
    except CdrError as error:
        assert 'the middleware cannot read it' in str(error)
    else:
        yield Writer2


def test_both_encodings_give_the_same():
    found, stamp, session = boxes.decode(encode_boxes(VALUE, '<'))
    assert (found.frame_id, stamp, session) == (0.5, (1, 2), 6)
    payload = codec.encode_utf8(found)
    assert [box['objectType'] for box in json.loads(payload)['boxes']] == ['person', 'cat']
    update = feature_map.decode(encode_update(UPDATE, '>'))
    assert (update[0].object_id, update[0].feature_map, update[1]) == (5, (0.5, 0.25), 4)
    for writer in writers():
        assert boxes.decode(encode_boxes(VALUE, '<', writer)) == (found, stamp, session)
        assert feature_map.decode(encode_update(UPDATE, '<', writer)) == update


def test_what_is_cut_is_our_error_in_both():
    for writer in Writer, Writer2:
        for end in (0, 3, 10, 30):
            with pytest.raises(CdrError):
                boxes.decode(encode_boxes(VALUE, '<', writer)[:end])
            with pytest.raises(CdrError):
                feature_map.decode(encode_update(UPDATE, '<', writer)[:end])


def test_an_empty_feature_map_is_refused():
    for writer in writers():
        with pytest.raises(EncodeError, match='empty'):
            feature_map.decode(encode_update((*UPDATE[:5], []), '<', writer))
