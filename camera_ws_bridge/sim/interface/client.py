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

"""A client of the orchestrator: an operator's interface, or a bare processor."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
import logging
from typing import Any

from camera_ws_bridge.errors import DecodeError
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from tornado import websocket

LOGGER = logging.getLogger('operator')
Fields = dict[str, Any]


class Operator:
    """A connection that keeps what it receives until somebody waits for it."""

    def __init__(
            self, connection: websocket.WebSocketClientConnection,
            listener: Callable[[Fields], None] | None = None) -> None:
        """Begin to listen; `listener` is called for every message, as it comes."""
        self.received: list[Fields] = []  # everything so far
        self.closed = False  # by either side
        self._listener = listener
        self._connection = connection
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
            cls, url: str, *, uses_images: bool = True,
            listener: Callable[[Fields], None] | None = None) -> Operator:
        """
        Connect to .../client, or without uses_images to .../processor.

        The orchestrator tells of new objects and stops only those who say that they use images.
        """
        operator = cls(await websocket.websocket_connect(url), listener)
        if uses_images:
            await operator.send({'type': 'setUsesImages', 'usesImages': True})
        return operator

    async def send(self, message: Fields) -> None:
        """Send any message."""
        await self._connection.write_message(strict_json.dumps(message))

    async def start(
            self, camera_id: str, *, frame_id: float | None = None, box_id: int | None = None,
            image: bytes | None = None, timeout: float = 10.0) -> int:
        """Ask a camera to track an object; return the id that the orchestrator gives it."""
        message: Fields = {'type': 'start', 'cameraId': camera_id}
        if frame_id is not None:
            message.update(frameId=frame_id, boxId=box_id)
        if image is not None:
            message['image'] = IMAGE_PREFIX + base64.b64encode(image).decode('ascii')
        seen = len(self.received)
        await self.send(message)
        answer = await self.wait_for(
            lambda fields: fields['type'] == 'newObject', timeout=timeout, skip=seen)
        return int(answer['objectId'])

    async def stop(self, object_id: int) -> None:
        """Ask everybody to stop tracking an object."""
        await self.send({'type': 'stop', 'objectId': object_id})

    async def wait_for(
            self, condition: Callable[[Fields], bool], *, timeout: float = 10.0,
            skip: int = 0) -> Fields:
        """
        Return the first message, after the first `skip`, for which the condition holds.

        ConnectionError: it has not come, and the connection is gone.
        """
        def find() -> Fields | None:
            return next(filter(condition, self.received[skip:]), None)

        async with self._news:
            await asyncio.wait_for(
                self._news.wait_for(lambda: self.closed or find() is not None), timeout)
        found = find()
        if found is None:
            raise ConnectionError('the orchestrator has closed the connection')
        return found

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        await self._reader

    async def _read(self) -> None:
        while (text := await self._connection.read_message()) is not None:
            try:
                fields = strict_json.loads(text)
            except DecodeError as error:
                LOGGER.warning('ignored: %s', error)
                continue
            if self._listener is not None:
                self._listener(fields)
            async with self._news:
                self.received.append(fields)
                self._news.notify_all()
        async with self._news:
            self.closed = True
            self._news.notify_all()
