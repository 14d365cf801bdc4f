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

"""What an operator does next, by what the screen shows: no I/O."""

from __future__ import annotations

import base64
from typing import Any

from camera_ws_bridge.protocol.start import IMAGE_PREFIX
from camera_ws_bridge.sim.camera.picture import a_picture

Fields = dict[str, Any]
WITH_IMAGE = 3  # every so many starts has a cut-out as well


class Clicks:
    """Starts objects of one camera until enough are tracked; from then on stops the oldest."""

    def __init__(self, camera_id: str, keep: int) -> None:
        """keep: as many objects are tracked at most."""
        self.tracked: list[int] = []  # oldest first
        self._camera_id = camera_id
        self._keep = keep
        self._frame: Fields = {}  # the newest on the screen
        self._starts = 0

    def hear(self, message: Fields) -> None:
        """Take a message of the orchestrator."""
        kind = message.get('type')
        if kind == 'boundingBoxes' and message.get('cameraId') == self._camera_id:
            self._frame = message
        elif kind == 'newObject' and message['objectId'] not in self.tracked:
            self.tracked.append(message['objectId'])
        elif kind == 'stop' and message['objectId'] in self.tracked:
            self.tracked.remove(message['objectId'])

    def next(self) -> Fields | None:  # noqa: A003 - what it is
        """Return what to send now; None: there is nothing to click on."""
        if len(self.tracked) >= self._keep:
            return {'type': 'stop', 'objectId': self.tracked[0]}
        box = next((box for box in self._frame.get('boxes', ()) if 'objectId' not in box), None)
        if box is None:
            return None
        start: Fields = {'type': 'start', 'cameraId': self._camera_id,
                         'frameId': self._frame['frameId'], 'boxId': box['boxId']}
        self._starts += 1
        if self._starts % WITH_IMAGE == 0:
            image = a_picture(seed=self._starts)
            start['image'] = IMAGE_PREFIX + base64.b64encode(image).decode('ascii')
        return start
