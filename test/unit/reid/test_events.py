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

"""What arrives and what is told, as values."""

import dataclasses

from camera_ws_bridge.reid.events import Command, Event, Kind, Listed
import pytest


def test_they_are_values():
    assert Command(Kind.STOP, 1, 1, 7, 5) == Command(Kind.STOP, 1, 1, 7, 5)
    for value, name in ((Command(Kind.STOP, 1, 1, 7, 5), 'sequence'),
                        (Listed(1, 5, {}), 'stamp'), (Event(Kind.SESSION, 2), 'session')):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, 9)


def test_what_is_concluded_has_no_message():
    assert Event(Kind.STOP, 1, 7).message is None
