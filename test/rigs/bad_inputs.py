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
Texts that the orchestrator might send, and none of them is a message of the protocol.

REJECTED names them, and gives the field and the cause that the DecodeError tells. Plain data that
needs nothing but the standard library, so that tests of the codec and of the running bridge can
share it.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
from typing import NamedTuple

from rigs.texts import BOX, boxes_with, compose, message, MESSAGES


class Rejected(NamedTuple):
    """A bad text, and what the DecodeError says of it."""

    name: str
    text: str
    field: str
    cause: str


# ---- values that fit no field of a kind, as JSON text

NO_NUMBER = {
    'NaN': 'NaN',
    'Infinity': 'Infinity',
    '-Infinity': '-Infinity',
    'a double that overflows': '1e999',
    'a boolean': 'true',
    'null': 'null',
    'a string': '"12.5"',
    'an array': '[12.5]',
    'an object': '{"value": 12.5}',
    'an integer of 400 digits': '9' * 400,
    'an integer of 5,000 digits': '-' + '9' * 5000,
    'an integer that no double holds': str(2**53 + 1),
}
NO_ID = {
    'a float': '7.5',
    'a whole float': '7.0',
    'a float in scientific notation': '7e0',
    'NaN': 'NaN',
    'Infinity': 'Infinity',
    'a double that overflows': '-1e999',
    'a boolean': 'false',
    'null': 'null',
    'a string': '"7"',
    'an array': '[7]',
    'an object': '{}',
    'an integer of 400 digits': '9' * 400,
    'an integer of 5,000 digits': '9' * 5000,
    'an integer beyond int64': str(2**63),
    'an integer beyond uint64': str(2**64),
    'an integer below int64': str(-2**63 - 1),
}
NEGATIVE = {'-1': '-1', 'the lowest int64': str(-2**63)}
NO_TEXT = {
    'a number': '5',
    'a boolean': 'true',
    'null': 'null',
    'an array': '["person"]',
    'an object': '{}',
    'NaN': 'NaN',
    'half a surrogate pair': r'"\ud800"',
    'a surrogate pair the wrong way round': r'"a\udc00\ud800b"',
}
NO_RECT = {
    'null': 'null',
    'a number': '0.5',
    'a string': '"0.1"',
    'an object': '{"left": 0, "top": 0, "right": 1, "bottom": 1}',
    'no numbers': '[]',
    'three numbers': '[0, 0, 1]',
    'five numbers': '[0, 0, 1, 1, 1]',
    'very many numbers': '[' + '0.5, ' * 10000 + '0.5]',
}


# ---- the table

def _not_json() -> Iterator[tuple[str, str]]:
    stop = message('stop')
    yield 'empty', ''
    yield 'blank', ' \r\n\t'
    yield 'not JSON at all', 'hello'
    yield 'HTML', '<html><body>502 Bad Gateway</body></html>'
    yield 'byte order mark', '\ufeff' + stop
    yield 'cut off', stop[:-1]
    yield 'cut off in a string', stop[:5]
    yield 'trailing comma', stop[:-1] + ',}'
    yield 'trailing text', stop + ' x'
    yield 'trailing NUL', stop + '\x00'
    yield 'two messages', stop + '\n' + stop
    yield 'single quotes', stop.replace('"', "'")
    yield 'keys without quotes', '{type: "stop", objectId: 7}'
    yield 'a comment', '{"type": "stop", /* all */ "objectId": 7}'
    yield 'no-break space between', '{"type":\u00a0"stop", "objectId": 7}'
    yield 'a newline in a string', '{"type": "stop\n", "objectId": 7}'
    yield 'a control character in a string', '{"type": "stop", "objectId": 7, "x": "\x1b[31m"}'
    yield 'an unknown escape', r'{"type": "st\op", "objectId": 7}'
    yield 'a short unicode escape', r'{"type": "stop\u12", "objectId": 7}'
    for name, number in {
            'hexadecimal': '0x7', 'with a leading zero': '07', 'with a plus': '+7',
            'without digits before the point': '.5', 'without digits behind the point': '7.',
            'with an underscore': '1_000', 'in Arabic digits': '\u0667', 'missing': '',
            'without digits': '-', 'in words': 'undefined', 'nan': 'nan'}.items():
        yield f'a number {name}', message('stop', objectId=number)
    yield 'Python constants', message('stop', objectId='None')


