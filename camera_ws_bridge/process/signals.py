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

"""The signals that end a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import os
import signal
import socket


def on_end_signal(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """
    Call back in the loop's thread on SIGINT and SIGTERM; call this in the main thread.

    Python runs its signal handlers between two of its own instructions, not while the executor
    waits in C. The interpreter's wake-up socket reaches the loop's thread in any case. It stays
    open for the rest of the process: a second signal, as launch sends one, may come at the end.
    """
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)

    descriptor = receiver.detach()

    def on_signal() -> None:
        os.read(descriptor, 64)
        callback()

    loop.call_soon_threadsafe(loop.add_reader, descriptor, on_signal)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(sender.detach())
