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
A cable that takes its time: two TUN devices in two namespaces, and what is between them.

    python3 slow_cable.py NAMESPACE DEVICE NAMESPACE DEVICE --delay SECONDS [--loss SHARE]

The devices come without addresses and routes. It says `ready`, and forwards until it is killed.
"""

from __future__ import annotations

import argparse
from collections import deque
import ctypes
import fcntl
import os
import random
import select
import struct
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
CLONE_NEWNET = 0x40000000
LONGEST = 2000  # bytes of a packet


def tun(namespace: str, device: str) -> int:
    """Return the descriptor of a new TUN device in that namespace."""
    with open(f'/run/netns/{namespace}', encoding='ascii') as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f'setns {namespace}')
    descriptor = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack(
        '16sH22x', device.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def forward(ends: tuple[int, int], delay: float, loss: float) -> None:
    """Carry packets both ways for ever."""
    on_the_way: deque[tuple[float, int, bytes]] = deque()  # due, to, packet
    others = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        wait = max(0.0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
        for descriptor in select.select(ends, (), (), wait)[0]:
            packet = os.read(descriptor, LONGEST)
            if random.random() >= loss:
                on_the_way.append((time.monotonic() + delay, others[descriptor], packet))
        while on_the_way and on_the_way[0][0] <= time.monotonic():
            _, descriptor, packet = on_the_way.popleft()
            try:
                os.write(descriptor, packet)
            except OSError:
                pass  # the device is down: lost, as on any cable


def main() -> None:
    """Make the devices, and forward."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ('near', 'near_device', 'far', 'far_device'):
        parser.add_argument(name)
    parser.add_argument('--delay', type=float, required=True)
    parser.add_argument('--loss', type=float, default=0.0)
    arguments = parser.parse_args()
    ends = (tun(arguments.near, arguments.near_device), tun(arguments.far, arguments.far_device))
    print('ready', flush=True)
    forward(ends, arguments.delay, arguments.loss)


if __name__ == '__main__':
    main()
