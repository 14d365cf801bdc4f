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
The addresses of a host: one look-up at a time for each name, with a limit of its own.

The system's resolver cannot be told to stop. While a look-up hangs, whoever asks for the same name
waits for that one: no thread and no descriptor is added by trying again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import errno
import ipaddress
import socket
from typing import Any, NamedTuple

PATIENCE = 5.0  # seconds; as long as the usual resolver waits for one name server


class Address(NamedTuple):
    """Where to connect to; `place` is what socket.connect takes for this family."""

    family: int
    place: tuple[Any, ...]


_under_way: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Future[list[Address]]] = {}


async def look_up(host: str, port: int, timeout: float) -> list[Address]:
    """
    Return the host's addresses, those to be tried first in front; raise OSError.

    It takes no longer than `timeout` and PATIENCE, both in seconds. IPv6 addresses may have a
    zone, as in 'fe80::5%eth0'.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        found = await _of_name(host, min(timeout, PATIENCE))
    else:
        found = [_numeric(host)]
    return [Address(family, (place[0], port, *place[2:])) for family, place in found]


async def _of_name(host: str, timeout: float) -> Sequence[Address]:
    key = asyncio.get_running_loop(), host
    asked = _under_way.get(key)
    if asked is None:
        asked = _under_way[key] = key[0].run_in_executor(None, _ask, host)
        asked.add_done_callback(lambda done: _forget(key, done))
    # Not wait_for: others may be waiting for it as well.
    await asyncio.wait([asked], timeout=timeout)
    if not asked.done():
        raise socket.gaierror(socket.EAI_AGAIN, f'no name server answers within {timeout:g} s')
    return asked.result()


def _forget(
        key: tuple[asyncio.AbstractEventLoop, str],
        done: asyncio.Future[list[Address]]) -> None:
    del _under_way[key]
    if not done.cancelled():
        done.exception()  # retrieved, for nobody may be waiting any more


def _ask(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:  # a part of it is empty, or longer than names may have
        raise socket.gaierror(socket.EAI_NONAME, 'not a host name') from None
    # The zone stands in the numbers behind the address as well, where asyncio looks for it.
    return [Address(family, (str(place[0]).partition('%')[0], *place[1:]))
            for family, _, _, _, place in found]


def _numeric(host: str) -> Address:
    if ':' not in host:
        return Address(socket.AF_INET, (host, 0))
    address, _, zone = host.partition('%')
    return Address(socket.AF_INET6, (address, 0, 0, _index_of(zone) if zone else 0))


def _index_of(zone: str) -> int:
    if zone.isdecimal() and len(zone) < 10:
        return int(zone)
    try:
        return socket.if_nametoindex(zone)
    except OSError as error:
        if error.errno in (None, errno.ENODEV):  # None: before Python 3.14
            raise OSError(errno.ENODEV, f'no interface {zone}') from None
        raise
