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

"""JSON text to objects and back: read strictly, written by the fastest library there is."""

from __future__ import annotations

from collections import Counter
import json
import math
from typing import Any

from camera_ws_bridge.errors import DecodeError, EncodeError, MessageError
from camera_ws_bridge.protocol import fields

try:
    import orjson
except ImportError:  # slower on boxes, otherwise the same
    orjson = None  # type: ignore[assignment]

__all__ = ['dumps', 'loads', 'orjson', 'quoted', 'write', 'WRITER']

WRITER = 'standard library' if orjson is None else 'orjson'


def loads(text: str | bytes) -> dict[str, Any]:
    """
    Return the one JSON object that the text is; raise DecodeError for anything else.

    Always by the standard library: only it can refuse duplicate keys and keep integers exact.
    Numbers that no field can hold (NaN, 1e999, a thousand digits) become values of a type of
    their own, for the field's check to name.
    """
    try:
        value = _DECODER.decode(text if isinstance(text, str) else text.decode())
    except MessageError:
        raise
    except UnicodeDecodeError:
        raise DecodeError('', 'not UTF-8 text', 'malformed') from None
    except RecursionError:
        raise DecodeError('', 'nested too deeply', 'malformed') from None
    except ValueError as error:
        raise DecodeError('', f'not JSON ({error})', 'malformed') from None
    if not isinstance(value, dict):
        raise DecodeError('', f'a JSON {fields.kind_of(value)} instead of an object', 'malformed')
    return value


def dumps(value: dict[str, Any]) -> str:
    """
    Return any JSON object as text; raise EncodeError for NaN, lone surrogates and the like.

    By the standard library: orjson would turn NaN into null, which only checked values rule out.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError('', f'not expressible in JSON ({error})') from None
    return text


def write(value: dict[str, Any]) -> bytes:
    """Return an object of checked values as JSON in UTF-8."""
    if orjson is None:
        return dumps(value).encode()
    # A copy: what orjson gives lies in a block of up to twice the size.
    return bytes(memoryview(orjson.dumps(value)))


def quoted(text: str) -> str:
    """Return the text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def _parse_int(digits: str) -> int | fields.Unrepresentable:
    return int(digits) if len(digits) <= 20 else fields.Unrepresentable(digits)


def _parse_float(digits: str) -> float | fields.Unrepresentable:
    value = float(digits)
    return value if math.isfinite(value) else fields.Unrepresentable(digits)


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DecodeError(
            '', f'key {fields.show(twice)} stands twice in one object', 'malformed')
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_parse_object, parse_int=_parse_int, parse_float=_parse_float,
    parse_constant=fields.Unrepresentable)
