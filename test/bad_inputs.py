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
Texts that the orchestrator might send, by name.

REJECTED: none of them is a message of the protocol; each with the field and the cause that the
DecodeError names. GOOD: every one of them is accepted. Plain data that needs nothing but the
standard library, so that tests of the codec and of the running bridge can share it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
import json
import struct
from typing import NamedTuple
import zlib

SIGNATURE = b'\x89PNG\r\n\x1a\n'
PREFIX = 'data:image/png;base64,'


class Rejected(NamedTuple):
    """A bad text, and what the DecodeError says of it."""

    name: str
    text: str
    field: str
    cause: str


class Good(NamedTuple):
    """A text that is a message."""

    name: str
    text: str


# ---- PNG files

def chunk(kind: bytes, body: bytes = b'', crc: int | None = None) -> bytes:
    """Return a PNG chunk; `crc` instead of the right check sum."""
    right = zlib.crc32(kind + body)
    return struct.pack('>I', len(body)) + kind + body + struct.pack(
        '>I', right if crc is None else crc)


def header(
        width: int = 2, height: int = 3, depth: int = 8, colour: int = 2, compression: int = 0,
        filtering: int = 0, interlace: int = 0) -> bytes:
    """Return the chunk that every PNG file begins with."""
    return chunk(b'IHDR', struct.pack(
        '>IIBBBBB', width, height, depth, colour, compression, filtering, interlace))


def pixels(width: int = 2, height: int = 3) -> bytes:
    """Return a chunk with black 8 bit RGB pixels."""
    return chunk(b'IDAT', zlib.compress(bytes((1 + 3 * width) * height)))


def png_file(*between: bytes, width: int = 2, height: int = 3) -> bytes:
    """Return a true PNG file, with more chunks between header and pixels."""
    return b''.join((
        SIGNATURE, header(width, height), *between, pixels(width, height), chunk(b'IEND')))


def png_of_length(length: int) -> bytes:
    """Return a true PNG file of so many bytes."""
    return png_file(chunk(b'teSt', bytes(length - len(png_file(chunk(b'teSt'))))))


