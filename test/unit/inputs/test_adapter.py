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

"""What the authors of adapters are given."""

from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs.adapter import NOT_TRACKED, object_id, rect_around
import pytest

SIZE = 640, 480


def test_centre_and_extent_become_normalised_corners():
    assert rect_around((320, 240), (64, 48), SIZE) == (0.45, 0.45, 0.55, 0.55)
    assert rect_around((32, 24), (64, 48), SIZE) == (0.0, 0.0, 0.1, 0.1)
    assert rect_around((0.0, 480.0), (64.0, 48.0), SIZE) == (-0.05, 0.95, 0.05, 1.05)
    assert rect_around((320.0, 240.0), (0.0, 0.0), SIZE) == (0.5, 0.5, 0.5, 0.5)


def test_an_extent_below_0_is_refused_by_the_name_of_its_field():
    for extent in (-2, 3), (3, -2), (-2, -2):
        with pytest.raises(EncodeError) as caught:
            rect_around((1, 1), extent, SIZE, 'here.size')
        assert caught.value.field == 'here.size'
        assert caught.value.reason == f'{extent[0]} x {extent[1]} is below 0'


def test_an_integer_is_an_object_id():
    for text, found in ('0', 0), ('7', 7), ('007', 7), (str(2**63 - 1), 2**63 - 1):
        assert object_id(text) == found
    for text in (
            '', '-1', '+1', '1.0', ' 1', '1_0', 'person-1', '²', '١', str(2**63), '9' * 5000):
        assert object_id(text) == NOT_TRACKED, text[:20]
