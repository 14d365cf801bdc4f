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

"""Which camera has seen which tracked object, when: what /timelines answers."""

from __future__ import annotations

import json
import os
import pathlib
import time
from typing import Any


class Timelines:
    """
    Sightings by object id, with the time of their arrival.

    In a folder they outlive a restart, and are taken for those of the object that has the id then:
    so the real one does it.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """Keep them in a folder, or in memory only."""
        self._file = None if folder is None else pathlib.Path(folder) / 'timelines.jsonl'
        self._entries: dict[str, list[dict[str, Any]]] = {}
        self._newest: dict[str, dict[str, Any]] = {}  # by camera
        if self._file is not None and self._file.exists():
            for line in self._file.read_text(encoding='utf-8').splitlines():
                object_id, entry = json.loads(line)
                self._entries.setdefault(object_id, []).append(entry)

    def add(self, object_id: int, camera_id: Any) -> None:
        """Note that a camera sees an object now."""
        entry = {'timeStamp': time.strftime('%Y/%m/%d | %H:%M:%S'), 'processorId': camera_id}
        # Those of a second are one, else a live show takes 100 MB an hour.
        if self._newest.get(repr(camera_id)) != entry:
            self._newest[repr(camera_id)] = entry
        entry = self._newest[repr(camera_id)]
        self._entries.setdefault(str(object_id), []).append(entry)
        if self._file is not None:
            with self._file.open('a', encoding='utf-8') as file:
                file.write(json.dumps([str(object_id), entry]) + '\n')

    def of(self, object_id: str) -> list[dict[str, Any]] | None:
        """Return who has seen an object; None: nobody, or there is no such object."""
        return self._entries.get(object_id)
