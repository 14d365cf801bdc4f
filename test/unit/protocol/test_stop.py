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

"""What `stop` is on the wire."""

from camera_ws_bridge.protocol.stop import Stop
from rigs.codec_rig import HUGE, not_decoded, refused, round_trip


def test_on_the_wire():
    for object_id in 0, 7, 2**63 - 1:
        assert round_trip(Stop(object_id)) == {'type': 'stop', 'objectId': object_id}


def test_an_id_out_of_range_is_refused_both_ways():
    for object_id in -1, -2**63, 2**63, HUGE, -HUGE:
        assert refused(Stop(object_id))[0] == 'stop.objectId'
    assert not_decoded('{"type": "stop", "objectId": -1}')[::2] == (
        'stop.objectId', 'invalid_field')


def test_a_missing_id():
    assert not_decoded('{"type": "stop"}') == ('stop.objectId', 'missing', 'invalid_field')