def _not_an_object() -> Iterator[tuple[str, str]]:
    yield 'null', 'null'
    yield 'a boolean', 'true'
    yield 'a number', '7'
    yield 'NaN', 'NaN'
    yield 'a number of 5,000 digits', '7' * 5000
    yield 'a string', '"stop"'
    yield 'an empty array', '[]'
    yield 'an array of messages', f'[{message("stop")}]'


def _nested() -> Iterator[tuple[str, str]]:
    depth = 100000
    yield 'arrays', '[' * depth
    yield 'arrays, closed', '[' * depth + ']' * depth
    yield 'objects', '{"a":' * depth
    yield 'objects, closed', '{"a":' * depth + '0' + '}' * depth
    yield 'arrays in a field', message('stop', objectId='[' * depth + ']' * depth)
    yield 'arrays in an unknown field', message('stop', more='[' * depth + ']' * depth)
    yield 'objects in a feature map', message(
        'featureMap', featureMap='{"a":' * depth + '0' + '}' * depth)


def _twice() -> Iterator[tuple[str, str]]:
    yield 'the type', '{"type": "stop", "type": "stop", "objectId": 7}'
    yield 'another type', '{"type": "start", "objectId": 7, "type": "stop"}'
    yield 'a field', '{"type": "stop", "objectId": 7, "objectId": 8}'
    yield 'a field, once escaped', r'{"type": "stop", "objectId": 7, "object\u0049d": 8}'
    yield 'an unknown field', message('stop')[:-1] + ', "x": 1, "x": 1}'
    yield 'in an unknown field', message('stop', x='{"y": [{"z": 1, "z": 2}]}')
    yield 'in a box', message('boundingBoxes', boxes=f'[{compose(BOX)[:-1]}, "boxId": 4}}]')
    yield 'in a feature map', message('featureMap', featureMap='{"a": 1, "a": 1}')
    yield 'an empty key', '{"": 1, "": 2}'
    yield 'a key of control characters', r'{"\u0000\n\u001b[31m": 1, "\u0000\n\u001b[31m": 2}'
    yield 'a key of half a surrogate pair', r'{"\ud800": 1, "\ud800": 2}'
    yield 'a very long key', '{"%s": 1, "%s": 2}' % (('k' * 100000,) * 2)


def _bad_types() -> Iterator[tuple[str, str, str]]:
    yield 'no type', '{"objectId": 7}', 'invalid_field'
    yield 'empty object', '{}', 'invalid_field'
    for name, text in {
            'null': 'null', 'number': '5', 'boolean': 'true', 'array': '["stop"]',
            'object': '{"stop": 1}', 'NaN': 'NaN', '5,000 digits': '5' * 5000}.items():
        yield f'type is {name}', compose({'type': text, 'objectId': '7'}), 'invalid_field'
    for name, value in {
            'nobody knows': 'hello', 'of the operators': 'stopTracking', 'empty': '',
            'capital': 'Stop', 'with a space': 'stop ', 'with a NUL': 'stop\x00',
            'very long': 'stop' * 25000, 'half a surrogate pair': '\ud800',
            'control characters': '\x1b[31m\r\nstop\x7f\x85\u2028',
            'inherited by every object': '__class__'}.items():
        yield f'type {name}', compose({'type': json.dumps(value), 'objectId': '7'}), 'unknown_type'


