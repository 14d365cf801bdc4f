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

"""What the kernel knows of a TCP connection; None: it is closed, or the system does not tell."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios

from camera_ws_bridge.transport.route import Route

_INFO_BYTES = struct.Struct('=120xQQ')  # bytes_acked, bytes_received in Linux's tcp_info


class Tcp:
    """The kernel's side of a connected socket."""

    def __init__(self, connected: socket.socket, user_timeout: float = 0.0) -> None:
        """Limit how long data may stay unacknowledged, in seconds; 0: as the kernel does."""
        self._socket = connected
        try:
            self._route: Route | None = Route(
                connected.family, connected.getsockname(), connected.getpeername())
        except OSError:  # it has ended already
            self._route = None
        if user_timeout > 0 and hasattr(socket, 'TCP_USER_TIMEOUT'):
            connected.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(user_timeout * 1000))

    def counters(self) -> tuple[int, int] | None:
        """Return the bytes that the peer's kernel has acknowledged, and those received."""
        try:
            info = self._socket.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES.size)
            acknowledged, received = _INFO_BYTES.unpack(info)
        except (OSError, AttributeError, struct.error):
            return None
        return acknowledged, received

    def written(self) -> int | None:
        """Return how many bytes the kernel has taken: acknowledged, sent, or waiting in it."""
        counters = self.counters()
        if counters is None:
            return None
        try:
            waiting = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))
        except (OSError, AttributeError):
            return None
        return counters[0] + int(struct.unpack('i', waiting)[0])

    def has_route(self) -> bool:
        """Tell whether its local address and its route are as they were when it was opened."""
        return self._route is None or self._route.holds()

    def quick_ack(self) -> None:
        """
        Acknowledge at once what has come.

        The kernel falls back to delaying, so this has to be said again.
        """
        if hasattr(socket, 'TCP_QUICKACK'):
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:  # closed meanwhile; the next call on the connection says so
                pass
