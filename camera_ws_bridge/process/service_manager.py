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

"""Tells systemd, where it has started the process, that it is ready, lives, and how it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping

from camera_ws_bridge.process import systemd
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

STATUS_PERIOD = 1.0  # seconds between two looks at what the status is


class ServiceManager:
    """
    The process as its service manager sees it; without one, this does nothing and costs nothing.

    A sign of life begins as a timer's callback in the executor and is sent by the loop: it proves
    that both get on with their work.
    """

    def __init__(
            self, environment: MutableMapping[str, str], node: Node,
            loop: asyncio.AbstractEventLoop, describe: Callable[[], str]) -> None:
        """
        Begin to give signs of life and to tell the status.

        describe: returns the status in a few words; called in the loop's thread.
        """
        self._loop = loop
        self._describe = describe
        self._status = ''
        self._watchdog = systemd.watchdog_period(environment)
        under_systemd = 'NOTIFY_SOCKET' in environment
        self._notifier = systemd.Notifier.from_environment(environment)
        if under_systemd:
            # Not the node's clock: under use_sim_time that one may stand still.
            node.create_timer(
                min(self._watchdog or STATUS_PERIOD, STATUS_PERIOD), self._on_timer,
                clock=Clock(clock_type=ClockType.STEADY_TIME))

    def ready(self) -> None:
        """Say that the start is over: from now on, messages are taken."""
        self._notifier.notify(systemd.READY)

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._notifier.notify(systemd.STOPPING, systemd.status('flushing'))

    def _on_timer(self) -> None:
        self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        status = self._describe()
        assignments = [systemd.WATCHDOG] if self._watchdog else []
        if status != self._status:
            assignments.append(systemd.status(status))
        if assignments and self._notifier.notify(*assignments):
            self._status = status
