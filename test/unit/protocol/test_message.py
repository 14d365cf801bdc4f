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

"""Messages are values, and their representation may be logged."""

import dataclasses

from camera_ws_bridge.protocol.authenticate import Authenticate
from camera_ws_bridge.protocol.boxes import Boxes, flat_box
from camera_ws_bridge.protocol.identifier import Identifier
from camera_ws_bridge.protocol.message import Limits, Message
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.stop import Stop
from camera_ws_bridge.protocol.update import Update
import pytest

EXAMPLES = [
    Boxes(1606.5, (flat_box(0, (0.0, 0.25, 0.5, 1.0), 'person', 0.5),)),
    Start(7, 1606.5, 0, b'image'), Stop(7), Update(7, (0.5, 1)), Identifier('cam-1'),
    Authenticate('token')]


def test_a_message_is_a_frozen_value():
    for message in EXAMPLES:
        assert message == dataclasses.replace(message)
        assert hash(message) == hash(dataclasses.replace(message))
        name = dataclasses.fields(message)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(message, name, None)


def test_messages_of_different_types_are_different():
    assert Stop(7) != Start(7)
    assert Identifier('a') != Authenticate('a')


def test_a_message_must_say_how_it_is_read_and_written():
    with pytest.raises(TypeError):
        Message()


def test_nothing_is_left_out_of_most_messages():
    assert [message.left_out() for message in EXAMPLES] == [[]] * len(EXAMPLES)


def test_a_message_is_written_with_its_type_first():
    assert Stop(7).to_json() == b'{"type":"stop","objectId":7}'


def test_tokens_images_and_feature_maps_are_not_shown():
    for message in Start(7, image=b'secret'), Update(7, (1234.5,)), Authenticate('secret'):
        assert 'secret' not in repr(message)
        assert '1234.5' not in repr(message)


def test_what_the_orchestrator_lets_through_is_accepted():
    # 10 MiB of a message, which is base64 for the most part; pictures of a sharp camera.
    assert Limits().image_bytes == 10 * 2**20 * 3 // 4
    assert Limits().image_pixels >= 5000 * 4000
