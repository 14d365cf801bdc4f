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
A look into PNG files without decoding them.

Enough to refuse what is not a PNG, what is cut off and what would unpack to an unreasonable size,
before a decoder downstream sees it. Source: W3C PNG Specification (Third Edition), section 5.
"""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b'\x89PNG\r\n\x1a\n'
MAX_CHUNKS = 4096

_CHUNK_HEAD = struct.Struct('>I4s')
_IHDR = struct.Struct('>IIBBBBB')
_BIT_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


class TooBig(ValueError):
    """A file of more pixels than are allowed."""


def check(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Return (width, height) in pixels; raise ValueError with the reason, or TooBig."""
    if not data.startswith(SIGNATURE):
        raise ValueError('not a PNG file (wrong signature)')
    offset = len(SIGNATURE)
    size: tuple[int, int] | None = None
    seen_data = False
    for _ in range(MAX_CHUNKS):
        if offset + _CHUNK_HEAD.size > len(data):
            raise ValueError('not a whole PNG file (cut off)')
        length, kind = _CHUNK_HEAD.unpack_from(data, offset)
        body = offset + _CHUNK_HEAD.size
        offset = body + length + 4
        if offset > len(data):
            raise ValueError('not a whole PNG file (cut off)')
        if size is None:
            size = _image_size(kind, data[body:body + length], data[body - 4:offset], max_pixels)
        seen_data = seen_data or kind == b'IDAT'
        if kind == b'IEND':
            if length:
                raise ValueError('PNG file with data in its end')
            if not seen_data:
                raise ValueError('PNG file without image data')
            if offset != len(data):
                raise ValueError(f'{len(data) - offset} bytes behind the end of the PNG file')
            return size
    raise ValueError(f'PNG file of more than {MAX_CHUNKS} chunks')


def _image_size(kind: bytes, header: bytes, checked: bytes, max_pixels: int) -> tuple[int, int]:
    if kind != b'IHDR' or len(header) != _IHDR.size:
        raise ValueError('PNG file does not begin with its header')
    if zlib.crc32(checked[:-4]) != int.from_bytes(checked[-4:], 'big'):
        raise ValueError('PNG header has a wrong check sum')
    width, height, depth, colour, compression, filtering, interlace = _IHDR.unpack(header)
    if not 0 < width < 2**31 or not 0 < height < 2**31:
        raise ValueError(f'PNG file of {width} x {height} pixels')
    if width * height > max_pixels:
        raise TooBig(f'PNG file of {width} x {height} pixels; {max_pixels} are allowed')
    if depth not in _BIT_DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise ValueError('PNG header with unknown format')
    return width, height
