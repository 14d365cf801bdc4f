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
The endpoint that Prometheus asks, in threads of its own.

It reads what each bridge has told last, once it is asked: reports that nothing changes any more,
in a field that is replaced as a whole. So the bridges do nothing for it, and need no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import contextlib
import socket
from socketserver import TCPServer, ThreadingMixIn
import sys
import threading
import time
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from camera_ws_bridge.metrics import families
from camera_ws_bridge.metrics.families import CAMERA, COUNTER, Family, PREFIX, Report, STATES_OF
from prometheus_client import CollectorRegistry, make_wsgi_app, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily, GaugeMetricFamily, Metric, StateSetMetricFamily)

CLIENT_TIMEOUT = 10.0  # seconds for a client to ask and to read
PAUSE = 1.0  # seconds after a connection could not be accepted
# Level and option of Linux, which Python's socket does not name.
FREEBIND: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}


class Source(Protocol):
    """One bridge."""

    @property
    def last_report(self) -> Report | None:
        """Return what it has told last, if anything; called in other threads."""

    def get_fully_qualified_name(self) -> str:
        """Return the node's name."""


class Collector:
    """Makes metrics of the sources' last reports."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = [(source.get_fully_qualified_name(), source) for source in sources]

    def collect(self) -> Iterator[Metric]:
        """Return all metrics as they are now."""
        now = time.monotonic()
        reports = [((report.status.camera_id, name), report)
                   for name, source in self._sources
                   if (report := source.last_report) is not None]
        for family in families.FAMILIES:
            yield _metric(family, reports)
        age = GaugeMetricFamily(PREFIX + families.AGE, families.AGE_TEXT, labels=CAMERA)
        for labels, report in reports:
            age.add_metric(labels, max(now - report.at, 0.0))
        yield age
        yield GaugeMetricFamily(PREFIX + families.TIME, families.TIME_TEXT, value=time.time())


def _metric(family: Family, reports: Iterable[tuple[tuple[str, str], Report]]) -> Metric:
    name, labels = PREFIX + family.name, (*CAMERA, *family.labels)
    if family.kind == STATES_OF:
        states = StateSetMetricFamily(name, family.text, labels=labels)
        for camera, report in reports:
            states.add_metric(camera, {
                state: bool(value) for (state,), value in family.samples(report).items()})
        return states
    metric = (CounterMetricFamily if family.kind == COUNTER else GaugeMetricFamily)(
        name, family.text, labels=labels)
    for camera, report in reports:
        for own, value in family.samples(report).items():
            metric.add_metric((*camera, *own), float(value))
    return metric


class Endpoint:
    """Listens, and answers every request with the metrics."""

    def __init__(self, host: str, port: int, sources: Sequence[Source]) -> None:
        """Begin to listen; raise OSError where that is not possible."""
        registry = CollectorRegistry()
        registry.register(Collector(sources))
        ProcessCollector(registry=registry)  # CPU, memory and descriptors, from /proc when asked
        self._closing = threading.Event()
        self._server = _Server(host, port, self._closing)
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self._serve, name='metrics', daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return where the metrics are."""
        host, port = self._server.server_address[:2]
        shown = f'[{host!s}]' if ':' in str(host) else str(host)
        return f'http://{shown}:{port}/metrics'

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join(CLIENT_TIMEOUT)
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._server.handle_request()  # waits for one; unlike serve_forever it never polls


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_TIMEOUT

    def log_message(self, *_: Any) -> None:
        """Log no requests."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, closing: threading.Event) -> None:
        self.address_family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self._closing = closing
        super().__init__(address, _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """
        Bind, also to an address that this machine does not have yet, as at boot.

        This does not ask a name server for this machine's name, which may hang.
        """
        if sys.platform == 'linux':
            self.socket.setsockopt(*FREEBIND[self.address_family], 1)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore
        self.setup_environ()

    def get_request(self) -> Any:
        """Accept a connection; after a failure, e.g. for want of descriptors, with a pause."""
        try:
            return super().get_request()
        except OSError:
            self._closing.wait(PAUSE)
            raise

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that have gone."""
