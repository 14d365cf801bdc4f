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

"""From the parameters' values to the parts that they describe."""

from __future__ import annotations

from dataclasses import replace
import os
import ssl

from camera_ws_bridge.auth import sources
from camera_ws_bridge.bridge import Bridge, LoopHost, Outlet
from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.log.throttled_log import Logger
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.transport import network_watch, tls, url, websocket


class Orchestrator:
    """The way to the orchestrator, as the parameters describe it."""

    watch_network = staticmethod(network_watch.watch)

    def __init__(self, values: Parameters) -> None:
        """Raise ConfigurationError for what can never work."""
        self.tokens = token_source(values)
        self._url = values.orchestrator_url
        self._options, self._tls = connection_options(values)

    async def connect(self, settings: Settings, timeout: float) -> websocket.Connection:
        """Make one attempt."""
        options = replace(self._options, user_timeout=_user_timeout(settings.heartbeat_timeout))
        return await websocket.connect(self._url, options, self._tls, timeout)


def assemble(values: Parameters, outlet: Outlet, host: LoopHost, logger: Logger) -> Bridge:
    """Return a bridge that has not begun; raise ConfigurationError for what can never work."""
    bridge = Bridge(settings(values), Orchestrator(values), outlet, host, logger)
    if values.spool_path:
        bridge.open_spool(values.spool_path, values.spool_max_bytes)
    return bridge


def settings(values: Parameters) -> Settings:
    """Return what a bridge goes by while it runs."""
    return Settings(
        camera_id=values.camera_id, peer=url.for_log(values.orchestrator_url),
        frame_history=values.frame_history, connect_timeout=values.connect_timeout,
        open_timeout=values.open_timeout, reconnect_delay_min=values.reconnect_delay_min,
        reconnect_delay_max=values.reconnect_delay_max, stable_after=values.stable_after,
        heartbeat_interval=values.heartbeat_interval,
        heartbeat_timeout=values.heartbeat_timeout, watch_network=values.watch_network,
        identify_interval=values.identify_interval, shutdown_timeout=values.shutdown_timeout,
        reconcile=values.reconcile, command_rate=values.command_rate,
        limits=codec.Limits(values.max_image_bytes, values.max_image_pixels),
        boxes=Policy(values.boxes_max_messages, values.boxes_max_bytes, values.boxes_max_age),
        updates=Policy(
            values.updates_max_messages, values.updates_max_bytes, newest_per_object=True))


def connection_options(values: Parameters) -> tuple[websocket.Options, ssl.SSLContext | None]:
    """Return how to connect, and the TLS context for wss:; raise ConfigurationError."""
    options = websocket.Options(
        compression=values.compression,
        user_timeout=_user_timeout(values.heartbeat_timeout), tls_ca_file=values.tls_ca_file,
        tls_cert_file=values.tls_cert_file, tls_key_file=values.tls_key_file)
    if not url.is_encrypted(values.orchestrator_url):
        return options, None
    return options, tls.context(values.tls_ca_file, values.tls_cert_file, values.tls_key_file)


def _user_timeout(heartbeat_timeout: float) -> float:
    return 2 * heartbeat_timeout


def token_source(values: Parameters) -> sources.TokenSource | None:
    """Return where tokens come from, if they are needed; raise ConfigurationError."""
    tokens = sources.from_environment(
        os.environ, values.token_file, values.tls_ca_file, values.insecure_auth_host)
    if tokens is not None:
        sources.check_transport(values.orchestrator_url, values.insecure_token_host)
    return tokens
