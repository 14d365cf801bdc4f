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
Runs inside the bridge that faults are injected into: Python imports it before anything else.

It measures what cannot be seen from outside, and takes the place of the resolver of host names.
CAMERA_WS_BRIDGE_TICKS names the file for the measurements (see monitor.py), and
CAMERA_WS_BRIDGE_RESOLVER one that holds a word: 'fail', 'stall', or anything else for the truth.
"""

from __future__ import annotations

import os
import pathlib
import socket
import time
from typing import Any

PERIOD = 0.02  # seconds between two ticks of the executor
PAGE = os.sysconf('SC_PAGE_SIZE')


class Ticker:
    """Notes when the node's executor gets round to a timer."""

    def __init__(self, path: str) -> None:
        self._file = open(path, 'w', buffering=1)
        self._ticked_at = time.monotonic()
        self._waited = waits_for_cpu()

    def tick(self) -> None:
        """Write a line: when, seconds late, seconds of it waiting for a processor, memory."""
        now, waits = time.monotonic(), waits_for_cpu()
        late = max(0.0, now - self._ticked_at - PERIOD)
        # Any thread may hold a lock that another needs; they wait at the same time, not in turn.
        waited = max(at - self._waited.get(thread, at) for thread, at in waits.items())
        rss = PAGE * int(pathlib.Path('/proc/self/statm').read_text().split()[1])
        self._file.write(f'{now} {late} {min(late, waited)} {rss}\n')
        self._ticked_at, self._waited = now, waits


def waits_for_cpu() -> dict[str, float]:
    """Return for each thread how many seconds it has waited for a processor in its life."""
    waits = {}
    for thread in os.listdir('/proc/self/task'):
        try:
            text = pathlib.Path(f'/proc/self/task/{thread}/schedstat').read_text()
            waits[thread] = int(text.split()[1]) * 1e-9
        except OSError:  # it has just ended
            pass
    return waits


def tick_in_every_node(path: str) -> None:
    """Give the first node a timer that ticks as soon as it has a subscription."""
    from rclpy.node import Node
    subscribe = Node.create_subscription
    begun = []

    def create_subscription(node: Any, *arguments: Any, **keywords: Any) -> Any:
        if not begun:
            begun.append(node.create_timer(PERIOD, Ticker(path).tick))
        return subscribe(node, *arguments, **keywords)
    Node.create_subscription = create_subscription


def resolve_as_told(path: str) -> None:
    """Ask the file how to resolve host names."""
    true_answer = socket.getaddrinfo

    def getaddrinfo(*arguments: Any, **keywords: Any) -> Any:
        word = pathlib.Path(path).read_text()
        if word == 'fail':
            raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
        while word == 'stall':
            time.sleep(0.02)
            word = pathlib.Path(path).read_text()
        return true_answer(*arguments, **keywords)
    socket.getaddrinfo = getaddrinfo


if os.environ.get('CAMERA_WS_BRIDGE_TICKS'):
    tick_in_every_node(os.environ['CAMERA_WS_BRIDGE_TICKS'])
if os.environ.get('CAMERA_WS_BRIDGE_RESOLVER'):
    resolve_as_told(os.environ['CAMERA_WS_BRIDGE_RESOLVER'])
