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

"""How a simulated orchestrator misbehaves towards processors: in the handshake, or by a stall."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Handshake:
    """What a processor is answered that asks for a WebSocket; by default it gets one."""

    status: int | None = None  # of HTTP, if it is refused
    headers: Mapping[str, str] = field(default_factory=dict)  # of the refusal
    close: bool = False  # accepted, and closed at once
    close_code: int | None = None

    @classmethod
    def refused(cls, status: int = 503, retry_after: int | None = None) -> Handshake:
        """Return a refusal with this HTTP status."""
        if type(status) is not int or not 300 <= status <= 599:
            raise ValueError(f'status {status!r} is not one from 300 to 599')
        if retry_after is None:
            return cls(status)
        if type(retry_after) is not int:
            raise ValueError(f'retry_after {retry_after!r} is not a number of seconds')
        return cls(status, {'Retry-After': str(retry_after)})

    @classmethod
    def redirected(cls, location: str) -> Handshake:
        """Return a redirect."""
        if not isinstance(location, str):
            raise ValueError(f'location {location!r} is not a URL')
        return cls(302, {'Location': location})

    @classmethod
    def closed(cls, code: int | None = None) -> Handshake:
        """Return one that succeeds, for a connection that is closed at once."""
        if code is not None and (type(code) is not int or not 1000 <= code <= 4999):
            raise ValueError(f'code {code!r} is not one from 1000 to 4999')
        return cls(close=True, close_code=code)

    def described(self) -> str | None:
        """Return what happens to a processor, in words; None: it is accepted."""
        if self.close:
            code = '' if self.close_code is None else f' with code {self.close_code}'
            return f'accepted, then closed{code}'
        if 'Location' in self.headers:
            return f'redirected to {self.headers["Location"]}'
        after = self.headers.get('Retry-After')
        return None if self.status is None else f'refused with HTTP status {self.status}' + (
            '' if after is None else f', to be tried again after {after} s')


class Faults:
    """The faults that are on; whoever has to wait in a stall learns here when it is over."""

    def __init__(self) -> None:
        self.handshake = Handshake()
        self._over = False
        self._running = asyncio.Event()  # cleared: stalled
        self._running.set()

    @property
    def stalled(self) -> bool:
        """Whether nothing is read or answered."""
        return not self._running.is_set()

    def stall(self) -> None:
        """Neither read nor answer any more; connections stay open."""
        self._running.clear()

    def resume(self) -> None:
        """Go on where `stall` stopped."""
        self._running.set()

    def end(self) -> None:
        """Let nobody wait any more: there is nothing to go on with."""
        self._over = True
        self._running.set()

    async def running(self) -> bool:
        """Wait while stalled; return False if the server has stopped."""
        await self._running.wait()
        return not self._over
