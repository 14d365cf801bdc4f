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

"""
The spool's thread: what the buffer holds is written beside it, and the buffer never waits.

What is acknowledged before its batch is due is never written: in normal operation nothing touches
the disk. While the file cannot be written the buffer goes on in memory; the rows' payloads are the
buffer's own objects, so what is kept here is bounded by the buffer's bounds. As soon as the file
can be written again, it is compared with what is still queued, and the difference is written.
The note goes into the file with the rows.

The listener is called in the spool's thread (during open(), in the caller's).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
import threading
import time
from typing import Any, Protocol

from camera_ws_bridge.buffer.outbox import Item, UPDATES
from camera_ws_bridge.buffer.spool.spool import Row, Spool, SpoolError
from camera_ws_bridge.errors import BridgeError, ConfigurationError

OK = 'ok'
DEGRADED = 'degraded'

# What one transaction holds: it bounds the write-ahead log, and what one failure undoes.
CHUNK_ROWS = 500
CHUNK_BYTES = 2**20

NEVER = float('inf')


def monotonic_time(accepted_at: float, *, wall: float, monotonic: float) -> float:
    """
    Return a row's Unix time on the monotonic clock; `wall` and `monotonic`: both clocks now.

    A wall clock that was set back makes a row young, never younger than now. One that was set
    forward (a device without a battery that has just heard of the time) makes it old: with a
    `boxes_max_age` it is dropped then.
    """
    return monotonic - max(0.0, wall - accepted_at)


class Listener(Protocol):
    """Who hears of the spool."""

    def changed(self, state: str, reason: str) -> None:
        """Hear of a new state and its reason."""

    def reported(self, text: str) -> None:
        """Hear of a corrupt file, in a line for the log."""

    def came_late(self, rows: list[Row]) -> None:
        """
        Take rows of an earlier life, in order, where the file could be read only later.

        They belong before all else, and their ids are below 1.
        """


@dataclass(frozen=True)
class Timing:
    """Seconds: how long boxes may wait for their batch, between two attempts to get well again."""

    interval: float = 0.5
    heal_interval: float = 5.0
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class SpoolWriter:
    """
    A Spool and the thread that writes it; `state` is 'ok', or 'degraded' for `reason`.

    added(), gone(), note(), flush() and close() are for one thread, the buffer's.
    """

    def __init__(
            self, path: str, max_bytes: int, listener: Listener, timing: Timing,
            open_spool: Callable[[str, int], Spool]) -> None:
        """Touch nothing yet: use SpoolWriter.open."""
        self.state = OK
        self.reason = ''
        self.found_note = b''  # what was noted in an earlier life
        self._path = path
        self._max_bytes = max_bytes
        self._listener = listener
        self._timing = timing
        self._clock = timing.clock
        self._open_spool = open_spool
        # The thread's own.
        self._spool: Spool | None = None
        self._loaded = False  # whether the rows of an earlier life have been read
        self._offset = 0  # of ids in the file to ids of the caller
        self._reopen = False  # whether the spool must be opened anew before it is used
        self._noted = b''  # what is in the file for certain
        # Both threads', under the condition's lock, which is never held while the disk is used.
        self._condition = threading.Condition()
        self._rows: dict[int, Row] = {}  # what should be in the file
        self._fresh: OrderedDict[int, float] = OrderedDict()  # of these, not written; since when
        self._dead: set[int] = set()  # in the file, but should not be
        self._dead_since = 0.0
        self._in_step = True  # the file holds _rows - _fresh + _dead
        self._heal_at = 0.0
        self._urgent = False
        self._flushing = False
        self._asleep = False  # until it is notified
        self._closing = False
        self._note = b''
        self._changes = 0
        self._written = 0  # of these changes
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name='spool', daemon=True)

    @classmethod
    def open(  # noqa: A003
            cls, path: str, max_bytes: int, listener: Listener, timing: Timing = Timing(),
            open_spool: Callable[[str, int], Spool] = Spool.open,
    ) -> tuple[SpoolWriter, list[Row], int]:
        """
        Return the writer, the rows of an earlier life in order, and the next free id.

        What is opened but cannot be read or written is degraded; raise ConfigurationError for what
        only a person can put right.
        """
        writer = cls(path, max_bytes, listener, timing, open_spool)
        rows: list[Row] = []
        try:
            rows = writer._opened().load()
            writer.found_note = writer._opened().note()
            writer._loaded = True
            writer._rows = {row.id: row for row in rows}
        except SpoolError as error:
            writer._fail(error)
        writer._thread.start()
        return writer, rows, rows[-1].id + 1 if rows else 1

    # ---- called from the buffer's thread

    def added(self, lane_name: str, item: Item) -> None:
        """Keep a message, whose id is greater than all before; an update at once."""
        row = Row(
            item.id, lane_name, item.object_id, self._timing.wall(), item.payload, item.session)
        urgent = lane_name == UPDATES
        with self._condition:
            self._changes += 1
            self._rows[item.id] = row
            self._fresh[item.id] = self._clock()
            if urgent:
                self._urgent = True
            if urgent or self._asleep:
                self._condition.notify_all()

    def gone(self, id: int) -> None:  # noqa: A002
        """Forget a message: it is acknowledged or dropped."""
        with self._condition:
            if self._rows.pop(id, None) is None:
                return
            self._changes += 1
            if self._fresh.pop(id, None) is None:
                if not self._dead:
                    self._dead_since = self._clock()
                self._dead.add(id)
                if self._asleep:
                    self._condition.notify_all()

    def note(self, content: bytes) -> None:
        """Have this in the file beside the rows that are written from now on, and at the end."""
        with self._condition:
            self._note = content

    def flush(self, timeout: float) -> bool:
        """
        Wait until all before this call is in the file, for at most timeout seconds.

        Return whether it is; where writing fails, return at once. What is in the file survives
        the end of the process (and a loss of power: updates; boxes after close()).
        """
        with self._condition:
            changes, failures = self._changes, self._failures
            if self._done(changes):
                return True
            self._flushing = True
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: self._done(changes) or self._failures > failures
                or not self._thread.is_alive(), timeout)
            return self._done(changes)

    def close(self, timeout: float) -> bool:
        """Write what is left and end the thread; return whether it ended within the timeout."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def bytes(self) -> int:  # noqa: A003
        """Return what the spool takes on the disk; from any thread."""
        spool = self._spool
        return spool.bytes() if spool is not None else 0

    # ---- the thread

    def _done(self, changes: int) -> bool:
        return self._in_step and self._written >= changes

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._condition:
                self._wait_until_due()
                closing = self._closing
                self._urgent = self._flushing = False
                changes = self._changes
            try:
                self._bring_into_step()
                self._write()
            except BridgeError as error:
                self._fail(error)
            except Exception as error:
                # A bug of ours must not cost more than the spool.
                self._fail(SpoolError('internal', f'{type(error).__name__}: {error}'))
            else:
                self._succeed(changes)
        if self._spool is not None:
            self._spool.close()

    def _wait_until_due(self) -> None:
        while (due := self._due()) > (now := self._clock()):
            self._asleep = due == NEVER
            self._condition.wait(None if self._asleep else due - now)
            self._asleep = False

    def _due(self) -> float:
        """Return when there is something to do."""
        if self._closing or self._flushing:
            return -NEVER
        if not self._in_step:
            return self._heal_at
        if self._urgent:
            return -NEVER
        due = NEVER
        if self._fresh:
            due = next(iter(self._fresh.values())) + self._timing.interval
        if self._dead:
            due = min(due, self._dead_since + self._timing.interval)
        return due

    def _load_late(self) -> list[Row]:
        """Return the rows of an earlier life under ids below 1: the caller is past these."""
        rows = self._opened().load()
        self._offset = rows[-1].id if rows else 0
        return [row._replace(id=row.id - self._offset) for row in rows]

    def _opened(self) -> Spool:
        if self._spool is None:
            self._spool = self._open_spool(self._path, self._max_bytes)
        elif self._reopen:
            self._spool.reopen()
        else:
            return self._spool
        self._reopen = False
        if self._spool.report:
            self._tell(self._listener.reported, self._spool.report)
        return self._spool

    def _bring_into_step(self) -> None:
        """After a failure, find out what has to be written and removed."""
        if self._in_step:
            return
        late = [] if self._loaded else self._load_late()
        in_file = {id_ - self._offset for id_ in self._opened().ids()}
        now = self._clock()
        with self._condition:
            if late:
                self._rows = {**{row.id: row for row in late}, **self._rows}
            self._fresh = OrderedDict((id_, now) for id_ in self._rows if id_ not in in_file)
            self._dead = in_file - self._rows.keys()
            self._dead_since = now
            self._in_step = self._loaded = True
        if late:
            self._tell(self._listener.came_late, late)

    def _write(self) -> None:
        with self._condition:
            added = [self._rows[id_] for id_ in self._fresh]
            removed = sorted(self._dead)
            self._fresh.clear()
            self._dead = set()
            last_note = self._closing and self._note != self._noted
        if not added and not removed and not last_note:
            return
        spool = self._opened()
        for start in range(0, len(removed), CHUNK_ROWS):
            spool.write((), [id_ + self._offset for id_ in removed[start:start + CHUNK_ROWS]])
        # Updates first: where there is no room for all, boxes have to stand back.
        for lane in (
                [row for row in added if row.lane == UPDATES],
                [row for row in added if row.lane != UPDATES]):
            for chunk in _chunks(lane):
                self._write_rows(
                    [row._replace(id=row.id + self._offset) for row in chunk]
                    if self._offset else chunk)
        if last_note and not added:
            self._write_rows([])
        if removed:
            spool.shrink()

    def _write_rows(self, rows: list[Row]) -> None:
        note = self._note
        self._opened().write(rows, (), note if note != self._noted else None)
        self._noted = note

    def _fail(self, error: BridgeError) -> None:
        if not (isinstance(error, SpoolError) and error.usable):
            self._reopen = True
            self._noted = b''
        reason = error.reason if isinstance(error, ConfigurationError) else str(error)
        self._set_state(DEGRADED, reason)
        with self._condition:
            self._in_step = False
            self._heal_at = self._clock() + self._timing.heal_interval
            self._failures += 1
            self._condition.notify_all()

    def _succeed(self, changes: int) -> None:
        self._set_state(OK, '')
        with self._condition:
            self._written = changes
            self._condition.notify_all()

    def _set_state(self, state: str, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._tell(self._listener.changed, state, reason)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(Exception):  # e.g. the loop that it would hand over to has ended
            callback(*arguments)


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    """Split rows into transactions."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) >= CHUNK_ROWS or size + len(row.payload) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.payload)
    if chunk:
        yield chunk
