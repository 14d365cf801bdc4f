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

"""A small PNG file, for a Start with an image."""

from __future__ import annotations

import struct
import zlib

from camera_ws_bridge.protocol import png
import numpy as np


def a_picture(width: int = 24, height: int = 48, seed: int = 0) -> bytes:
    """Return an RGB picture of coloured noise as a PNG file; sizes in pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width * 3), dtype=np.uint8)
    rows = np.hstack([np.zeros((height, 1), np.uint8), pixels])  # filter type 0 for each row
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return png.SIGNATURE + b''.join(
        _chunk(kind, data) for kind, data in (
            (b'IHDR', header), (b'IDAT', zlib.compress(rows.tobytes())), (b'IEND', b'')))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
