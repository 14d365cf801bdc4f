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
What happens to this machine's links, addresses and routes, as soon as the kernel knows.

Nothing of what it says is read: any of it is a reason to look whether a connection's route still
holds, or to try at once to have a connection. One socket serves all bridges of a loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import socket
from weakref import WeakKeyDictionary

# Linux's rtnetlink.h: RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE.
GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

SETTLE = 0.1  # seconds; changes come in bursts, and what can be done with them is done after one
MAX_READS = 64  # at once; the rest of a storm has its turn later, or is dropped by the kernel
BUFFER = 16 * 2**10  # bytes that wait in the kernel: that something was dropped is news enough

Listener = Callable[[], None]
_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, NetworkWatch] = WeakKeyDictionary()


def watch(loop: asyncio.AbstractEventLoop, listener: Listener) -> Callable[[], None]:
    """
    Call the listener, which must not raise, SETTLE after a change; return how to end that.

    Raise OSError where the system does not tell, or not this process.
    """
    existing = _watches.get(loop)
    if existing is None:
        existing = _watches[loop] = NetworkWatch(loop, _open())
    return existing.add(listener)


def _open() -> socket.socket:
    if not hasattr(socket, 'AF_NETLINK'):
        raise OSError('no netlink on this system')
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    try:
        netlink.setblocking(False)
        netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        netlink.bind((0, GROUPS))
    except OSError:
        netlink.close()
        raise
    return netlink


class NetworkWatch:
    """One netlink socket, and who wants to hear of it; use watch()."""

    def __init__(self, loop: asyncio.AbstractEventLoop, netlink: socket.socket) -> None:
        """Begin to watch."""
        self._loop = loop
        self._netlink = netlink
        self._listeners: list[Listener] = []
        self._settling: asyncio.TimerHandle | None = None
        loop.add_reader(netlink, self._changed)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Have it called, too; return how to end that."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
                if not self._listeners:
                    self._close()
        return leave

    def _changed(self) -> None:
        # Nothing is read until the burst is over: a storm costs a few wake-ups a second.
        self._loop.remove_reader(self._netlink)
        self._settling = self._loop.call_later(SETTLE, self._settled)

    def _settled(self) -> None:
        self._settling = None
        self._drain()
        self._loop.add_reader(self._netlink, self._changed)
        for listener in [*self._listeners]:
            listener()

    def _drain(self) -> None:
        for _ in range(MAX_READS):
            try:
                self._netlink.recv(1)  # which discards the rest of a message
            except BlockingIOError:
                return
            except OSError:
                pass  # ENOBUFS: more has happened than the buffer holds

    def _close(self) -> None:
        del _watches[self._loop]
        self._loop.remove_reader(self._netlink)
        if self._settling is not None:
            self._settling.cancel()
        self._netlink.close()
