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

"""The record of all traffic that a simulator has seen, as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
import os
import time
from typing import Any, NamedTuple

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import strict_json


class Entry(NamedTuple):
    """A frame in a journal."""

    t: float  # Unix time
    connection: str
    direction: str
    text: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return the JSON object that the frame is; an empty one if it is none."""
        try:
            return strict_json.loads(self.text)
        except DecodeError:
            return {}


class Journal:
    """
    A file that loses nothing to a kill.

    Every entry is one unbuffered write, made before the frame is acted on: what a peer has been
    answered is in the file. The format is that of test/data/orchestrator-session.jsonl.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, to append."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, connection: str, direction: str, text: str) -> None:
        """Append an entry."""
        entry = {'t': time.time(), 'connection': connection, 'direction': direction, 'text': text}
        os.write(self._file, strict_json.dumps(entry).encode() + b'\n')

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def received(path: str | os.PathLike[str], connection: str | None = None) -> Iterator[Entry]:
    """Return what the orchestrator has received, from one camera or from all; lazily."""
    with open(path, 'rb') as journal:  # a kill may have cut off a character
        for line in journal:
            try:
                entry = Entry(**strict_json.loads(line))
            except (DecodeError, TypeError):
                continue  # a line that a kill cut off
            if entry.direction == 'to_orchestrator' and connection in (None, entry.connection):
                yield entry
