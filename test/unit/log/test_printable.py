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

"""Foreign text made harmless."""

from camera_ws_bridge.log.printable import clean, MAX_LENGTH, printable
import pytest


@pytest.mark.parametrize('text, line', (
    ('', ''),
    ('plain', 'plain'),
    ('Kamera Süd ✓', 'Kamera Süd ✓'),
    ('two\nlines\r', r'two\nlines\r'),
    ('tab\tnul\0', r'tab\tnul\x00'),
    ('\x1b[31mred', r'\x1b[31mred'),
    ('left\u202eright', r'left\u202eright'),
    ('lone \ud800', r'lone \ud800'),
    ('\U000e0001', r'\U000e0001'),
))
def test_foreign_text_becomes_one_printable_line(text, line):
    assert printable(text) == clean(text) == line
    assert line.isprintable()


def test_text_of_just_the_length_is_kept():
    assert clean('x' * MAX_LENGTH) == 'x' * MAX_LENGTH


@pytest.mark.parametrize('text', (
    'x' * (MAX_LENGTH + 1),
    'x' * 5_000_000,
    '\n' * MAX_LENGTH,
    '\n' * (MAX_LENGTH // 2 + 1),
    '\U000e0001' * MAX_LENGTH,
))
def test_long_text_is_cut_and_says_so(text):
    line = clean(text)
    assert len(line) == MAX_LENGTH
    assert line.endswith('...')
    assert line.isprintable()


def test_text_of_a_report_is_not_cut():
    assert printable('x' * 5000 + '\n') == 'x' * 5000 + '\\n'
