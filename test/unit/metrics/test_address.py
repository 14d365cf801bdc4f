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

"""Where the endpoint for metrics listens."""

from camera_ws_bridge.metrics.address import parse
import pytest


@pytest.mark.parametrize('text, found', [
    ('127.0.0.1:9464', ('127.0.0.1', 9464)), ('[::1]:9464', ('::1', 9464)),
    ('localhost:0', ('localhost', 0)), ('0.0.0.0:65535', ('0.0.0.0', 65535)),
    ('[fe80::1%eth0]:1', ('fe80::1%eth0', 1)), ('a-b.example:80', ('a-b.example', 80))])
def test_host_and_port(text, found):
    assert parse(text) == found


@pytest.mark.parametrize('text', [
    '', '9464', ':9464', '127.0.0.1', '127.0.0.1:', '::1:9464', '[::1]', '127.0.0.1:65536',
    '127.0.0.1:-1', 'http://127.0.0.1:9464', '127.0.0.1:9464/metrics', 'a b:1', '[]:1', 'h:٣'])
def test_what_is_none_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r'is not HOST:PORT, e.g. 127.0.0.1:9464') as caught:
        parse(text)
    assert repr(text) in str(caught.value)
