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
A simulator of an operator: the executable `operator_sim`.

It looks at the boxes of one camera and clicks now and then: on a box that is not tracked, so that
the camera gets a Start, and when enough are tracked it stops the oldest.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys

from camera_ws_bridge.sim.arguments import count, parse, positive
from camera_ws_bridge.sim.interface.clicks import Clicks, Fields
from tornado import httpclient, websocket

PAUSE = 1.0  # seconds until it connects again


def main(args: list[str] | None = None) -> int:
    """Click until a signal comes."""
    arguments = parse(_parser(), args)

    async def run() -> None:
        work = asyncio.create_task(_work(arguments))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await work

    asyncio.run(run())
    return 0


async def _work(arguments: argparse.Namespace) -> None:
    while True:
        try:
            await _operate(arguments)
        except (OSError, httpclient.HTTPError, websocket.WebSocketClosedError):
            pass  # the orchestrator is not there, or not any more
        await asyncio.sleep(PAUSE)


async def _operate(arguments: argparse.Namespace) -> None:
    """Operate until the connection ends."""
    clicks = Clicks(arguments.camera, arguments.keep)
    connection = await websocket.websocket_connect(arguments.url)

    async def send(message: Fields) -> None:
        await connection.write_message(json.dumps(message))

    async def click() -> None:
        while True:
            await asyncio.sleep(arguments.every)
            message = clicks.next()
            if message is not None:
                print(f'operator_sim: {_described(message)}', flush=True)
                await send(message)

    if arguments.token:
        await send({'type': 'authenticate', 'jwt': arguments.token})
    await send({'type': 'setUsesImages', 'usesImages': True})
    clicking = asyncio.create_task(click())
    try:
        while (text := await connection.read_message()) is not None:
            clicks.hear(json.loads(text))
    finally:
        clicking.cancel()
        connection.close()


def _described(message: Fields) -> str:
    if message['type'] == 'stop':
        return f'stop object {message["objectId"]}'
    with_image = ', with an image' if 'image' in message else ''
    return f'start box {message["boxId"]} of frame {message["frameId"]}{with_image}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='operator_sim', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--url', default='ws://127.0.0.1:8080/client',
                        help='where operators connect to (ws://127.0.0.1:8080/client)')
    parser.add_argument('--camera', default='demo', help='the id of the camera (demo)')
    parser.add_argument('--every', type=positive, default=5.0, help='seconds between clicks (5)')
    parser.add_argument('--keep', type=count, default=3, help='objects tracked at a time (3)')
    parser.add_argument('--token', help='authenticate with this')
    return parser


if __name__ == '__main__':
    sys.exit(main())
