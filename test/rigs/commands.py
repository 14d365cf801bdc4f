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

"""The orchestrator's commands, as the texts that it sends."""

from __future__ import annotations

from camera_ws_bridge.protocol import strict_json


def start(object_id: int, **fields: object) -> str:
    return strict_json.dumps({'type': 'start', 'objectId': object_id, **fields})


def stop(object_id: int) -> str:
    return strict_json.dumps({'type': 'stop', 'objectId': object_id})


def feature_map(object_id: int, numbers: object) -> str:
    return strict_json.dumps({'type': 'featureMap', 'objectId': object_id, 'featureMap': numbers})
