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

"""One camera's log lines, that cannot flood: at most one per subject and interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from camera_ws_bridge.log.printable import clean


class Logger(Protocol):
    """What rclpy's and the standard library's loggers have in common."""

    def debug(self, message: str) -> object:
        """Log for developers."""

    def info(self, message: str) -> object:
        """Log what happens."""

    def warning(self, message: str) -> object:
        """Log what should not happen, but is coped with."""

    def error(self, message: str) -> object:
        """Log what somebody has to mend."""


class ThrottledLog:
    """
    Begins every line with the camera's id; of warnings and errors it counts what is too much.

    `interval` is in seconds of the monotonic `clock`.
    """

    def __init__(
            self, logger: Logger, camera_id: str, clock: Callable[[], float],
            interval: float = 5.0) -> None:
        self._logger = logger
        self._prefix = f'{camera_id}: '
        self._clock = clock
        self._interval = interval
        self._last: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def info(self, text: str) -> None:
        """Log what happens; never held back."""
        self._logger.info(clean(self._prefix + text))

    def warning(self, subject: str, text: str) -> None:
        """Log the text, unless the subject was heard of lately; subjects must be few."""
        line = self._line(subject, text)
        if line:
            self._logger.warning(line)

    def error(self, subject: str, text: str) -> None:
        """Do what warning() does, as an error; with an empty subject, never hold it back."""
        line = self._line(subject, text)
        if line:
            self._logger.error(line)  # rclpy allows one line of code only one severity

    def bug(self, error: Exception, what: str = '') -> None:
        """Log an error that is our own fault; what: what it has cost."""
        self.error(f'internal {what}', f'{what}internal error, please report: '
                   f'{type(error).__name__}: {error}')

    def _line(self, subject: str, text: str) -> str:
        if not subject:
            return clean(self._prefix + text)
        now = self._clock()
        last = self._last.get(subject)
        if last is not None and now - last < self._interval:
            self._suppressed[subject] = self._suppressed.get(subject, 0) + 1
            return ''
        more = self._suppressed.pop(subject, 0)
        self._last[subject] = now
        return clean(self._prefix + text) + (
            f' ({more} more like it before)' if more else '')
