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
PNG files, whole ones and broken ones.

Plain data that needs nothing but the standard library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
import struct
import zlib

SIGNATURE = b'\x89PNG\r\n\x1a\n'


# ---- parts

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


# ---- whole files

def png_file(*between: bytes, width: int = 2, height: int = 3) -> bytes:
    """Return a true PNG file, with more chunks between header and pixels."""
    return b''.join((
        SIGNATURE, header(width, height), *between, pixels(width, height), chunk(b'IEND')))


def png_of_length(length: int) -> bytes:
    """Return a true PNG file of so many bytes."""
    return png_file(chunk(b'teSt', bytes(length - len(png_file(chunk(b'teSt'))))))


def _png() -> bytes:
    """Return a file whose base64 has the letters + and /, and ends in two of padding."""
    text = b'\xff' * 6 + b'\xfb\xef\xbe\xfb\xef\xbe\x00' * 3  # in every alignment
    length = len(png_file(chunk(b'teSt', text)))
    data = png_file(chunk(b'teSt', text + bytes((1 - length) % 3)))
    assert {b'+', b'/'} <= {bytes([letter]) for letter in base64.b64encode(data)}
    assert base64.b64encode(data).endswith(b'==')
    return data


PNG = _png()


# ---- broken files

JPEG = bytes.fromhex('ffd8ffe000104a46494600010100000100010000ffd9')


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


def bad_pngs() -> Iterator[tuple[str, bytes]]:
    """Return files, and what is wrong with them."""
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
            'too many pixels': {'width': 4097, 'height': 8192},
            'far too many pixels': {'width': 2**31 - 1, 'height': 2**31 - 1},
            'no bit depth': {'depth': 0}, 'an unknown bit depth': {'depth': 3},
            'a bit depth of another colour type': {'depth': 4, 'colour': 2},
            'an unknown colour type': {'colour': 1}, 'an unknown compression': {'compression': 1},
            'an unknown filter': {'filtering': 1}, 'an unknown interlace': {'interlace': 2},
            }.items():
        yield name, SIGNATURE + header(**values) + rest
    yield 'too many chunks', png_file(*[chunk(b'teSt')] * 4096)
