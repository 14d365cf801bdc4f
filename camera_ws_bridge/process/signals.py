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
The signals that end a process: held back in every thread, and waited for by one.

Handlers would not do. The events executor installs its own over them, and when it goes it leaves
none: a second signal, as launch and impatient people send one, would kill the process while it
ends. What is held back cannot do that, from the first line of the start to the last of the end.
"""

from __future__ import annotations

from collections.abc import Callable
import os
import signal
import threading

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndSignals:
    """Calls back for each signal that is to end the process; before it is told whom, ends it."""

    def __init__(self) -> None:
        # Not an exception: code that is being imported may catch it. There is nothing to undo.
        self._callback: Callable[[], None] = lambda: os._exit(0)
        self._thread: threading.Thread | None = None

    def hold_back(self) -> None:
        """Begin; call this in the main thread before there are others, which inherit it."""
        if self._thread is not None:
            return
        # A process that nohup has made deaf to SIGHUP stays so.
        numbers = [number for number in NUMBERS if number != signal.SIGHUP
                   or signal.getsignal(number) != signal.SIG_IGN]
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        self._thread = threading.Thread(
            target=self._run, args=(numbers,), name='signals', daemon=True)
        self._thread.start()

    def on_signal(self, callback: Callable[[], None]) -> None:
        """Call back instead of ending the process, in a thread of its own."""
        self.hold_back()
        self._callback = callback

    def _run(self, numbers: list[signal.Signals]) -> None:
        while True:
            signal.sigwait(numbers)
            self._callback()


END_SIGNALS = EndSignals()  # the process has them once
