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
Who may use the page and give orders: no I/O.

The server listens on an address that any web page in the operator's browser can send requests to.
A browser says in `Origin` whose page asks. A name of `Host` that anybody can make lead here (DNS
rebinding) would make a stranger's page look like ours: only known names are taken.
"""

from __future__ import annotations

from collections.abc import Iterable
import ipaddress
import re

HOST = re.compile(r'(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?')


class Guard:
    """Knows the names under which the server is reached."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Set up; names: of this host, besides localhost and all IP addresses."""
        self.names = {'localhost', *(name.lower() for name in names)}

    def allow(self, name: str) -> None:
        """Take a name of this host."""
        self.names.add(name.lower())

    def refusal_of_host(self, host: str) -> str | None:
        """Return why nothing is served under this name (a `Host` header), or None."""
        found = HOST.fullmatch(host)
        if found is None:
            return 'the header Host is not NAME or NAME:PORT'
        name = found[1].strip('[]').lower()
        if name in self.names or name.endswith('.localhost') or _is_address(name):
            return None
        return f'{name} is not known as a name of this host: --allow-host {name} makes it one'

    def refusal(self, host: str, origin: str | None, scheme: str) -> str | None:
        """
        Return why an order or a look at the state is refused, or None.

        host, origin: the headers; no origin: it is not a browser who asks. scheme: http or https,
        by which the server is reached.
        """
        if origin is None:
            return None
        if origin.lower() != f'{scheme}://{host}'.lower():
            return 'the request comes from a page of another origin'
        return self.refusal_of_host(host)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
