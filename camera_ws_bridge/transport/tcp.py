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
from typing import Any, NamedTuple

from camera_ws_bridge.transport.names import Address
from camera_ws_bridge.transport.route import Route

_INFO_BYTES = struct.Struct('=120xQQ')  # bytes_acked, bytes_received in Linux's tcp_info
# tcpi_retransmits, _probes, _backoff, _rto (us), _unacked, _last_data_sent, _last_data_recv,
# _last_ack_recv (ms), _total_retrans and _min_rtt (us).
_INFO_SILENCE = struct.Struct('=2xBBB3xI12xI16xI4xII40xI44xI')

KEEPALIVE = 1  # seconds; the kernel's own probes find a dead peer of an idle camera, too


class Silence(NamedTuple):
    """How long the peer's kernel has been silent, and what was asked of it meanwhile."""

    lasts: float  # seconds since anything came
    since_sent: float  # seconds since data was sent, for the first time or again
    unanswered: int  # times that the same data, or a probe, was sent in vain
    unacknowledged: bool  # whether data is
    resent: int  # packets since the connection was opened
    round_trip_time: float  # seconds, the least of the last minutes: lost answers lengthen others
    retransmission_timeout: float  # seconds; the first one, before it is doubled again and again


class Tcp:
    """The kernel's side of a connected socket."""

    def __init__(self, connected: socket.socket, user_timeout: float = 0.0) -> None:
        """Limit how long data may stay unacknowledged, in seconds; 0: as the kernel does."""
        self._socket = connected
        self.peer: Address | None = None  # unless it has ended already
        self._route: Route | None = None
        try:
            self.peer = Address(connected.family, connected.getpeername())
            self._route = Route(connected.family, connected.getsockname(), self.peer.place)
        except OSError:
            pass
        if user_timeout > 0 and self.limit(user_timeout):
            # The limit above holds for them as well.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                connected.setsockopt(socket.IPPROTO_TCP, option, KEEPALIVE)

    def limit(self, user_timeout: float) -> bool:
        """Limit how long data may stay unacknowledged, in seconds; return whether that works."""
        if not hasattr(socket, 'TCP_USER_TIMEOUT'):
            return False
        try:
            self._socket.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(user_timeout * 1000))
        except OSError:  # closed already
            return False
        return True

    def counters(self) -> tuple[int, int] | None:
        """Return the bytes that the peer's kernel has acknowledged, and those received."""
        return self._info(_INFO_BYTES)

    def silence(self) -> Silence | None:
        """Return how long nothing has come from the peer's kernel."""
        info = self._info(_INFO_SILENCE)
        if info is None:
            return None
        (retransmits, probes, doubled, timeout, unacknowledged, sent_age, data_age, answer_age,
         resent, round_trip_time) = info
        return Silence(
            min(data_age, answer_age) / 1e3, sent_age / 1e3,
            retransmits if unacknowledged else probes, unacknowledged > 0, resent,
            round_trip_time / 1e6, (timeout >> doubled) / 1e6)

    def _info(self, layout: struct.Struct) -> tuple[Any, ...] | None:
        try:
            return layout.unpack(
                self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, layout.size))
        except (OSError, AttributeError, struct.error):  # an old kernel's is shorter
            return None

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

    def discard(self) -> None:
        """
        Have the end of the connection be a reset, which takes back what is not acknowledged.

        Else the kernel goes on sending it for minutes, and it arrives behind what is newer.
        """
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        except OSError:  # closed already
            pass

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
