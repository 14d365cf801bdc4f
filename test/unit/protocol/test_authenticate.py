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

"""What `authenticate` is on the wire."""

from camera_ws_bridge.protocol.authenticate import Authenticate
from rigs.codec_rig import not_decoded, refused, round_trip


def test_on_the_wire():
    for text in 'cam-1', 'a.b-c_d', '\u00e4 "\\\n', '':
        assert round_trip(Authenticate(text)) == {'type': 'authenticate', 'jwt': text}


def test_text_that_utf_8_cannot_hold_is_refused():
    for text in '\ud800', 'a\udc00b':
        assert refused(Authenticate(text))[0] == 'authenticate.jwt'


def test_a_missing_text():
    assert not_decoded('{"type": "authenticate"}') == (
        'authenticate.jwt', 'missing', 'invalid_field')
