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

"""Each check returns the very value or raises BadField with its path and a harmless reason."""

import math
import struct

from camera_ws_bridge.protocol import fields
from camera_ws_bridge.protocol.fields import BadField, Unrepresentable
import pytest


class Float(float):
    """A float of another type, as numpy's are."""


class Int(int):
    """An integer of another type."""


class Rude:
    """A value whose representation is no single line."""

    def __repr__(self):
        """Return two lines, in red."""
        return '\x1b[31mrude\nvalue'


class Broken:
    """A value that cannot even be shown."""

    def __repr__(self):
        """Raise what a representation should not."""
        raise ValueError('no representation')


HUGE = 10**5000


def reason(check, value, *arguments, path='a.b'):
    """Return the reason for which the value is refused."""
    with pytest.raises(BadField) as caught:
        check(value, 'a.b', *arguments)
    assert caught.value.field == path
    assert caught.value.cause == 'invalid_field'
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) <= 200
    return caught.value.reason


def bits(value):
    """Return type and content, exactly."""
    return type(value), struct.pack('>d', value) if isinstance(value, float) else value


# ---- number

def test_number_returns_the_very_value():
    for value in (
            0.0, -0.0, 0.1, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
            1606.0333333333335, 0, 1, -1, 2**53, -2**53, 2**53 + 2, 2**60, -2**63):
        assert bits(fields.number(value, 'a.b')) == bits(value)


NO_NUMBERS = [
    (math.nan, 'nan is not a finite number'),
    (math.inf, 'inf is not a finite number'),
    (-math.inf, '-inf is not a finite number'),
    (2**53 + 1, '9007199254740993 does not fit into a double'),
    (-2**53 - 1, '-9007199254740993 does not fit into a double'),
    (2**63, '9223372036854775808 does not fit into a double'),
    (-2**64, '-18446744073709551616 does not fit into a double'),
    (HUGE, 'an integer of 16610 bits does not fit into a double'),
    (-HUGE, 'an integer of 16610 bits does not fit into a double'),
    (2**1024, 'an integer of 1025 bits does not fit into a double'),
    (Unrepresentable('NaN'), 'NaN is not a finite double'),
    (Unrepresentable('9' * 400), '99999999... (400 digits) is not a finite double'),
    (True, 'a JSON boolean is not a number'),
    (None, 'a JSON null is not a number'),
    ('1', "'1' is not a number"),
    ([], 'a JSON array is not a number'),
    ({}, 'a JSON object is not a number'),
]


def test_number_refuses():
    for value, expected in NO_NUMBERS:
        assert reason(fields.number, value) == expected


def test_number_refuses_what_only_looks_like_one():
    for value in Float(0.5), Int(5), 5j, b'5', object():
        assert reason(fields.number, value).endswith(' is not a number'), value


# ---- integer, object_id, box_id

def test_integer_from_lowest_to_int64():
    for value in -3, 0, 2**63 - 1:
        assert fields.integer(value, 'a.b', -3) == value


def test_bounds_of_ids():
    for check, lowest in (fields.object_id, 0), (fields.box_id, -2**63):
        assert check(lowest, 'a.b') == lowest
        assert check(2**63 - 1, 'a.b') == 2**63 - 1
        expected = f'is not in {lowest} to 9223372036854775807'
        assert reason(check, lowest - 1) == f'{lowest - 1} {expected}'
        assert reason(check, 2**63) == f'9223372036854775808 {expected}'
        assert reason(check, HUGE) == f'an integer of 16610 bits {expected}'


def test_ids_are_integers():
    for value in (
            True, False, None, 7.0, math.nan, '7', b'7', [7], {}, (7,), Int(7), Float(7),
            Unrepresentable('7' * 21), object()):
        for check in fields.object_id, fields.box_id:
            assert reason(check, value).endswith(' is not an integer'), value


# ---- text

def test_text_returns_the_very_value():
    for value in '', 'person', '\x00\n', '\u00e4\u20ac\U0001f600', 'x' * 10**6:
        assert fields.text(value, 'a.b') is value, value[:10]


def test_text_refuses_other_types():
    for value in None, 5, True, b'person', ['person'], {}, object():
        assert reason(fields.text, value).endswith(' is not a string'), value


def test_text_refuses_half_surrogate_pairs():
    for value in '\ud800', 'a\udfffb', '\udc00\ud800', '\ud800' * 1000:
        assert reason(fields.text, value).endswith(' holds half a surrogate pair'), value[:10]


