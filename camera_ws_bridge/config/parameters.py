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
All parameters of a bridge: names, defaults, ranges and descriptions stand here and nowhere else.

config/bridge.yaml and docs/parameters.md repeat them for readers; a test compares all three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
import math
import os
from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.metrics import address as metrics
from camera_ws_bridge.tracking.frame_stamps import EPOCH, parse_zero
from camera_ws_bridge.transport import url as urls
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

MIB = 2**20
BOXES = 'camera_ws_bridge_msgs/msg/Boxes'
DETECTION2D = 'vision_msgs/msg/Detection2DArray'


@dataclass(frozen=True)
class Spec:
    """One parameter; the default's type is its type, low and high are its range, both included."""

    name: str
    default: str | bool | int | float
    description: str
    low: float = 0
    high: float = 0
    environment: str = ''  # variable that gives the default
    live: bool = False  # whether it can change while the node runs


def _parameter(
        default: Any, description: str, low: float = 0, high: float = 0, *,
        environment: str = '', live: bool = False) -> Any:
    """Return a field of Parameters; the arguments are those of Spec."""
    return field(default=default, metadata={
        'default': default, 'description': description, 'low': low, 'high': high,
        'environment': environment, 'live': live})


@dataclass(frozen=True)
class Parameters:
    """The values of all parameters, checked; raises ConfigurationError where they do not fit."""

    orchestrator_url: str = _parameter(
        '', 'WebSocket URL of the orchestrator, (ws|wss)://host:port/path. Empty: environment '
        'variable ORCHESTRATOR_URL.', environment='ORCHESTRATOR_URL')
    camera_id: str = _parameter(
        '', 'Id under which this camera registers at the orchestrator. Empty: environment '
        'variable CAMERA_ID.', environment='CAMERA_ID')
    connect_timeout: float = _parameter(
        60.0, 'Seconds to try for the first registration; then the process exits or, with '
        'autostart false and in multi_bridge, the node deactivates itself. 0: for ever. Once '
        'registered, it never gives up.', 0, 86400, live=True)
    open_timeout: float = _parameter(
        10.0, 'Seconds that one connection attempt may take.', 0.1, 300, live=True)
    reconnect_delay_min: float = _parameter(
        0.5, 'Seconds; ceiling of the random delay before the first reconnect. It doubles with '
        'every failure.', 0.01, 60, live=True)
    reconnect_delay_max: float = _parameter(
        2.5, 'Seconds; the ceiling grows to this (to 1 s while no server answers at all), and '
        'little below it is waited at least.', 0.01, 3600, live=True)
    stable_after: float = _parameter(
        2.0, 'Seconds that a connection must last to reset the delay.', 0, 3600, live=True)
    heartbeat_interval: float = _parameter(
        5.0, 'Seconds between pings on an idle connection.', 0.25, 3600, live=True)
    heartbeat_timeout: float = _parameter(
        10.0, 'Seconds without any progress after which a silent connection is dropped.',
        0.5, 3600, live=True)
    watch_network: bool = _parameter(
        True, 'Act at once when the kernel tells that an address, a link or a route of this '
        'machine has changed. false: wait for timeouts.', live=True)
    identify_interval: float = _parameter(
        30.0, 'Seconds between repeated registrations, which heal one that the orchestrator has '
        'lost; 0: never.', 0, 86400, live=True)
    shutdown_timeout: float = _parameter(
        2.0, 'Seconds to flush the buffer at shutdown and when the node is deactivated.',
        0, 60, live=True)
    reconcile: bool = _parameter(
        True, 'Publish a stop (RECONCILED) for objects that the orchestrator no longer names '
        'after a reconnect.', live=True)
    command_queue_depth: int = _parameter(
        32, 'Commands per topic that are remembered for a re-ID node that comes up later.',
        1, 10000)
    max_image_bytes: int = _parameter(
        15 * MIB // 2, 'Bytes; the largest PNG accepted in a start. By default what fits into a '
        'message of 10 MiB.', 1, 16 * MIB, live=True)
    max_image_pixels: int = _parameter(
        2**25, 'Width times height of the largest PNG accepted in a start.',
        1, 2**31 - 1, live=True)
    command_rate: float = _parameter(
        100.0, 'Messages a second that are accepted from the orchestrator in the long run; 20 '
        'seconds of it at once. The rest is counted and ignored.', 1, 100000, live=True)
    frame_history: int = _parameter(
        3600, 'Frames whose stamps are remembered, for Start.frame_stamp.', 1, 1000000)
    boxes_type: str = _parameter(
        BOXES, f'Message type of the topic boxes: {BOXES}, {DETECTION2D}, '
        'yolo_msgs/msg/DetectionArray of yolo_ros, or any other with a header for which an '
        'adapter is installed.')
    image_width: int = _parameter(
        0, 'Pixels; width of the image in which the detections are, where their type has pixels. '
        '0: from the topic camera_info.', 0, 2**31 - 1)
    image_height: int = _parameter(
        0, 'Pixels; height of that image. 0: from the topic camera_info.', 0, 2**31 - 1)
    frame_id_zero: str = _parameter(
        EPOCH, 'When the frame ids of other types than Boxes are 0: epoch (they are the stamps, '
        'in seconds since 1970), first_frame (seconds since the first one), or a stamp, e.g. '
        "'1764000000.25'. Operators' interfaces that draw boxes by the video's time need the "
        'time at which the stream began.', live=True)
    detection_ids: bool = _parameter(
        True, 'Take the ids that an adapter finds, integers, as those of tracked objects. '
        "false: ignore it, for a detector with ids of its tracker's own.")
    boxes_max_messages: int = _parameter(
        20000, 'Boxes messages in the buffer; when it is full, the oldest is dropped.',
        2, 10000000, live=True)
    boxes_max_bytes: int = _parameter(
        64 * MIB, 'Bytes of boxes messages (JSON) in the buffer.', 1024, 16384 * MIB, live=True)
    boxes_max_age: float = _parameter(
        0.0, 'Seconds after which a buffered boxes message is dropped; 0: never. The '
        'orchestrator stamps sightings when they arrive: old boxes become false sightings.',
        0, 86400, live=True)
    updates_max_messages: int = _parameter(
        1000, 'Feature maps in the buffer; when it is full, those with a newer one of the same '
        'object go first.', 2, 10000000, live=True)
    updates_max_bytes: int = _parameter(
        16 * MIB, 'Bytes of feature maps (JSON) in the buffer.', 1024, 16384 * MIB, live=True)
    spool_path: str = _parameter(
        '', 'SQLite file that keeps the buffer over restarts, e.g. '
        '/var/lib/camera_ws_bridge/gate.sqlite; one bridge a file. Empty: none.')
    spool_max_bytes: int = _parameter(
        128 * MIB, 'Bytes of the spool file; its log takes about 2 MiB more, and up to three '
        'corrupt files are kept beside it. Twice boxes_max_bytes plus updates_max_bytes is '
        'always enough.', MIB, 16384 * MIB)
    compression: bool = _parameter(
        False, 'Offer permessage-deflate to the orchestrator: less bytes, more CPU.')
    token_file: str = _parameter(
        '', 'File with a JSON Web Token for the orchestrator, readable by its owner only; read '
        'anew for every connection. Empty: none, or OAuth by AUTH_SERVER_URL.')
    insecure_token_host: str = _parameter(
        '', 'The one host to which a token may be sent over ws://; empty: only to this machine.')
    insecure_auth_host: str = _parameter(
        '', 'The one host of a token server to which the client secret may be sent over http://; '
        'empty: only to this machine.')
    tls_ca_file: str = _parameter(
        '', 'PEM file with the CAs to trust for wss:// and for the token server; empty: those '
        'that the system trusts.')
    tls_cert_file: str = _parameter(
        '', 'PEM file with a client certificate; empty: none.')
    tls_key_file: str = _parameter(
        '', 'PEM file with the key of tls_cert_file; empty: it is in there.')
    autostart: bool = _parameter(
        True, 'Configure and activate at the start, and exit when the orchestrator cannot be '
        'reached for connect_timeout. False: a lifecycle manager does the first, and the node '
        'deactivates itself instead of the second.')
    metrics_address: str = _parameter(
        '', 'Where Prometheus can ask for the metrics of all cameras of the process, HOST:PORT, '
        'e.g. 127.0.0.1:9464 or [::1]:9464; port 0: any that is free, see the log. Empty: '
        'nowhere. Needs prometheus_client.')
    wake_interval: float = _parameter(
        0.0, 'Seconds; while messages come faster, the process wakes up only so often and handles '
        'together what has come. That takes less CPU, and delays each message by up to so much. '
        '0: each at once. Of the cameras of a process, the smallest counts.', 0, 0.1)
    buffer_when_inactive: bool = _parameter(
        False, 'Buffer what arrives while the node is inactive; false: subscribe only while it '
        'is active. What was in the buffer before stays in either case.')

    def __post_init__(self) -> None:
        """Check what concerns more than a type and a range."""
        try:
            urls.check(self.orchestrator_url)
        except ValueError as error:
            raise ConfigurationError('orchestrator_url', str(error)) from None
        if not self.camera_id or not self.camera_id.isprintable():
            raise ConfigurationError(
                'camera_id', 'is not set (or not printable); give the id under which the '
                'orchestrator is to know this camera')
        if self.metrics_address:
            try:
                metrics.parse(self.metrics_address)
            except ValueError as error:
                raise ConfigurationError('metrics_address', str(error)) from None
        if (self.image_width > 0) != (self.image_height > 0):
            raise ConfigurationError(
                'image_width', 'and image_height: set both, or none and let camera_info tell')
        _check_together(vars(self))


