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

"""Which silence is suspect."""

from dataclasses import dataclass

from camera_ws_bridge.link.suspicion import is_suspect
import pytest


@dataclass
class Silence:
    """What the kernel may know."""

    lasts: float
    unanswered: int
    round_trip_time: float


@pytest.mark.parametrize('lasts, unanswered, round_trip_time, suspect', [
    (1.5, 2, 0.001, True),     # retransmitted after 0.2 and 0.6 s, and nothing came back
    (10.0, 5, 0.19, True),
    (1.2, 2, 0.001, False),    # a little more patience
    (1.5, 1, 0.001, False),    # one packet may get lost
    (100.0, 0, 0.001, False),  # nothing was asked
    (1.4, 2, 0.19, False),     # an answer takes its time
    (9.0, 3, 2.0, False),      # a satellite
    (9.0, 3, 0.21, False),
])
def test_what_is_suspect(lasts, unanswered, round_trip_time, suspect):
    assert is_suspect(Silence(lasts, unanswered, round_trip_time)) is suspect


def test_where_the_kernel_does_not_tell_nobody_is_suspect():
    assert not is_suspect(None)
