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
"""Resolvers that answer as told, or hang; and addresses that swallow packets."""

from contextlib import contextmanager
import socket
import threading

from rigs.shared import WAIT


def known_as(*addresses):
    """Return a getaddrinfo for which every name has these addresses, with zones if need be."""
    def getaddrinfo(host, port, *_, **__):
        found = []
        for address in addresses:
            plain, _, zone = address.partition('%')
            if ':' in plain:
                scope = socket.if_nametoindex(zone) if zone else 0
                found.append((socket.AF_INET6, (address, port or 0, 0, scope)))
            else:
                found.append((socket.AF_INET, (plain, port or 0)))
        return [(family, socket.SOCK_STREAM, 6, '', place) for family, place in found]
    return getaddrinfo


class HangingResolver:
    """A getaddrinfo that hangs until it is released, and notes which names it was asked for."""

    def __init__(self, then):
        self.asked = []
        self._then = then
        self._released = threading.Event()

    def __call__(self, host, *arguments, **options):
        self.asked.append(host)
        self._released.wait(WAIT)
        return self._then(host, *arguments, **options)

    def release(self):
        self._released.set()


@contextmanager
def black_hole(address, port):
    """Let connections to an address and port of this machine wait for ever; give the port."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, port))
        listener.listen(0)
        port = listener.getsockname()[1]
        # Linux drops the handshakes that its queue of accepted connections has no room for.
        waiting = []
        try:
            while True:
                waiting.append(socket.socket(family))
                waiting[-1].settimeout(0.2)
                waiting[-1].connect((address, port))
        except TimeoutError:
            yield port
        finally:
            for connection in waiting:
                connection.close()
