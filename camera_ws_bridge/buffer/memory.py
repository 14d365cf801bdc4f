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
        self._peak = 0  # bytes, since memory was last given back
        self._again = False

    def watch(self, size: int, peak: int) -> None:
        """
        Take note of the buffer's bytes, and of the most since the last call.

        Trim if they have become far fewer, and again with the next call: what has just left the
        buffer may be on its way through a connection yet. A large message may come and go between
        two calls.
        """
        self._peak = max(self._peak, peak)
        shrunk = self._peak - size >= TRIM_AFTER
        if shrunk:
            self._peak = size
        if shrunk or self._again:
            self._trim()
        self._again = shrunk
