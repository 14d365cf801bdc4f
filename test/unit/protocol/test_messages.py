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

from camera_ws_bridge.protocol.messages import (
    Authenticate, Box, Boxes, Identifier, Message, Start, Stop, Update)
import pytest

BOX = Box(0, (0.0, 0.25, 0.5, 1.0), 'person', 0.5)
EXAMPLES = [
    Boxes(1606.5, (BOX,)), Start(7, 1606.5, 0, b'image'), Stop(7), Update(7, (0.5, 1)),
    Identifier('cam-1'), Authenticate('token')]


@pytest.mark.parametrize('message', EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_is_a_frozen_value(message):
    assert isinstance(message, Message)
    assert message == dataclasses.replace(message)
    assert hash(message) == hash(dataclasses.replace(message))
    name = dataclasses.fields(message)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(message, name, None)


def test_a_box_is_a_frozen_value_but_no_message():
    assert not isinstance(BOX, Message)
    assert dataclasses.replace(BOX) == BOX
    with pytest.raises(dataclasses.FrozenInstanceError):
        BOX.box_id = 1


def test_messages_of_different_types_are_different():
    assert Stop(7) != Start(7)
    assert Identifier('a') != Authenticate('a')


def test_what_may_be_left_out():
    assert BOX.object_id is None
    assert Boxes(1.5).boxes == ()
    start = Start(7)
    assert (start.frame_id, start.box_id, start.image) == (None, None, None)
    assert Update(7).feature_map == ()


@pytest.mark.parametrize('message', [
    Start(7, image=b'secret'), Update(7, (1234.5,)), Authenticate('secret')])
def test_tokens_images_and_feature_maps_are_not_shown(message):
    assert 'secret' not in repr(message)
    assert '1234.5' not in repr(message)
