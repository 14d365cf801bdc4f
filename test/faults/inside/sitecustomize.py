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

It measures what cannot be seen from outside, and takes the place of what a test cannot harm.
CAMERA_WS_BRIDGE_TICKS names the file for the measurements (see monitor.py), and
CAMERA_WS_BRIDGE_RESOLVER one that holds a word: 'fail', 'stall', or anything else for the truth.
That of CAMERA_WS_BRIDGE_DISK holds 'read-only' or anything else, that of CAMERA_WS_BRIDGE_CLOCK
the seconds by which the wall clock is off.
CAMERA_WS_BRIDGE_BLOCKED is for how many seconds of work a callback blocks the others, again and
again: the measurements must show it.
"""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import time
from typing import Any

PERIOD = 0.02  # seconds between two ticks of the executor
BLOCKED = float(os.environ.get('CAMERA_WS_BRIDGE_BLOCKED') or 0.0)
BLOCK_PERIOD = 0.3  # seconds between two times that it is blocked
PAGE = os.sysconf('SC_PAGE_SIZE')


class Ticker:
    """Notes when the node's executor gets round to a timer."""

    def __init__(self, path: str) -> None:
        self._file = open(path, 'w', buffering=1)
        self._ticked_at = time.monotonic()
        self._waited = wait_for_cpu()

    def tick(self) -> None:
        """Write a line: when, seconds late, seconds of it waiting for a processor, memory."""
        now, waited = time.monotonic(), wait_for_cpu()
        late = max(0.0, now - self._ticked_at - PERIOD)
        rss = PAGE * int(pathlib.Path('/proc/self/statm').read_text().split()[1])
        self._file.write(f'{now} {late} {min(late, waited - self._waited)} {rss}\n')
        self._ticked_at, self._waited = now, waited


def wait_for_cpu() -> float:
    """Return how many seconds the main thread has waited for a processor in its life."""
    # Only that one: executor and loop share it. What others wait for holds up no callback.
    text = pathlib.Path(f'/proc/self/task/{os.getpid()}/schedstat').read_text()
    return int(text.split()[1]) * 1e-9


def block() -> None:
    """Keep the executor from everything else, as a callback must not."""
    end = time.thread_time() + BLOCKED
    while time.thread_time() < end:
        pass


def tick_in_every_node(path: str) -> None:
    """Give the first node a timer that ticks as soon as it has a subscription."""
    # Threads of this import (numpy's, on Kilted) must not get what ends the bridge.
    held_back = signal.pthread_sigmask(
        signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    from rclpy.node import Node
    signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
    subscribe = Node.create_subscription
    begun = []

    def create_subscription(node: Any, *arguments: Any, **keywords: Any) -> Any:
        if not begun:
            begun.append(node.create_timer(PERIOD, Ticker(path).tick))
            if BLOCKED:
                begun.append(node.create_timer(BLOCK_PERIOD, block))
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


def write_as_told(path: str) -> None:
    """Ask the file whether SQLite may write."""
    import sqlite3
    connect = sqlite3.connect

    class Connection(sqlite3.Connection):

        def execute(self, statement: str, *arguments: Any) -> Any:
            if statement.startswith('BEGIN'):
                only = pathlib.Path(path).read_text() == 'read-only'
                super().execute(f'PRAGMA query_only = {int(only)}')
            return super().execute(statement, *arguments)
    sqlite3.connect = lambda *arguments, **keywords: connect(
        *arguments, factory=Connection, **keywords)


def move_clock(path: str) -> None:
    """Ask the file by how much the wall clock is off."""
    def moved(clock: Any, unit: Any) -> Any:
        def now() -> Any:
            return clock() + type(unit)(float(pathlib.Path(path).read_text()) * unit)
        return now
    time.time = moved(time.time, 1.0)
    time.time_ns = moved(time.time_ns, 10**9)


if os.environ.get('CAMERA_WS_BRIDGE_TICKS'):
    tick_in_every_node(os.environ['CAMERA_WS_BRIDGE_TICKS'])
if os.environ.get('CAMERA_WS_BRIDGE_RESOLVER'):
    resolve_as_told(os.environ['CAMERA_WS_BRIDGE_RESOLVER'])
if os.environ.get('CAMERA_WS_BRIDGE_DISK'):
    write_as_told(os.environ['CAMERA_WS_BRIDGE_DISK'])
if os.environ.get('CAMERA_WS_BRIDGE_CLOCK'):
    move_clock(os.environ['CAMERA_WS_BRIDGE_CLOCK'])
