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
Starts that name their object, but show it by something unusable.

DAMAGED names them; what is usable of each is passed on. Plain data that needs nothing but the
standard library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

from rigs.bad_inputs import NO_ID, NO_NUMBER
from rigs.png_files import bad_pngs, PNG, png_of_length
from rigs.texts import data_uri, message, PREFIX, start_with

MAX_IMAGE = 15 * 2**19  # bytes; max_image_bytes


class Damaged(NamedTuple):
    """A start whose frame or image, not both, is unusable, and what its problem begins with."""

    name: str
    text: str
    part: str  # 'frame' or 'image'
    problem: str

    @property
    def cause(self) -> str:
        """Return under which name it is counted."""
        return f'{self.part}_unusable'


NO_IMAGE = {
    'null': 'null', 'a number': '5', 'a boolean': 'true', 'an array': '[]', 'an object': '{}'}


def _bad_data_uris() -> Iterator[tuple[str, str]]:
    good = data_uri(PNG)
    body = good[len(PREFIX):]
    bare = body.rstrip('=')
    middle = len(body) // 8 * 4
    yield 'empty', ''
    yield 'of an empty canvas', 'data:,'
    yield 'only base64', body
    yield 'a file name', 'object.png'
    yield 'a URL', 'https://localhost/object.png'
    yield 'another media type', data_uri(PNG, 'data:image/jpeg;base64,')
    yield 'no media type', data_uri(PNG, 'data:;base64,')
    yield 'a parameter', data_uri(PNG, 'data:image/png;charset=utf-8;base64,')
    yield 'not marked as base64', data_uri(PNG, 'data:image/png,')
    yield 'upper case', data_uri(PNG, 'DATA:IMAGE/PNG;BASE64,')
    yield 'upper case base64', data_uri(PNG, 'data:image/png;BASE64,')
    yield 'a space in front', ' ' + good
    yield 'a space in the prefix', data_uri(PNG, 'data:image/png;base64, ')
    yield 'cut off in the prefix', PREFIX[:-1]
    yield 'nothing in it', PREFIX
    yield 'only padding', PREFIX + '===='
    yield 'a space in the base64', PREFIX + body[:middle] + ' ' + body[middle:]
    yield 'a newline in the base64', PREFIX + body[:middle] + '\n' + body[middle:]
    yield 'a newline at the end', good + '\n'
    yield 'the url-safe alphabet', PREFIX + base64.urlsafe_b64encode(PNG).decode('ascii')
    yield 'percent encoding', good.replace('+', '%2B')
    yield 'no padding', PREFIX + bare
    yield 'half the padding', PREFIX + bare + '='
    yield 'too much padding', good + '===='
    yield 'padding in the middle', PREFIX + body[:middle - 1] + '=' + body[middle:]
    yield 'two files one after the other', good + body
    yield 'stray trailing bits', PREFIX + bare[:-1] + _next_letter(bare[-1]) + '=='
    yield 'letters behind the padding', good + 'AAAA'
    yield 'one letter too few', PREFIX + body[1:]
    yield 'a letter of no alphabet', PREFIX + body[:middle] + '!' + body[middle + 1:]
    yield 'a letter that is not ASCII', PREFIX + body[:middle] + '\u00e4' + body[middle + 1:]
    yield 'half a surrogate pair', PREFIX + body[:middle] + '\ud800' + body[middle + 1:]
    yield 'a NUL', PREFIX + body[:middle] + '\x00' + body[middle + 1:]


def _next_letter(letter: str) -> str:
    """Return a base64 letter that differs in a bit which two of padding make meaningless."""
    alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    return alphabet[alphabet.index(letter) ^ 1]


def _too_big() -> Iterator[tuple[str, str]]:
    yield 'a byte too long', data_uri(png_of_length(MAX_IMAGE + 1))
    yield '2 bytes too long', data_uri(png_of_length(MAX_IMAGE + 2))
    yield 'far too long', data_uri(png_of_length(MAX_IMAGE * 3 // 2))
    yield 'far too long and no base64', PREFIX + '?' * 2 * MAX_IMAGE


def _damaged() -> Iterator[Damaged]:
    for name, value in NO_ID.items():
        yield Damaged(f'boxId {name}', message('start', boxId=value), 'frame', 'boxId: ')
    for name, value in NO_NUMBER.items():
        yield Damaged(f'frameId {name}', message('start', frameId=value), 'frame', 'frameId: ')
    for name in ('frameId', 'boxId'):
        yield Damaged(f'no {name}', message('start', (name,)), 'frame', f'{name}: missing')
    for name, value in NO_IMAGE.items():
        yield Damaged(f'image {name}', message('start', image=value), 'image', 'invalid_field: ')
    for name, uri in _bad_data_uris():
        yield Damaged(f'data URI: {name}', start_with(uri), 'image', 'invalid_field: ')
    for name, data in bad_pngs():
        yield Damaged(f'PNG: {name}', start_with(data_uri(data)), 'image',
                      'too_big: ' if 'too many pixels' in name else 'invalid_field: ')
    for name, uri in _too_big():
        yield Damaged(f'image {name}', start_with(uri), 'image', 'too_big: ')


DAMAGED = tuple(_damaged())
