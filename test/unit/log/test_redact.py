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

from camera_ws_bridge.log.redact import without
from hypothesis import given, strategies as st
import pytest

SECRET = 'abcdefghijkl'


@pytest.mark.parametrize('text, left', [
    ('', ''), ('harmless', 'harmless'), (SECRET, '***'), (f'a {SECRET} b', 'a *** b'),
    (f'{SECRET}{SECRET}', '******'), ('abcdefgh', '***'), ('efghijkl!', '***!'),
    ('abcdefg', 'abcdefg'), ('the token abcdefghi...', 'the token ***...'),
    ('ABCDEFGHIJKL', 'ABCDEFGHIJKL')])
def test_pieces_are_hidden(text, left):
    assert without(SECRET, text) == left


def test_a_short_secret_is_hidden_as_a_whole():
    assert without('abc', 'xabcx ab c') == 'x***x ab c'


def test_no_secret_hides_nothing():
    assert without('', 'any text') == 'any text'


@given(st.text('ab', min_size=8, max_size=30), st.text('ab', max_size=60))
def test_no_piece_is_left_within_what_is_kept(secret, text):
    for part in without(secret, text).split('***'):
        assert not any(part[start:start + 8] in secret for start in range(len(part) - 7))


@given(st.text('abc', max_size=30), st.text('xyz', max_size=60))
def test_other_text_is_left_alone(secret, text):
    assert without(secret, text) == text
