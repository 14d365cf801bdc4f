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

"""
Checks of single values, the same on the way to the wire and from it.

Each returns the value as it is, or raises BadField with the path below the message.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

INT64_MAX = 2**63 - 1


class BadField(Exception):
    """A field that does not hold: the codec's own signal, with the path below the message."""

    def __init__(self, field: str, reason: str, cause: str = 'invalid_field') -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason
        self.cause = cause


class Unrepresentable:
    """A JSON number that is none of ours: NaN, an infinity, or far too many digits."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        if len(self._text) <= 20:
            return self._text
        return f'{self._text[:8]}... ({len(self._text)} digits)'


def number(value: Any, field: str) -> float:
    """Accept a finite number; an integer only if it is an int64 that a double holds exactly."""
    kind = type(value)
    if kind is float:
        if math.isfinite(value):
            return value  # type: ignore[no-any-return]
        refuse(field, f'{value} is not a finite number')
    if kind is int:
        if -2**53 <= value <= 2**53 or (
                -2**63 <= value <= INT64_MAX and float(value) == value):
            return value  # type: ignore[no-any-return]
        refuse(field, f'{show(value)} does not fit into a double')
    if isinstance(value, Unrepresentable):
        refuse(field, f'{value!r} is not a finite double')
    refuse(field, f'{show(value)} is not a number')


def integer(value: Any, field: str, lowest: int) -> int:
    """Accept an integer from `lowest` to the greatest int64; a boolean is none."""
    if type(value) is not int:
        refuse(field, f'{show(value)} is not an integer')
    if not lowest <= value <= INT64_MAX:
        refuse(field, f'{show(value)} is not in {lowest} to {INT64_MAX}')
    return value


def object_id(value: Any, field: str) -> int:
    """Accept 0 or greater: ROS could not tell a negative id from 'not a tracked object' (-1)."""
    return integer(value, field, 0)


def box_id(value: Any, field: str) -> int:
    """Accept any int64."""
    return integer(value, field, -2**63)


def text(value: Any, field: str) -> str:
    """Accept a string that UTF-8 can hold."""
    if not isinstance(value, str):
        refuse(field, f'{show(value)} is not a string')
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse(field, f'{show(value)} holds half a surrogate pair')
    return value


def need(value: dict[str, Any], key: str, path: str = '') -> Any:
    """Return a field of a JSON object; its name in BadField begins with `path`."""
    try:
        return value[key]
    except KeyError:
        refuse(path + key, 'missing')


def refuse(field: str, reason: str, cause: str = 'invalid_field') -> NoReturn:
    """Raise BadField."""
    raise BadField(field, reason, cause)


def show(value: Any) -> str:
    """Describe a foreign value in a few harmless characters."""
    if value is None or isinstance(value, (bool, dict, list)):
        return 'a JSON ' + kind_of(value)
    if isinstance(value, int) and value.bit_length() > 128:
        return f'an integer of {value.bit_length()} bits'
    if not isinstance(value, (str, int, float, Unrepresentable)):
        return f'a Python {type(value).__name__}'[:40]  # its repr could be anything
    shown = ascii(value[:40]) if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 40 else shown[:37] + '...'


def kind_of(value: Any) -> str:
    """Return what JSON calls a value of this type."""
    names = {dict: 'object', list: 'array', str: 'string', bool: 'boolean', type(None): 'null'}
    return names.get(type(value), 'number')


def rect(value: Any, field: str) -> tuple[float, float, float, float]:
    """Accept four finite numbers."""
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        refuse(field, f'{show(value)} is not four numbers (left, top, right, bottom)')
    left, top, right, bottom = numbers(value, field)
    return left, top, right, bottom


def numbers(values: list[Any] | tuple[Any, ...], field: str) -> tuple[float, ...]:
    """Accept finite numbers."""
    # One pass in C for the usual case; element by element only to name the bad one.
    if set(map(type, values)) <= {float} and all(map(math.isfinite, values)):
        return tuple(values)
    return tuple(number(value, f'{field}[{index}]') for index, value in enumerate(values))
