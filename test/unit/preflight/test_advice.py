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

"""There is advice for everything that can fail."""

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import advice
import pytest


@pytest.mark.parametrize('cause', [
    'dns', 'refused', 'timeout', 'unreachable', 'lost', 'redirect', 'http_404', 'http_400',
    'http_503', 'http_418', 'rejected_token', 'not_websocket', 'tls', 'token_server',
    'secret_file', 'closed', 'silent', 'protocol', 'internal'])
def test_there_is_advice_for_every_fault(cause):
    text = advice.of_fault(LinkFault(cause, 'reason'))
    assert text and '{' not in text


@pytest.mark.parametrize('code', (9, 10, 18, 19, 20, 21, 23, 62, 64, 999))
def test_there_is_advice_for_every_certificate(code):
    for issuer, names in (('CN=ca', 'DNS:a'), ('', '')):
        text = advice.of_certificate(code, issuer=issuer, names=names, host='b', now='2026')
        assert text and '{' not in text
