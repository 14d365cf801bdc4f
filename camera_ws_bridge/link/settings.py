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

"""How a bridge behaves, as far as that can change while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.protocol import codec


@dataclass(frozen=True)
class Settings:
    """
    All of it in one value; times are in seconds. config/bridge.yaml explains each.

    camera_id, peer and frame_history stay as they are.
    """

    camera_id: str
    peer: str = 'the orchestrator'  # its URL, as it may be logged
    frame_history: int = 3600  # frames
    connect_timeout: float = 60.0
    open_timeout: float = 10.0
    reconnect_delay_min: float = 0.5
    reconnect_delay_max: float = 2.5
    stable_after: float = 2.0
    heartbeat_interval: float = 5.0
    heartbeat_timeout: float = 10.0
    watch_network: bool = True
    identify_interval: float = 30.0
    shutdown_timeout: float = 2.0
    reconcile: bool = True
    command_rate: float = 100.0  # messages a second from the orchestrator
    limits: codec.Limits = codec.DEFAULT_LIMITS
    boxes: Policy = Policy(20_000, 64 * 2**20)
    updates: Policy = Policy(1000, 16 * 2**20, newest_per_object=True)
