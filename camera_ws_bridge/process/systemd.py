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
What systemd hears of this process (`Type=notify`, `WatchdogSec=`): sd_notify(3) in a few lines.

Without systemd nothing happens. Sending never blocks and never raises: a service manager that does
not listen is no reason for a bridge to stop.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
import os
import socket

READY = 'READY=1'
STOPPING = 'STOPPING=1'
WATCHDOG = 'WATCHDOG=1'


def status(text: str) -> str:
    """Return the assignment that `systemctl status` shows as one line of text."""
    return 'STATUS=' + ' '.join(text.split())


class Notifier:
    """The service manager's socket, if there is one."""

    def __init__(self, address: str = '') -> None:
        """`address`: a socket's path, or an abstract socket's name after `@`; empty: none."""
        self._address = '\0' + address[1:] if address.startswith('@') else address
        self._socket: socket.socket | None = None
        if address.startswith(('/', '@')):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Notifier:
        """Take NOTIFY_SOCKET out of the environment, so that no child process answers for us."""
        return cls(environment.pop('NOTIFY_SOCKET', ''))

    def notify(self, *assignments: str) -> bool:
        """Send assignments such as READY; return whether the service manager got them."""
        if self._socket is None:
            return False
        try:
            # Not connected once for all: a service manager that was executed anew is found again.
            self._socket.sendto('\n'.join(assignments).encode(), self._address)
        except OSError:  # the buffer is full, or nobody listens
            return False
        return True

    def close(self) -> None:
        """Close the socket; later notifications go nowhere."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def watchdog_period(environment: Mapping[str, str], pid: int = 0) -> float:
    """
    Return the seconds between two WATCHDOG notifications, half of what is allowed; 0: none wanted.

    pid: of the process that asks, by default this one.
    """
    meant_for = environment.get('WATCHDOG_PID', '')
    if meant_for and meant_for != str(pid or os.getpid()):
        return 0.0
    limit = environment.get('WATCHDOG_USEC', '')
    return int(limit) / 2e6 if limit.isascii() and limit.isdigit() else 0.0
