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
Secrets that can be recognised anywhere, and an ear at everything that a bridge says.

A secret counts as told when eight characters of it in a row are found, as they are or in one of
the forms in which programs print bytes: whoever cuts or quotes a secret has told it all the same.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
import importlib
import pathlib
from typing import Any
from urllib.parse import quote, quote_plus

import psutil
from rcl_interfaces.srv import DescribeParameters, GetParameters, GetParameterTypes, ListParameters
from rclpy.node import NodeNameNonExistentError
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rigs import process_rig as rigs

PIECE = 8  # characters


class Canaries:
    """The secrets of a test, by name."""

    def __init__(self, **secrets: str) -> None:
        self._pieces: dict[bytes, str] = {}
        for name, secret in secrets.items():
            for form in _forms(secret):
                for start in range(len(form) - PIECE + 1):
                    self._pieces[form[start:start + PIECE]] = name

    def told_by(self, told: bytes) -> set[str]:
        """Return the names of the secrets of which a piece is in there."""
        return {self._pieces[told[start:start + PIECE]] for start in range(len(told) - PIECE + 1)
                if told[start:start + PIECE] in self._pieces}


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    for text in {secret, quote(secret, safe=''), quote_plus(secret), repr(secret)[1:-1]}:
        yield text.encode()
    yield raw.hex().encode()
    for shift in range(3):  # wherever it begins in what was encoded
        yield base64.b64encode(bytes(shift) + raw)[4:-4]


class Ear:
    """Takes down everything that a node publishes and answers, as raw bytes by channel."""

    def __init__(self, probe: rigs.Probe) -> None:
        self.heard: dict[str, list[bytes]] = {}
        self._probe = probe

    def listen(self) -> None:
        """Subscribe to every topic that the bridge publishes."""
        node = self._probe.node
        self._probe.wait(lambda: {'/rosout', '/parameter_events', '/diagnostics'} <= {
            *self._topics()}, 'the topics of the bridge are known')
        for topic, types in self._topics().items():
            for endpoint in node.get_publishers_info_by_topic(topic)[:1]:
                profile = QoSProfile(depth=1000)
                profile.reliability = QoSReliabilityPolicy.RELIABLE
                profile.durability = endpoint.qos_profile.durability
                if profile.durability != QoSDurabilityPolicy.TRANSIENT_LOCAL:
                    profile.durability = QoSDurabilityPolicy.VOLATILE
                heard = self.heard.setdefault(topic, [])
                node.create_subscription(
                    _message_type(types[0]), topic, heard.append, profile, raw=True)

    def _topics(self) -> dict[str, list[str]]:
        try:
            return dict(self._probe.node.get_publisher_names_and_types_by_node(
                self._probe.bridge, '/'))
        except NodeNameNonExistentError:
            return {}

    def ask(self) -> None:
        """Ask the parameter services for all that they tell."""
        names = self._call(ListParameters, 'list_parameters').result.names
        assert {'token_file', 'orchestrator_url'} <= set(names)
        for kind, service in (
                (GetParameters, 'get_parameters'), (DescribeParameters, 'describe_parameters'),
                (GetParameterTypes, 'get_parameter_types')):
            self._call(kind, service, names=names)
        for service in ('clear_buffer', 'reconnect'):
            self.heard.setdefault(service, []).append(str(self._probe.call(service)).encode())

    def _call(self, kind: Any, service: str, **request: Any) -> Any:
        node = self._probe.node
        client = node.create_client(kind, f'{self._probe.bridge}/{service}')
        self._probe.wait(client.service_is_ready, f'{service} is there')
        future = client.call_async(kind.Request(**request))
        self._probe.wait(future.done, f'{service} answers')
        node.destroy_client(client)
        self.heard.setdefault(service, []).append(str(future.result()).encode())
        return future.result()

    def look_at(self, process: psutil.Process) -> None:
        """Read what the system shows of the process, and of any child."""
        self.heard.setdefault('argv', []).append('\0'.join(process.cmdline()).encode())
        children = process.children(recursive=True)
        self.heard.setdefault('children', []).extend(
            str((child.cmdline(), child.environ())).encode() for child in children)


def _message_type(name: str) -> Any:
    package, _, message = name.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), message)


def files(*folders: pathlib.Path) -> Iterable[tuple[str, bytes]]:
    """Return name and content of every file below the folders."""
    for folder in folders:
        for path in folder.rglob('*'):
            if path.is_file():
                yield f'file {path.name}', path.read_bytes()
