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

"""Ties a spool to a buffer: what an earlier life of the process left goes back into it."""

from __future__ import annotations

from collections.abc import Callable
import time

from camera_ws_bridge.buffer.outbox import Item, Outbox
from camera_ws_bridge.buffer.spool.spool import Row
from camera_ws_bridge.buffer.spool.writer import DEGRADED, monotonic_time, SpoolWriter
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.log.throttled_log import ThrottledLog


class Keeper:
    """The spool of one buffer, if there is to be one, and what is said of it."""

    def __init__(
            self, outbox: Outbox, on_late: Callable[[], None], log: ThrottledLog) -> None:
        """on_late: let restore_late() be called in the buffer's thread; from the spool's."""
        self._outbox = outbox
        self._on_late = on_late
        self._log = log
        self._writer: SpoolWriter | None = None
        self._late: list[Row] = []

    def open(self, path: str, max_bytes: int) -> None:  # noqa: A003
        """Open the file, and put what it holds into the buffer; raise ConfigurationError."""
        self._writer, rows, self._outbox.next_id = SpoolWriter.open(path, max_bytes, self)
        self._outbox.journal = self._writer
        self._put_back(rows)
        if rows:
            self._log.info(f'{len(rows)} messages of an earlier life are in the spool')

    @property
    def found_note(self) -> bytes:
        """Return what was noted in an earlier life."""
        return b'' if self._writer is None else self._writer.found_note

    def note(self, content: bytes) -> None:
        """Have this found in the next life, as far as that finds messages or an end in order."""
        if self._writer is not None:
            self._writer.note(content)

    @property
    def is_open(self) -> bool:
        """Return whether there is a spool."""
        return self._writer is not None

    @property
    def state(self) -> str:
        """Return 'ok', or 'degraded: ' and why; empty: there is no spool."""
        writer = self._writer
        if writer is None:
            return ''
        return writer.state if writer.state != DEGRADED else (
            f'{writer.state}: {clean(writer.reason)}')

    def close(self, timeout: float) -> bool:
        """Write what is left; return whether that was done in so many seconds."""
        return self._writer is None or self._writer.close(timeout)

    def restore_late(self) -> None:
        """Put back what could be read only now."""
        rows, self._late = self._late, []
        self._put_back(rows)

    def _put_back(self, rows: list[Row]) -> None:
        wall, monotonic = time.time(), time.monotonic()
        for lane in (self._outbox.updates, self._outbox.boxes):
            self._outbox.put_back(lane, [Item(
                row.id, row.payload, monotonic_time(
                    row.accepted_at, wall=wall, monotonic=monotonic), row.object_id, row.session)
                for row in rows if row.lane == lane.name])

    # ---- what the writer tells, in its thread

    def changed(self, state: str, reason: str) -> None:
        """Say that the spool can, or cannot, be written."""
        if state == DEGRADED:
            self._log.error('', 'the spool cannot be written, the buffer is in memory only: '
                            + reason)
        else:
            self._log.info('the spool is in use again')

    def reported(self, text: str) -> None:
        """Say that the file was corrupt."""
        self._log.error('', text)

    def came_late(self, rows: list[Row]) -> None:
        """Take rows of an earlier life, which could be read only now."""
        self._late += rows
        self._on_late()
