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
Actors: processes that a driver tells what to do, one line of JSON each way.

An order is `{"do": name, ...}`, its answer `{"ok": value}` or `{"error": text}`. An actor ends
when its standard input does, so that none outlives its driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import json
import os
import pathlib
import selectors
import subprocess
import sys
import threading
from typing import Any

BENCH = pathlib.Path(__file__).resolve().parents[1]
PROCESSES = BENCH / 'processes'
PATIENCE = 120.0  # seconds for an answer; only a run that fails waits so long


class ActorError(RuntimeError):
    """An actor could not do what it was told, or has gone."""


class Actor:
    """The driver's side of an actor."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Start bench/processes/<module>.py."""
        self.name = module
        self._process = subprocess.Popen(
            [sys.executable, str(PROCESSES / f'{module}.py'), *arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment})
        self.pid = self._process.pid

    def call(self, order: str, patience: float = PATIENCE, **arguments: Any) -> Any:
        """Give an order and wait for its answer."""
        self.begin(order, **arguments)
        return self.finish(patience)

    def begin(self, order: str, **arguments: Any) -> None:
        """Give an order; `finish` waits for the answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({'do': order, **arguments}) + '\n')
            self._process.stdin.flush()
        except OSError as error:
            raise ActorError(f'{self.name} has gone: {error}') from error

    def finish(self, patience: float = PATIENCE) -> Any:
        """Wait for the answer to the order that was begun."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(patience):
                raise ActorError(f'{self.name} has not answered for {patience:g} s')
        line = self._process.stdout.readline()
        if not line:
            raise ActorError(f'{self.name} has ended with code {self._process.wait()}')
        answer = json.loads(line)
        if 'error' in answer:
            raise ActorError(f'{self.name}: {answer["error"]}')
        return answer['ok']

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _answer(value: Any) -> None:
    print(json.dumps({'ok': value}), flush=True)


def _fail(error: Exception) -> None:
    print(json.dumps({'error': f'{type(error).__name__}: {error}'}), flush=True)


def serve(orders: Mapping[str, Callable[..., Any]]) -> None:
    """Obey until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        try:
            _answer(orders[order.pop('do')](**order))
        except Exception as error:  # noqa: B902 - the driver decides
            _fail(error)


async def serve_in_loop(orders: Mapping[str, Callable[..., Awaitable[Any]]]) -> None:
    """Obey until standard input ends, in an asyncio loop; orders are coroutine functions."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, '')

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        order = json.loads(line)
        try:
            _answer(await orders[order.pop('do')](**order))
        except Exception as error:  # noqa: B902 - the driver decides
            _fail(error)
