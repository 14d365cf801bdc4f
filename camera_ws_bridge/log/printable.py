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
"""Foreign text in log lines and reports: it must neither break lines nor move a cursor."""

from __future__ import annotations

MAX_LENGTH = 200


def printable(text: str) -> str:
    """Return the text in one line, with all that could move a terminal's cursor escaped."""
    return ''.join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text)


def clean(text: str) -> str:
    """Return foreign text as one printable line of at most MAX_LENGTH characters."""
    line = printable(text[:MAX_LENGTH])
    return line if len(line) <= MAX_LENGTH and len(text) <= MAX_LENGTH else (
        line[:MAX_LENGTH - 3] + '...')
