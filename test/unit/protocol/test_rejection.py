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
"""What a close means that comes instead of a registration."""

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.protocol import rejection
import pytest

WORDLESS = LinkFault('closed', 'it closed the connection with code 1005', code=1005)
WITH_CODE = LinkFault('closed', 'it closed the connection with code 1013 (later)', code=1013)
LOST = LinkFault('lost', 'the connection broke')


def explained(fault, registered=False, shown=False, configured=False):
    return rejection.explained(
        fault, registered=registered, token_shown=shown, token_configured=configured)


@pytest.mark.parametrize('fault', (WORDLESS, WITH_CODE))
def test_a_token_that_was_shown_is_not_accepted(fault):
    found = explained(fault, shown=True, configured=True)
    assert (found.cause, found.reason) == ('rejected_token', rejection.TOKEN_REFUSED)


def test_a_token_that_nobody_configured_is_wanted():
    found = explained(WORDLESS)
    assert found.cause == 'closed'
    assert 'AUTH_SERVER_URL' in found.reason and 'token_file' in found.reason


@pytest.mark.parametrize('fault, given', (
    (LOST, {}), (LOST, {'shown': True, 'configured': True}), (WITH_CODE, {}),
    (WORDLESS, {'registered': True}), (WORDLESS, {'configured': True}),
    (WORDLESS, {'registered': True, 'shown': True, 'configured': True})))
def test_what_has_another_reason_is_left_as_it_is(fault, given):
    assert explained(fault, **given) is fault
