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
Publishers and subscriptions whose QoS can be overridden.

`qos_overrides.<topic>.<publisher|subscription>.<policy>` are the parameters, as everywhere in ROS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.ros import features, qos
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from rclpy.subscription import Subscription


def create_publisher(
        node: Node, message_type: type, topic: str, profile: QoSProfile) -> Publisher:
    """Create a publisher; raise ConfigurationError for an override that is none."""
    return _create(node, topic, lambda: node.create_publisher(
        message_type, topic, qos.copy_of(profile),
        qos_overriding_options=QoSOverridingOptions(qos.OVERRIDABLE, callback=_check),
        event_callbacks=features.NO_PUBLISHER_EVENTS))


def create_subscription(
        node: Node, message_type: type, topic: str, callback: Callable[[Any], None],
        profile: QoSProfile, *, raw: bool = False,
        on_profile: Callable[[QoSProfile], None] = lambda _: None) -> Subscription:
    """
    Create a subscription; raise ConfigurationError for an override that is none.

    raw: callback gets the message's bytes; on_profile is called with the profile once the
    overrides are in it and may change it.
    """
    def resolved(profile: QoSProfile) -> SetParametersResult:
        on_profile(profile)
        return _check(profile)

    return _create(node, topic, lambda: node.create_subscription(
        message_type, topic, callback, qos.copy_of(profile), raw=raw,
        qos_overriding_options=QoSOverridingOptions(qos.OVERRIDABLE, callback=resolved),
        event_callbacks=features.NO_SUBSCRIPTION_EVENTS))


def _check(profile: QoSProfile) -> SetParametersResult:
    fits = 1 <= profile.depth < 2**31  # else the middleware fails without a word to users
    return SetParametersResult(successful=fits, reason='' if fits else 'depth is out of range')


def _create(node: Node, topic: str, create: Callable[[], Any]) -> Any:
    try:
        return create()
    except (RuntimeError, InvalidQosOverridesError, InvalidParameterTypeException) as error:
        if 'override' not in str(error):
            raise
        raise ConfigurationError(
            f'qos_overrides.{node.resolve_topic_name(topic)}.*', str(error)) from None
