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

"""PNG files: a small one for a Start with an image, and those of a stream."""

from __future__ import annotations

import struct
import zlib

from camera_ws_bridge.protocol import png
import numpy as np
import numpy.typing as npt


def a_picture(width: int = 24, height: int = 48, seed: int = 0) -> bytes:
    """Return an RGB picture of coloured noise as a PNG file; sizes in pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width * 3), dtype=np.uint8)
    return _file(width, 2, pixels, b'')


def png_of(pixels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG file; pixels: height, width, each a row of the palette (red, green, blue)."""
    return _file(pixels.shape[1], 3, pixels, _chunk(b'PLTE', palette.tobytes()), 1)


def _file(
        width: int, colour_type: int, rows: npt.NDArray[np.uint8], palette: bytes,
        level: int = -1) -> bytes:
    header = struct.pack('>IIBBBBB', width, len(rows), 8, colour_type, 0, 0, 0)
    unfiltered = np.hstack([np.zeros((len(rows), 1), np.uint8), rows])  # filter type 0 for each
    return (png.SIGNATURE + _chunk(b'IHDR', header) + palette
            + _chunk(b'IDAT', zlib.compress(unfiltered.tobytes(), level)) + _chunk(b'IEND', b''))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
