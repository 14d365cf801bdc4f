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

"""Whether a connection's way still exists, as far as this machine's kernel knows."""

from __future__ import annotations

import errno
import socket
from typing import Any


class Route:
    """The way from a connected socket to its peer. Asking for it sends nothing."""

    def __init__(self, family: int, local: Any, peer: Any) -> None:
        """Remember from which address packets to the peer leave now; as sockets name them."""
        self._family = family
        self._local = (local[0], 0, *local[2:])
        self._peer = peer
        self._source = self._leaves_from()

    def holds(self) -> bool:
        """Tell whether the local address is still ours, and packets leave as at first."""
        return judge(self._is_ours(), self._source, self._leaves_from())

    def _is_ours(self) -> bool | None:
        try:
            with socket.socket(self._family, socket.SOCK_DGRAM) as asked:
                asked.bind(self._local)
        except OSError as error:
            return False if error.errno == errno.EADDRNOTAVAIL else None
        return True

    def _leaves_from(self) -> str | None:
        try:
            asked = socket.socket(self._family, socket.SOCK_DGRAM)
        except OSError:
            return None
        with asked:
            try:
                asked.connect(self._peer)
            except OSError:
                return ''
            return str(asked.getsockname()[0])


def judge(ours: bool | None, left_from: str | None, leaves_from: str | None) -> bool:
    """
    Tell whether a connection can live on.

    ours: whether its local address is this machine's; left_from, leaves_from: the address from
    which packets to the peer left when it was opened, and do now, '' if there is no way. None:
    could not be asked. Only what is known for sure ends a connection, and a way that has not been
    its own from the first (rules that tell TCP from UDP) says nothing of it.
    """
    if ours is False:
        return False
    return not left_from or leaves_from is None or leaves_from == left_from
