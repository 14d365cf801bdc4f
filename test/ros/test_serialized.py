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

"""What is not even a message is refused before a middleware reads it."""

from camera_ws_bridge.errors import CdrError
from camera_ws_bridge.ros import serialized
from camera_ws_bridge.ros.serialized import deserialize
from camera_ws_bridge_msgs.msg import Boxes
import pytest
from rclpy.serialization import serialize_message


@pytest.mark.parametrize('message', [b'', b'\0', b'\0\1\0', b'\0\1\0\0'])
def test_bytes_that_hold_no_field_do_not_get_to_the_middleware(message, monkeypatch):
    monkeypatch.setattr(serialized, 'deserialize_message', lambda *_: pytest.fail('it did'))
    with pytest.raises(CdrError, match=f'{len(message)} bytes are no message'):
        deserialize(message, Boxes)


def test_the_shortest_message_is_one():
    assert deserialize(serialize_message(Boxes()), Boxes) == Boxes()


def test_what_the_middleware_cannot_read_is_refused():
    with pytest.raises(CdrError, match='cannot read'):
        deserialize(serialize_message(Boxes(frame_id=1.0))[:12], Boxes)