def _bad_fields() -> Iterator[tuple[str, str, str]]:
    for kind, fields in MESSAGES.items():
        for field in fields:
            if kind != 'start' or field == 'objectId':
                yield f'{kind} without {field}', message(kind, (field,)), f'{kind}.{field}'
    for kind in ('start', 'stop', 'featureMap'):
        for name, value in {**NO_ID, **NEGATIVE}.items():
            yield f'{kind}.objectId {name}', message(kind, objectId=value), f'{kind}.objectId'
    for name, value in NO_NUMBER.items():
        yield (f'boundingBoxes.frameId {name}', message('boundingBoxes', frameId=value),
               'boundingBoxes.frameId')
    yield from _bad_feature_maps()
    yield from _bad_boxes()


def _bad_feature_maps() -> Iterator[tuple[str, str, str]]:
    field = 'featureMap.featureMap'
    for name, value in {
            'null': 'null', 'a number': '0.5', 'a boolean': 'false', 'a string': '"[0.5]"',
            'an empty string': '""', 'NaN': 'NaN', 'an object': '{"0": 0.5}',
            'an object of data': '{"data": [0.5]}'}.items():
        yield f'featureMap {name}', message('featureMap', featureMap=value), field
    for name, value in {**NO_NUMBER, 'an empty object': '{}', 'an empty array': '[]'}.items():
        yield (f'featureMap with {name}',
               message('featureMap', featureMap=f'[0.5, {value}, 2]'), f'{field}[1]')
    yield 'featureMap, only null', message('featureMap', featureMap='[null]'), f'{field}[0]'


def _bad_boxes() -> Iterator[tuple[str, str, str]]:
    for name, value in {
            'null': 'null', 'a number': '5', 'a string': '"[]"', 'an object': compose(BOX),
            'an empty object': '{}', 'a boolean': 'true', 'NaN': 'NaN'}.items():
        yield f'boxes {name}', message('boundingBoxes', boxes=value), 'boundingBoxes.boxes'
    for name, value in {
            'null': 'null', 'a number': '5', 'a string': '"box"', 'an array': '[3]',
            'NaN': 'NaN'}.items():
        yield (f'a box {name}', message('boundingBoxes', boxes=f'[{compose(BOX)}, {value}]'),
               'boundingBoxes.boxes[1]')
    path = 'boundingBoxes.boxes[1].'
    for field in ('boxId', 'rect', 'objectType', 'certainty'):
        yield f'a box without {field}', boxes_with((field,)), path + field
    for field, values in {
            'boxId': NO_ID, 'objectId': {**NO_ID, **NEGATIVE}, 'objectType': NO_TEXT,
            'certainty': NO_NUMBER, 'rect': NO_RECT}.items():
        for name, value in values.items():
            yield f'box.{field} {name}', boxes_with(**{field: value}), path + field
    for name, value in NO_NUMBER.items():
        yield (f'box.rect with {name}', boxes_with(rect=f'[0, 0, 1, {value}]'),
               path + 'rect[3]')


def _too_big() -> Iterator[tuple[str, str, str]]:
    yield ('feature map too long',
           message('featureMap', featureMap='[' + '0.5,' * 2**16 + '0.5]'),
           'featureMap.featureMap')
    yield ('feature map too long, of nulls',
           message('featureMap', featureMap='[' + 'null,' * 2**16 + 'null]'),
           'featureMap.featureMap')


def _rejected() -> Iterator[Rejected]:
    for group, pairs in {
            'not JSON': _not_json(), 'not an object': _not_an_object(), 'nested': _nested(),
            'twice': _twice()}.items():
        for name, text in pairs:
            yield Rejected(f'{group}: {name}', text, '', 'malformed')
    for name, text, cause in _bad_types():
        yield Rejected(name, text, 'type', cause)
    for name, text, field in _bad_fields():
        yield Rejected(name, text, field, 'invalid_field')
    for name, text, field in _too_big():
        yield Rejected(name, text, field, 'too_big')


REJECTED = tuple(_rejected())
