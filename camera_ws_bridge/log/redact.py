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

"""Keep a secret out of text that a peer had a hand in: it may send back what it was shown."""

from __future__ import annotations

PIECE = 8  # characters in a row that give a secret away; less says nothing
HIDDEN = '***'


def without(secret: str, text: str) -> str:
    """Return the text with every piece of the secret, of PIECE characters or more, hidden."""
    size = min(PIECE, len(secret))
    if not size:
        return text
    kept: list[str] = []
    start = 0
    while start < len(text):
        end = start + size
        if end > len(text) or text[start:end] not in secret:
            kept.append(text[start])
            start += 1
            continue
        while end < len(text) and text[start:end + 1] in secret:
            end += 1
        kept.append(HIDDEN)
        start = end
    return ''.join(kept)
