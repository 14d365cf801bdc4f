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

"""A PNG file is whole and of a reasonable size, or is refused with a reason."""

import itertools
import struct

from camera_ws_bridge.protocol import png
import pytest
from rigs.png_files import chunk, header, JPEG, pixels, PNG, png_file, SIGNATURE

LIMIT = 2**24
END = chunk(b'IEND')


def refused(data, max_pixels=LIMIT, error=ValueError):
    """Return the reason for which the file is refused."""
    with pytest.raises(error) as caught:
        png.check(data, max_pixels)
    assert type(caught.value) is error
    assert str(caught.value).isprintable()
    return str(caught.value)


def one_pixel(**values):
    """Return a file with these values in its header."""
    return SIGNATURE + header(**values) + pixels() + END


def test_size_of_a_good_file():
    for width, height in (1, 1), (2, 3), (640, 480), (1, 2**16):
        assert png.check(png_file(width=width, height=height), LIMIT) == (width, height)


def test_chunks_between_header_and_end_are_let_through():
    data = png_file(chunk(b'gAMA', bytes(4)), chunk(b'tEXt', b'Comment\x00IEND'), pixels())
    assert png.check(data, LIMIT) == (2, 3)


FORMATS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def test_exactly_the_bit_depths_of_the_specification():
    for colour, depth in itertools.product(range(8), (0, 1, 2, 3, 4, 5, 8, 15, 16, 32)):
        data = one_pixel(colour=colour, depth=depth)
        if depth in FORMATS.get(colour, ()):
            assert png.check(data, LIMIT) == (2, 3), (colour, depth)
        else:
            assert refused(data) == 'PNG header with unknown format', (colour, depth)


def test_interlaced_files_are_good():
    assert png.check(one_pixel(interlace=1), LIMIT) == (2, 3)


def test_unknown_methods():
    for values in {'compression': 1}, {'filtering': 1}, {'interlace': 2}:
        assert refused(one_pixel(**values)) == 'PNG header with unknown format', values


def test_what_is_no_png():
    for data in b'', b'\x89', SIGNATURE[:-1], JPEG, b'text', b'\x00' + PNG:
        assert refused(data) == 'not a PNG file (wrong signature)', data


def test_cut_off_anywhere():
    for length in range(len(SIGNATURE), len(PNG)):
        assert refused(PNG[:length]) == 'not a whole PNG file (cut off)', length


def test_a_chunk_longer_than_the_file():
    data = SIGNATURE + header() + struct.pack('>I', 2**32 - 1) + b'IDAT' + bytes(100)
    assert refused(data) == 'not a whole PNG file (cut off)'


def test_bytes_behind_the_end():
    for more in 1, len(PNG):
        assert refused(PNG + bytes(more)) == f'{more} bytes behind the end of the PNG file'


def test_the_header_comes_first():
    for first in (
            chunk(b'IEND'), pixels(), chunk(b'teSt') + header(), chunk(b'ihdr', header()[8:-4]),
            chunk(b'IHDR'), chunk(b'IHDR', bytes(12)), chunk(b'IHDR', header()[8:-4] + b'\x00')):
        assert refused(SIGNATURE + first + pixels() + END) == (
            'PNG file does not begin with its header'), first


def test_a_flipped_bit_in_the_header():
    for bit in range(8 * 4, 8 * len(header())):
        damaged = bytearray(header())
        damaged[bit // 8] ^= 1 << bit % 8
        assert refused(SIGNATURE + bytes(damaged) + pixels() + END) in (
            'PNG header has a wrong check sum', 'PNG file does not begin with its header'), bit


def test_no_pixels():
    assert refused(SIGNATURE + header() + END) == 'PNG file without image data'


def test_sizes_that_no_png_has():
    for width, height in (0, 3), (2, 0), (0, 0), (2**31, 1), (1, 2**32 - 1):
        assert refused(one_pixel(width=width, height=height), 2**64) == (
            f'PNG file of {width} x {height} pixels')


def test_greatest_size_that_a_png_can_have():
    data = one_pixel(width=2**31 - 1, height=2**31 - 1)
    assert png.check(data, 2**62) == (2**31 - 1, 2**31 - 1)
    assert refused(data, error=png.TooBig) == (
        'PNG file of 2147483647 x 2147483647 pixels; 16777216 are allowed')


def test_the_pixel_limit_is_the_greatest_that_is_let_through():
    assert png.check(PNG, 6) == (2, 3)
    assert refused(PNG, 5, png.TooBig) == 'PNG file of 2 x 3 pixels; 5 are allowed'


def test_the_chunk_limit_is_the_greatest_that_is_let_through():
    most = png.MAX_CHUNKS - 3  # header, pixels and end
    assert png.check(png_file(*[chunk(b'teSt')] * most), LIMIT) == (2, 3)
    assert refused(png_file(*[chunk(b'teSt')] * (most + 1))) == 'PNG file of more than 4096 chunks'


def test_an_end_with_data_in_it():
    assert refused(SIGNATURE + header() + pixels() + chunk(b'IEND', b'ab')) == (
        'PNG file with data in its end')
