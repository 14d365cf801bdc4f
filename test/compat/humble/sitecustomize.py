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
Makes the rclpy of every process that has this folder on PYTHONPATH look like Humble's.

It takes away the names that came later, and gives back those that have gone since; nothing of how
it works is Humble's. The names were read from the sources of rclpy's branch `humble`.
"""

from functools import wraps
import inspect
import pathlib
import signal
import sys
import types

# Threads of these imports (numpy's, on Kilted) must not get the signals that end a bridge.
held_back = signal.pthread_sigmask(
    signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))

import rcl_interfaces.msg  # noqa: E402
import rclpy  # noqa: E402
import rclpy.event_handler  # noqa: E402
import rclpy.experimental  # noqa: E402
import rclpy.lifecycle  # noqa: E402, F401
from rclpy.node import Node  # noqa: E402
import rclpy.parameter_client  # noqa: E402, F401
import rclpy.qos  # noqa: E402
from rclpy.subscription import Subscription  # noqa: E402
import rclpy.topic_endpoint_info  # noqa: E402, F401

signal.pthread_sigmask(signal.SIG_SETMASK, held_back)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import taking_away  # noqa: E402, I100

taking_away.take_policies(
    'BEST_AVAILABLE', rclpy.qos.ReliabilityPolicy, rclpy.qos.DurabilityPolicy,
    rclpy.qos.LivelinessPolicy)

# event_handler was qos_event.
qos_event = types.ModuleType('rclpy.qos_event')
qos_event.QoSEventHandler = rclpy.event_handler.EventHandler
for name in ('PublisherEventCallbacks', 'SubscriptionEventCallbacks'):
    setattr(qos_event, name, getattr(rclpy.event_handler, name))
sys.modules['rclpy.qos_event'] = rclpy.qos_event = qos_event
taking_away.take_modules('rclpy.event_handler', 'rclpy.experimental', 'rclpy.parameter_client')

del Node.add_post_set_parameters_callback
del Node.add_pre_set_parameters_callback
del Subscription.get_publisher_count
del rcl_interfaces.msg.LoggerLevel


def without(method, *names):
    """Return a method that knows these arguments no more."""
    signature = inspect.signature(method)
    kept = signature.replace(parameters=[
        parameter for name, parameter in signature.parameters.items() if name not in names])

    @wraps(method)
    def narrower(*arguments, **named):
        kept.bind(*arguments, **named)
        return method(*arguments, **named)
    narrower.__signature__ = kept
    return narrower


Node.__init__ = without(Node.__init__, 'enable_logger_service')
Node.create_timer = without(Node.create_timer, 'autostart')


def create_node(node_name, **named):
    """Make a node; rclpy's own hands on what Node knows no more."""
    return Node(node_name, **named)


rclpy.create_node = create_node
