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
A process that begets bridges to be killed: everything of a bridge but the ROS node.

A start of the real executable costs a second of CPU, for imports and for DDS. This one imports
once and forks, so that a hundred lives take seconds: spool, buffer, link and WebSocket are put
together by the node's own `assemble` and run on their real threads, and messages go in where the
node puts them in. Each line on stdin is an order (JSON), and gives a life; on stdout come the pid
of the life, `started`, and `dead`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
import time
from typing import Any

from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.node.assembly import assemble
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.boxes import Boxes
from camera_ws_bridge.protocol.update import Update

OBJECTS = 5
UPDATE_EVERY = 10  # messages


def is_update(number: int) -> bool:
    """Return whether the message of this number is a feature map."""
    return number % UPDATE_EVERY == 0


class Outlet:
    """Hears what the bridge has to tell, and does nothing about it."""

    def now(self) -> int:
        """Return the time in nanoseconds."""
        return time.time_ns()

    def ignore(self, *what: object) -> None:
        """Hear of anything."""

    publish = publish_tracked = report = link_ended = ignore


class Host:
    """The loop of this life, which ends by being killed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop


async def live(order: dict[str, Any]) -> None:
    """Produce numbered messages in bursts; never return."""
    values = Parameters(**order['parameters'])
    logger = logging.getLogger('life')
    logger.disabled = True
    bridge = assemble(values, Outlet(), Host(asyncio.get_running_loop()), logger)
    bridge.begin()
    bridge.connect()
    say('started')
    chance = random.Random(order['seed'])
    for number in range(order['first'], order['first'] + order['count']):
        if is_update(number):
            update = Update(1 + number // UPDATE_EVERY % OBJECTS, (float(number),))
            bridge.submit_update(update, codec.encode_utf8(update))
        else:
            bridge.submit_boxes(
                float(number), (0, 0), codec.encode_utf8(Boxes(float(number), ())))
        if chance.random() < 0.1:
            await asyncio.sleep(0.005 * chance.random())
    while True:
        await asyncio.sleep(1.0)


def say(text: str) -> None:
    """Write a line past all buffers: they would be copied by a fork."""
    os.write(1, f'{text}\n'.encode())


def main() -> None:
    """Give lives until stdin ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(live(json.loads(line)))
            finally:
                os._exit(1)
        say(str(pid))
        os.waitpid(pid, 0)
        say('dead')


if __name__ == '__main__':
    main()
