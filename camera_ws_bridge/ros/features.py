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
What differs between the distributions of ROS 2, asked for by feature.

Nothing else looks for what an rclpy has or lacks, and nothing at all for a distribution's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import inspect
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSReliabilityPolicy
from rclpy.subscription import Subscription

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

# Neither ours nor rclpy's own: an endpoint that is destroyed under the events executor while its
# handler has something to tell crashes the process.
NO_PUBLISHER_EVENTS = PublisherEventCallbacks(use_default_callbacks=False)
NO_SUBSCRIPTION_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)

# Where it is not there, the middleware's default stands for it.
BEST_AVAILABLE = getattr(
    QoSReliabilityPolicy, 'BEST_AVAILABLE', QoSReliabilityPolicy.SYSTEM_DEFAULT)

# ROS_AUTOMATIC_DISCOVERY_RANGE came into ROS with that policy; only ROS_LOCALHOST_ONLY before.
HAS_DISCOVERY_RANGE = hasattr(QoSReliabilityPolicy, 'BEST_AVAILABLE')


def discovery_range(environment: Mapping[str, str]) -> str:
    """Return how far a node of this ROS, with this environment, looks for others."""
    if environment.get('ROS_LOCALHOST_ONLY') == '1':
        return 'LOCALHOST'
    wanted = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper()
    return wanted if wanted and HAS_DISCOVERY_RANGE else 'SUBNET'


def loopback_only() -> dict[str, str]:
    """Return the environment that keeps a node of this ROS on this machine."""
    known = {} if HAS_DISCOVERY_RANGE else {'ROS_LOCALHOST_ONLY': '1'}
    return {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', **known}


def node_arguments(**wanted: Any) -> dict[str, Any]:
    """Return those arguments of a node that this rclpy knows."""
    known = inspect.signature(Node.__init__).parameters
    return {name: value for name, value in wanted.items() if name in known}


def publishers_matched(subscription: Subscription) -> int | None:
    """Return how many publishers the middleware has connected it to; None: that is not told."""
    count = getattr(subscription, 'get_publisher_count', lambda: None)
    return count()


class _Numbered:
    """Takes what executors give with a message, and hands on the number of its publication."""

    # One that takes two arguments is told more than the message.
    __signature__ = inspect.Signature([
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
        for name in ('message', 'info')])

    def __init__(self, callback: Callable[[Any, int | None], None]) -> None:
        self._callback = callback

    def __call__(self, *given: Any) -> None:
        # One executor of rclpy gives message and info in one tuple.
        message, info = given if len(given) == 2 else given[0]
        self._callback(message, info.get('publication_sequence_number'))


def tells_message_info() -> bool:
    """Return whether executors can give a callback more than the message."""
    return hasattr(Subscription, 'CallbackType')


def numbered(callback: Callable[[Any, int | None], None]) -> Callable[..., None]:
    """Return a subscription's callback that gets each message's number, or None, as well."""
    if not tells_message_info():
        return lambda message: callback(message, None)
    return _Numbered(callback)


def wants_info(callback: Callable[..., object]) -> bool:
    """Return whether a subscription's callback is told more than the message, as rclpy sees it."""
    if not tells_message_info():
        return False
    try:
        inspect.signature(callback).bind(object())
    except TypeError:
        return True
    return False


def events_executor() -> Callable[[], Executor] | None:
    """Return what makes an executor without a wait set; None: this rclpy has none."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return None
    return EventsExecutor  # type: ignore[no-any-return]


def after_set_parameters(node: Node, callback: Callable[[list[Parameter]], None]) -> None:
    """Call back with the parameters that have been set, once they are."""
    if hasattr(node, 'add_post_set_parameters_callback'):
        node.add_post_set_parameters_callback(callback)
        return

    def tell(proposed: list[Parameter]) -> None:
        # Others may have refused them.
        callback([parameter for parameter in proposed if node.has_parameter(parameter.name)
                  and node.get_parameter(parameter.name).value == parameter.value])

    def before(proposed: list[Parameter]) -> SetParametersResult:
        if node.executor is not None:
            node.executor.create_task(lambda: tell(proposed))
        return SetParametersResult(successful=True)
    node.add_on_set_parameters_callback(before)