def cuts(data: bytes) -> list[int]:
    """Return where a PNG file can be cut: around each part of each chunk, and inside it."""
    places = {0, 1, len(SIGNATURE) - 1, len(SIGNATURE)}
    offset = len(SIGNATURE)
    while offset < len(data):
        length, = struct.unpack_from('>I', data, offset)
        end = offset + 12 + length
        places |= {offset + 2, offset + 4, offset + 8, offset + 8 + length // 2, end - 4, end - 1}
        places.add(end)
        offset = end
    return sorted(places - {len(data)})


def data_uri(data: bytes, prefix: str = PREFIX) -> str:
    """Return the data URI of a file."""
    return prefix + base64.b64encode(data).decode('ascii')


def _png() -> bytes:
    """Return a file whose base64 has the letters + and /, and ends in two of padding."""
    text = b'\xff' * 6 + b'\xfb\xef\xbe\xfb\xef\xbe\x00' * 3  # in every alignment
    length = len(png_file(chunk(b'teSt', text)))
    data = png_file(chunk(b'teSt', text + bytes((1 - length) % 3)))
    assert {b'+', b'/'} <= {bytes([letter]) for letter in base64.b64encode(data)}
    assert base64.b64encode(data).endswith(b'==')
    return data


PNG = _png()
JPEG = bytes.fromhex('ffd8ffe000104a46494600010100000100010000ffd9')


# ---- good messages, as JSON text by field

def compose(fields: dict[str, str]) -> str:
    """Return a JSON object whose values are given as JSON text."""
    return '{' + ', '.join(f'{json.dumps(key)}: {text}' for key, text in fields.items()) + '}'


BOX = {
    'boxId': '3', 'rect': '[0.1, 0.25, 0.2, 0.75]', 'objectType': '"person"', 'certainty': '0.87',
    'objectId': '7'}

MESSAGES = {
    'start': {
        'objectId': '7', 'frameId': '1606.0333333333335', 'boxId': '3',
        'image': json.dumps(data_uri(PNG))},
    'stop': {'objectId': '7'},
    'featureMap': {'objectId': '7', 'featureMap': '[0.5, -1, 2.5]'},
    'boundingBoxes': {'frameId': '1606.0333333333335', 'boxes': f'[{compose(BOX)}]'},
}


def message(kind: str, without: tuple[str, ...] = (), **changes: str) -> str:
    """Return a good message, changed: values are JSON text."""
    fields = {'type': json.dumps(kind), **MESSAGES[kind], **changes}
    return compose({key: text for key, text in fields.items() if key not in without})


def start_with(image: str) -> str:
    """Return a start with this text as its image."""
    return message('start', image=json.dumps(image))


def boxes_with(without: tuple[str, ...] = (), **changes: str) -> str:
    """Return boundingBoxes whose second box is changed."""
    box = {key: text for key, text in {**BOX, **changes}.items() if key not in without}
    return message('boundingBoxes', boxes=f'[{compose(BOX)}, {compose(box)}]')


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
NO_IMAGE = {
    'null': 'null', 'a number': '5', 'a boolean': 'true', 'an array': '[]', 'an object': '{}'}


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
            if kind != 'start' or field != 'image':
                yield f'{kind} without {field}', message(kind, (field,)), f'{kind}.{field}'
    yield 'start of nothing', message('start', ('image', 'frameId', 'boxId')), 'start.image'
    yield 'start, only frameId', message('start', ('image', 'boxId')), 'start.boxId'
    yield 'start, only boxId', message('start', ('image', 'frameId')), 'start.frameId'
    for kind in ('start', 'stop', 'featureMap'):
        for name, value in {**NO_ID, **NEGATIVE}.items():
            yield f'{kind}.objectId {name}', message(kind, objectId=value), f'{kind}.objectId'
    for name, value in NO_ID.items():
        yield f'start.boxId {name}', message('start', boxId=value), 'start.boxId'
    for kind in ('start', 'boundingBoxes'):
        for name, value in NO_NUMBER.items():
            yield f'{kind}.frameId {name}', message(kind, frameId=value), f'{kind}.frameId'
    for name, value in NO_IMAGE.items():
        yield f'start.image {name}', message('start', image=value), 'start.image'
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


def _bad_data_uris() -> Iterator[tuple[str, str]]:
    good = data_uri(PNG)
    body = good[len(PREFIX):]
    bare = body.rstrip('=')
    middle = len(body) // 8 * 4
    yield 'empty', ''
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


def _bad_pngs() -> Iterator[tuple[str, bytes]]:
    yield 'a JPEG', JPEG
    yield 'a GIF', b'GIF89a\x01\x00\x01\x00\x00\x00\x00;'
    yield 'text', b'no picture'
    yield 'a MNG', b'\x8aMNG\r\n\x1a\n' + PNG[8:]
    yield 'a signature with converted line ends', PNG.replace(b'\r\n', b'\n', 1)
    yield 'a byte in front', b'\x00' + PNG
    for place in cuts(PNG):
        yield f'cut off at byte {place} of {len(PNG)}', PNG[:place]
    yield 'a byte behind it', PNG + b'\x00'
    yield 'another file behind it', PNG + PNG
    yield 'a chunk longer than the file', PNG.replace(
        struct.pack('>I', len(pixels()) - 12) + b'IDAT', b'\xff\xff\xff\xffIDAT')
    rest = pixels() + chunk(b'IEND')
    yield 'no header', SIGNATURE + rest
    yield 'no header but an end', SIGNATURE + chunk(b'IEND')
    yield 'a header later on', SIGNATURE + chunk(b'teSt') + header() + rest
    yield 'an empty header', SIGNATURE + chunk(b'IHDR') + rest
    yield 'a short header', SIGNATURE + chunk(b'IHDR', bytes(12)) + rest
    yield 'a long header', SIGNATURE + chunk(b'IHDR', header()[8:-4] + b'\x00') + rest
    yield 'a wrong header check sum', (
        SIGNATURE + chunk(b'IHDR', header()[8:-4], crc=0) + rest)
    yield 'no pixels', SIGNATURE + header() + chunk(b'IEND')
    for name, values in {
            'zero wide': {'width': 0}, 'zero high': {'height': 0},
            'wider than PNG allows': {'width': 2**31}, 'higher than PNG allows': {'height': 2**31},
            'too many pixels': {'width': 4097, 'height': 4096},
            'far too many pixels': {'width': 2**31 - 1, 'height': 2**31 - 1},
            'no bit depth': {'depth': 0}, 'an unknown bit depth': {'depth': 3},
            'a bit depth of another colour type': {'depth': 4, 'colour': 2},
            'an unknown colour type': {'colour': 1}, 'an unknown compression': {'compression': 1},
            'an unknown filter': {'filtering': 1}, 'an unknown interlace': {'interlace': 2},
            }.items():
        yield name, SIGNATURE + header(**values) + rest
    yield 'too many chunks', png_file(*[chunk(b'teSt')] * 4096)


def _too_big() -> Iterator[tuple[str, str, str]]:
    limit = 4 * 2**20
    yield 'image a byte too long', start_with(data_uri(png_of_length(limit + 1))), 'start.image'
    yield 'image 2 bytes too long', start_with(data_uri(png_of_length(limit + 2))), 'start.image'
    yield 'image far too long', start_with(data_uri(png_of_length(limit * 3 // 2))), 'start.image'
    yield 'image far too long and no base64', start_with(PREFIX + '?' * 2 * limit), 'start.image'
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
    for name, uri in _bad_data_uris():
        yield Rejected(f'data URI: {name}', start_with(uri), 'start.image', 'invalid_field')
    for name, data in _bad_pngs():
        yield Rejected(f'PNG: {name}', start_with(data_uri(data)), 'start.image', 'invalid_field')
    for name, text, field in _too_big():
        yield Rejected(name, text, field, 'too_big')


def _good() -> Iterator[Good]:
    for kind in MESSAGES:
        yield Good(kind, message(kind))
    yield Good('start, image only', message('start', ('frameId', 'boxId')))
    yield Good('start, frame and box only', message('start', ('image',)))
    yield Good('start, integer frame', message('start', frameId='1606'))
    yield Good('start, ids 0', message('start', objectId='0', boxId='0', frameId='0'))
    yield Good('start, greatest ids', message('start', objectId=str(2**63 - 1),
                                              boxId=str(-2**63)))
    yield Good('start, greatest image', start_with(data_uri(png_of_length(4 * 2**20))))
    yield Good('feature map of nothing', message('featureMap', featureMap='{}'))
    yield Good('feature map without numbers', message('featureMap', featureMap='[]'))
    yield Good('feature map of one integer', message('featureMap', featureMap='[0]'))
    yield Good('longest feature map',
               message('featureMap', featureMap='[' + '0.5,' * (2**16 - 1) + '0.5]'))
    yield Good('frame without boxes', message('boundingBoxes', boxes='[]'))
    yield Good('box that is not tracked', boxes_with(('objectId',)))
    yield Good('unknown fields', message(
        'stop', reason='"why"', more='{"a": [null, NaN, 1e999, %s, "\\ud800"]}' % ('9' * 5000)))
    yield Good('white space', '\r\n\t ' + message('stop') + ' \n')


REJECTED = tuple(_rejected())
GOOD = tuple(_good())
