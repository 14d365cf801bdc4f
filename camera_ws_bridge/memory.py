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

"""Memory that a buffer no longer needs goes back to the system; the C library would keep it."""

from __future__ import annotations

from collections.abc import Callable
import ctypes

TRIM_AFTER = 8 * 2**20  # bytes that the buffer has shrunk by; trimming costs milliseconds


def malloc_trim() -> None:
    """Give back free pages of the heap, wherever they lie; does nothing where this is unknown."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # not glibc
        pass


class Trimmer:
    """Watches the size of a buffer."""

    def __init__(self, trim: Callable[[], None] = malloc_trim) -> None:
        self._trim = trim
        self._peak = 0  # bytes, since the last time

    def watch(self, size: int) -> None:
        """Take note of the buffer's bytes; trim if they have become far fewer."""
        self._peak = max(self._peak, size)
        if self._peak - size >= TRIM_AFTER:
            self._peak = size
            self._trim()
