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

"""From the parameters' values to the parts that they describe, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
import os
import random
import ssl
import time

from camera_ws_bridge.auth import sources
from camera_ws_bridge.bridge import Bridge
from camera_ws_bridge.buffer.outbox import Item, Outbox, Policy
from camera_ws_bridge.buffer.spool.spool import Row
from camera_ws_bridge.buffer.spool.writer import DEGRADED, monotonic_time, SpoolWriter
from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.link.backoff import Backoff
from camera_ws_bridge.link.link import Connection, Link, Settings
from camera_ws_bridge.log.printable import clean
from camera_ws_bridge.log.throttled_log import Logger
from camera_ws_bridge.process.loops import LoopHost
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.tracking.frame_stamps import FrameStamps, Stamp
from camera_ws_bridge.tracking.tracked_objects import Command, Session
from camera_ws_bridge.transport import tls as tls_contexts, url, websocket


def assemble(
        values: Parameters, host: LoopHost, logger: Logger,
        ros_time: Callable[[], int], *,
        publish: Callable[[Command, Stamp], None],
        publish_tracked: Callable[[], None],
        report: Callable[[bool], None],
        on_end: Callable[[LinkFault], None]) -> Bridge:
    """
    Return a bridge that has not started; raise ConfigurationError for what can never work.

    ros_time returns nanoseconds; the callbacks are Bridge's.
    """
    outbox = Outbox(*_policies(values))
    tokens = token_source(values)
    link = Link(
        _settings(values), outbox, Session(values.reconcile, ros_time),
        Backoff(*_delays(values), random.random),
        connect=_connector(values, lambda: link.settings), clock=time.monotonic, logger=logger,
        on_command=lambda command: bridge.publish(command),
        on_state=lambda: bridge.state_changed(),
        token=None if tokens is None else tokens.token,
        on_token_rejected=None if tokens is None else tokens.rejected)
    bridge = Bridge(
        link, FrameStamps(values.frame_history), host, logger,
        spool=_open_spool(values, link, host, logger),
        publish=publish, publish_tracked=publish_tracked, report=report, on_end=on_end)
    return bridge


def reassemble(bridge: Bridge, values: Parameters) -> None:
    """Let a bridge, which may be running, go by other values of the live parameters."""
    bridge.configure(
        _settings(values), _delays(values), *_policies(values), reconcile=values.reconcile)


def _policies(values: Parameters) -> tuple[Policy, Policy]:
    return (
        Policy(values.boxes_max_messages, values.boxes_max_bytes, values.boxes_max_age),
        Policy(values.updates_max_messages, values.updates_max_bytes, newest_per_object=True))


def _delays(values: Parameters) -> tuple[float, float, float]:
    return values.reconnect_delay_min, values.reconnect_delay_max, values.stable_after


def _settings(values: Parameters) -> Settings:
    return Settings(
        camera_id=values.camera_id, peer=url.for_log(values.orchestrator_url),
        connect_timeout=values.connect_timeout, open_timeout=values.open_timeout,
        heartbeat_interval=values.heartbeat_interval,
        heartbeat_timeout=values.heartbeat_timeout,
        identify_interval=values.identify_interval,
        shutdown_timeout=values.shutdown_timeout, command_rate=values.command_rate,
        limits=codec.Limits(values.max_image_bytes, values.max_image_pixels))


def connection_options(values: Parameters) -> tuple[websocket.Options, ssl.SSLContext | None]:
    """Return how to connect, and the TLS context for wss:; raise ConfigurationError."""
    options = websocket.Options(
        compression=values.compression,
        user_timeout=_user_timeout(values.heartbeat_timeout), tls_ca_file=values.tls_ca_file,
        tls_cert_file=values.tls_cert_file, tls_key_file=values.tls_key_file)
    if not url.is_encrypted(values.orchestrator_url):
        return options, None
    return options, tls_contexts.context(
        values.tls_ca_file, values.tls_cert_file, values.tls_key_file)


def _user_timeout(heartbeat_timeout: float) -> float:
    return 2 * heartbeat_timeout


def token_source(values: Parameters) -> sources.TokenSource | None:
    """Return where tokens come from, if they are needed; raise ConfigurationError."""
    tokens = sources.from_environment(
        os.environ, values.token_file, values.tls_ca_file, values.insecure_auth_host)
    if tokens is not None:
        sources.check_transport(values.orchestrator_url, values.insecure_token_host)
    return tokens


def _connector(
        values: Parameters, settings: Callable[[], Settings],
        ) -> Callable[[float], Awaitable[Connection]]:
    options, tls = connection_options(values)

    async def connect(timeout: float) -> Connection:
        now = replace(options, user_timeout=_user_timeout(settings().heartbeat_timeout))
        return await websocket.connect(values.orchestrator_url, now, tls, timeout)
    return connect


def _open_spool(
        values: Parameters, link: Link, host: LoopHost,
        logger: Logger) -> SpoolWriter | None:
    """Open the spool, if there is to be one, and put what it holds into the buffer."""
    if not values.spool_path:
        return None
    outbox, camera_id = link.outbox, values.camera_id

    def put_back(rows: list[Row]) -> None:
        wall, monotonic = time.time(), time.monotonic()
        for lane in (outbox.updates, outbox.boxes):
            outbox.put_back(lane, [Item(
                row.id, row.payload, monotonic_time(
                    row.accepted_at, wall=wall, monotonic=monotonic), row.object_id)
                for row in rows if row.lane == lane.name])

    def on_late(rows: list[Row]) -> None:
        def accept() -> None:
            put_back(rows)
            link.wake()
        host.loop.call_soon_threadsafe(accept)

    def on_change(state: str, reason: str) -> None:
        if state == DEGRADED:
            logger.error(f'{camera_id}: the spool cannot be written, the buffer is in memory '
                         f'only: {clean(reason)}')
        else:
            logger.info(f'{camera_id}: the spool is in use again')

    def on_report(text: str) -> None:
        logger.error(f'{camera_id}: {clean(text)}')

    spool, rows, outbox.next_id = SpoolWriter.open(
        values.spool_path, values.spool_max_bytes, on_change=on_change, on_report=on_report,
        on_late=on_late)
    outbox.journal = spool
    put_back(rows)
    if rows:
        logger.info(f'{camera_id}: {len(rows)} messages of an earlier life are in the spool')
    return spool
