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

"""The steps of `check` that concern ROS: its environment, and who publishes boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
import os
import platform
import time
from typing import Any

from camera_ws_bridge.config.parameters import BOXES
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.inputs import adapters
from camera_ws_bridge.preflight.report import (
    failed, Finding, ok, skipped, Status, warning)
from camera_ws_bridge.protocol import strict_json
from camera_ws_bridge.ros import features, qos
from camera_ws_bridge.ros.adaptive_subscription import AdaptiveSubscription
from camera_ws_bridge.tracking.frame_stamps import EPOCH
from camera_ws_bridge_msgs.msg import Boxes
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

GREATEST_DOMAIN = 101  # on Linux; the ports of those above may be given away to others


def environment(node: Node) -> Finding:
    """Say which ROS this is, and which other nodes it can find."""
    domain = node.context.get_domain_id()
    discovery = features.discovery_range(os.environ)
    data = {
        'distro': os.environ.get('ROS_DISTRO', ''),
        'rmw': rclpy.get_rmw_implementation_identifier(),
        'domain': domain, 'discovery_range': discovery,
        'security': os.environ.get('ROS_SECURITY_ENABLE', '').lower() == 'true',
        'node': node.get_fully_qualified_name(), 'python': platform.python_version(),
        'websockets': _version('websockets'), 'camera_ws_bridge': _version('camera_ws_bridge'),
        'json_writer': strict_json.WRITER}
    detail = (f'{data["distro"] or "ROS_DISTRO is not set"}, {data["rmw"]}, domain {domain}, '
              f'discovery range {discovery}, node {data["node"]}, json: {strict_json.WRITER}')
    if discovery == 'OFF':
        return warning(detail, 'no other node is found: set ROS_AUTOMATIC_DISCOVERY_RANGE to '
                       'LOCALHOST or SUBNET', **data)
    wanted = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper()
    if wanted == 'LOCALHOST' != discovery:
        return warning(detail, 'this ROS does not know ROS_AUTOMATIC_DISCOVERY_RANGE, and '
                       'talks to other machines: set ROS_LOCALHOST_ONLY=1', **data)
    if domain > GREATEST_DOMAIN:
        return warning(detail, f'set ROS_DOMAIN_ID to {GREATEST_DOMAIN} or less: other programs '
                       'may take the ports of this domain', **data)
    return ok(detail, **data)


def boxes(node: Node, boxes_type: str, listen: float, frame_id_zero: str = '') -> Finding:
    """
    Subscribe to boxes as the bridge does; see for `listen` seconds at most what arrives.

    frame_id_zero: the parameter, if it is known.
    """
    arrived: list[Any] = []
    try:
        adapter = adapters.find(boxes_type)
        if not listen:
            return skipped('not wanted: --listen 0')
        subscription = AdaptiveSubscription(
            node, Boxes if adapter is None else adapter.message_type, 'boxes', arrived.append,
            qos.BOXES)
    except ConfigurationError as error:
        return failed(
            str(error), 'correct the parameter, or install what is missing',
            boxes_types=adapters.known())
    topic = node.resolve_topic_name('boxes')
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + listen
    # A publisher may be found before the name of its node is.
    while time.monotonic() < end and not (arrived and all(_names(node, topic))):
        executor.spin_once(timeout_sec=0.1)
        subscription.look()
    executor.shutdown()
    finding = _judge(node, topic, subscription.mismatch, bool(arrived), listen)
    if adapter is not None:
        finding = replace(
            finding, data={**finding.data, 'adapter': adapter.source or 'built in'})
    return with_frame_ids(finding, boxes_type, frame_id_zero)


def with_frame_ids(finding: Finding, boxes_type: str, frame_id_zero: str) -> Finding:
    """Return the finding, or that operators will see none of the boxes that arrive."""
    if boxes_type == BOXES or (finding.status, frame_id_zero) != (Status.OK, EPOCH):
        return finding
    return warning(
        f'{finding.detail}; their frame ids are seconds since 1970',
        'operators see boxes only if the time of their video counts from 1970, too: set '
        'frame_id_zero to first_frame, or to the stamp at which the stream began', **finding.data)


def _judge(
        node: Node, topic: str, mismatch: Callable[[QoSProfile], str], arrived: bool,
        listen: float) -> Finding:
    own = next(info for info in node.get_subscriptions_info_by_topic(topic)
               if info.node_name == node.get_name() and (
                   info.node_namespace == node.get_namespace()))
    publishers, problems = [], []
    for info in node.get_publishers_info_by_topic(topic):
        name = _name(info) or 'a publisher'
        problem = ''
        if info.topic_type != own.topic_type:
            problem = f'publishes {info.topic_type} instead of {own.topic_type}'
        else:
            reason = mismatch(info.qos_profile)
            problem = f'has a QoS that does not fit ({reason})' if reason else ''
        publishers.append({'node': name, 'type': info.topic_type, 'problem': problem})
        if problem:
            problems.append(f'{name} {problem}')
    data = {'topic': topic, 'publishers': publishers, 'arrived': arrived}
    if problems:
        return failed(
            f'nothing of it arrives from {topic}: {"; ".join(problems)}', 'change the publisher, '
            f'or set the parameters qos_overrides.{topic}.subscription.* of the bridge', **data)
    if not publishers:
        return warning(f'nobody publishes {topic} ({listen:g} s waited)', 'start the detector, '
                       'or remap boxes to its topic', **data)
    names = ', '.join(publisher['node'] for publisher in publishers)
    if not arrived:
        return warning(f'{names} publishes {topic}, but nothing arrived in {listen:g} s',
                       'does the detector see anything? The bridge expects a message per frame',
                       **data)
    return ok(f'{names} publishes {topic}, and it arrives', **data)


def _name(info: Any) -> str:
    if 'UNKNOWN' in info.node_name:
        return ''
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def _names(node: Node, topic: str) -> list[str]:
    return [_name(info) for info in node.get_publishers_info_by_topic(topic)]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return 'unknown'
