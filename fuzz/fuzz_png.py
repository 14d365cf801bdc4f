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

"""Any bytes as a picture: a size within the limit, or a ValueError that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import fuzzing

with fuzzing.instrumented():
    from camera_ws_bridge.protocol import png

MAX_PIXELS = 2**24
WORDS = [png.SIGNATURE, b'IHDR', b'IDAT', b'IEND', b'\x00\x00\x00\x0d', b'\xff\xff\xff\xff',
         b'\x7f\xff\xff\xff', b'\x00\x00\x00\x00IEND\xaeB`\x82']


def check(data: bytes) -> None:
    """Look into the file; it is whole and within the limit, or refused in words."""
    try:
        width, height = png.check(data, MAX_PIXELS)
    except ValueError as error:
        assert type(error) in (ValueError, png.TooBig), repr(error)
        fuzzing.assert_in_words(error)
        return
    assert width > 0 and height > 0 and width * height <= MAX_PIXELS
    assert data.startswith(png.SIGNATURE) and b'IDAT' in data and b'IEND' in data[-8:]


def seeds() -> Iterator[bytes]:
    """Return pictures that are whole, and cut ones."""
    from camera_ws_bridge.sim.camera.picture import a_picture
    from rigs.png_files import chunk, cuts, png_file, png_of_length

    for picture in (
            a_picture(), png_file(), png_of_length(2000), png_file(chunk(b'teSt', b'x' * 40))):
        yield picture
        for place in cuts(picture):
            yield picture[:place]


if __name__ == '__main__':
    fuzzing.run('png', check, seeds(), WORDS)