# ---- rect and numbers

def test_rect_returns_the_very_numbers():
    for value in (
            [0.0, 0.25, 0.5, 1.0], (0.0, 0.25, 0.5, 1.0), [0, 0, 1, 1], [-0.0, 0, -1e300, 5e-324]):
        assert [*map(bits, fields.rect(value, 'a.b'))] == [*map(bits, value)]
        assert type(fields.rect(value, 'a.b')) is tuple


def test_rect_refuses_all_but_four():
    for value in (
            None, 5, 'rect', {}, [], (), [0.0] * 3, [0.0] * 5, (0.0,) * 5, {0.1, 0.2, 0.3, 0.4},
            dict.fromkeys((0.1, 0.2, 0.3, 0.4)), object()):
        assert reason(fields.rect, value).endswith(
            ' is not four numbers (left, top, right, bottom)'), value


def test_rect_names_the_bad_number():
    for bad in math.nan, math.inf, True, None, '0', [], HUGE:
        for index in range(4):
            value = [0.0, 0, 0.5, 1]
            value[index] = bad
            reason(fields.rect, value, path=f'a.b[{index}]')


def test_numbers_returns_the_very_numbers():
    for value in [], (), [0.5], [1], (0.5, 1, -0.0, 2**53), [5e-324] * 1000:
        assert [*map(bits, fields.numbers(value, 'a.b'))] == [*map(bits, value)]
        assert type(fields.numbers(value, 'a.b')) is tuple


def test_numbers_names_the_bad_one():
    for bad in (
            math.nan, math.inf, -math.inf, True, None, '0', [], {}, Float(1),
            Unrepresentable('NaN')):
        for rest in [0.5, 0.25], [0.5, 1]:
            reason(fields.numbers, [*rest, bad, 1.0], path='a.b[2]')


# ---- need

def test_what_is_needed_is_returned_or_named():
    assert fields.need({'b': None}, 'b') is None
    for path, name in ('', 'b'), ('a.', 'a.b'):
        with pytest.raises(BadField) as caught:
            fields.need({}, 'b', path)
        assert (caught.value.field, caught.value.reason) == (name, 'missing')


# ---- show

SHOWN = [
    (None, 'a JSON null'), (True, 'a JSON boolean'), ({1: 2}, 'a JSON object'),
    ([HUGE], 'a JSON array'), (0.5, '0.5'), (-7, '-7'),
    (2**128 - 1, '340282366920938463463374607431768211455'), (2**128, 'an integer of 129 bits'),
    (-HUGE, 'an integer of 16610 bits'), ('text', "'text'"), ('\x1b\n\u00e4', r"'\x1b\n\xe4'"),
    ('\ud800', r"'\ud800'"), (Unrepresentable('-Infinity'), '-Infinity'),
    (Unrepresentable('9' * 20), '9' * 20), (Unrepresentable('9' * 21), '99999999... (21 digits)'),
    ('x' * 38, f"'{'x' * 38}'"), ('x' * 39, f"'{'x' * 36}..."), ('x' * 10**6, f"'{'x' * 36}..."),
]


def test_show():
    for value, expected in SHOWN:
        assert fields.show(value) == expected


def test_what_is_shown_is_short_and_printable():
    # Also what Python cannot or should not show.
    for value in (
            object(), b'\x00' * 10**6, '\x1b' * 1000, {'a'}, Float(0.5), 1e308, HUGE, [HUGE],
            {HUGE: HUGE}, Unrepresentable('9' * 10**6), (HUGE,), {HUGE}, (HUGE,) * 3, Rude(),
            (Rude(),), Broken(), (Broken(),)):
        assert fields.show(value).isprintable(), type(value)
        assert len(fields.show(value)) <= 60, type(value)


def test_kind_of():
    for value, kind in (
            ({}, 'object'), ([], 'array'), ('', 'string'), (True, 'boolean'), (None, 'null'),
            (5, 'number'), (0.5, 'number'), (Unrepresentable('NaN'), 'number')):
        assert fields.kind_of(value) == kind


def test_refuse():
    with pytest.raises(BadField) as caught:
        fields.refuse('a.b', 'too long', 'too_big')
    bad = caught.value
    assert (bad.field, bad.reason, bad.cause) == ('a.b', 'too long', 'too_big')