SPECS = tuple(Spec(each.name, **each.metadata) for each in fields(Parameters))
BY_NAME = {spec.name: spec for spec in SPECS}


def check_change(current: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """
    Raise ConfigurationError unless these parameters of a running node may take these values.

    current: the values of all parameters, or of those that are known.
    """
    for name, value in changes.items():
        spec = BY_NAME[name]
        if not spec.live and value != current.get(name):
            raise ConfigurationError(name, 'cannot change while the node runs')
        if not isinstance(value, type(spec.default)):
            raise ConfigurationError(name, _wrong_type(spec, type(value).__name__))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # Also NaN, which not every rclpy's own check of the range refuses.
            if not spec.low <= value <= spec.high:
                raise ConfigurationError(
                    name, f'is {value:g}, but must be in {spec.low:g} to {spec.high:g}')
    _check_together({**current, **changes})


def _check_together(values: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for live parameters that are no values, or do not fit together."""
    try:
        parse_zero(values.get('frame_id_zero', EPOCH))
    except ValueError as error:
        raise ConfigurationError('frame_id_zero', str(error)) from None
    low, high = values.get('reconnect_delay_min'), values.get('reconnect_delay_max')
    if low is not None and high is not None and low > high:
        raise ConfigurationError(
            'reconnect_delay_min', f'is {low:g}, more than reconnect_delay_max ({high:g})')


def autostart(node: Node) -> bool:
    """Return that parameter, which is needed before the others; raise ConfigurationError."""
    return bool(_declare(node, BY_NAME['autostart']))


def metrics_address(node: Node) -> str:
    """Return that parameter, which the process needs before the others; or ConfigurationError."""
    return str(_declare(node, BY_NAME['metrics_address']))


def declare(node: Node) -> Parameters:
    """
    Declare all parameters on the node that are not yet, and return the values of all.

    Raise ConfigurationError.
    """
    return Parameters(**{spec.name: _declare(node, spec) for spec in SPECS})


def _declare(node: Node, spec: Spec) -> Any:
    from_environment = os.environ.get(spec.environment, '') if spec.environment else ''
    try:
        value = (
            node.get_parameter(spec.name).value if node.has_parameter(spec.name)
            else node.declare_parameter(
                spec.name, from_environment or spec.default, _descriptor(spec)).value)
    except InvalidParameterTypeException as error:
        raise ConfigurationError(spec.name, _wrong_type(spec, error)) from None
    except InvalidParameterValueException:
        raise ConfigurationError(
            spec.name, f'must be in {spec.low:g} to {spec.high:g}') from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(spec.name, f'must be in {spec.low:g} to {spec.high:g}')
    return value or from_environment if spec.environment else value


def _wrong_type(spec: Spec, error: object) -> str:
    examples = {bool: 'true or false', int: 'an integer, e.g. 10', float: 'a number with a point, '
                'e.g. 10.0', str: 'a string'}
    return f'must be {examples[type(spec.default)]} ({error})'


def _descriptor(spec: Spec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=spec.description, read_only=not spec.live)
    if isinstance(spec.default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(spec.low), to_value=float(spec.high))]
    elif isinstance(spec.default, int) and not isinstance(spec.default, bool):
        descriptor.integer_range = [
            IntegerRange(from_value=int(spec.low), to_value=int(spec.high), step=1)]
    return descriptor
