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

"""The `feature_map` topic: what the re-ID node extracted."""

from __future__ import annotations

from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.inputs import cdr, from_ros
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.update import Update
from camera_ws_bridge.ros import qos
from camera_ws_bridge.ros.serialized import deserialize
from camera_ws_bridge.ros.shelf import Shelf
from camera_ws_bridge_msgs import msg as ros


class FeatureMapInput:
    """Hands every feature map that the protocol can carry to the bridge."""

    def __init__(self, bridge: Bridge, shelf: Shelf) -> None:
        """Subscribe; raise ConfigurationError for QoS overrides that are none."""
        self._bridge = bridge
        self._shelf = shelf
        self._subscription = shelf.subscribe(
            ros.Update, 'feature_map', self._on_feature_map, qos.FEATURE_MAP)

    def look(self) -> None:
        """Count what did not come; call this every second or so."""
        self._bridge.lost['updates'] += self._subscription.look()

    def destroy(self) -> None:
        """Subscribe no more."""
        self._shelf.unsubscribe(self._subscription)

    def _on_feature_map(self, message: bytes) -> None:
        try:
            update, session = decode(message)
            self._bridge.submit_update(update, codec.encode_utf8(update), session)
        except Exception as error:
            self._bridge.reject('feature_map', error)


def decode(message: bytes) -> tuple[Update, int]:
    """Return what a re-ID node has extracted in a serialised Update, and the session of that."""
    if cdr.understands(message):
        update, session = cdr.update(message)
    else:
        found = deserialize(message, ros.Update)
        update, session = from_ros.update_from_ros(found), found.session
    if not update.feature_map:
        raise EncodeError('featureMap.featureMap', 'empty; nothing was extracted')
    return update, session
