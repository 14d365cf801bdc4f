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

"""The one endpoint for metrics of a process, if its nodes ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.metrics import address
from camera_ws_bridge.node.bridge_node import BridgeNode

if TYPE_CHECKING:
    from camera_ws_bridge.metrics.endpoint import Endpoint


def open_endpoint(nodes: Sequence[BridgeNode]) -> Endpoint | None:
    """
    Return the endpoint that any of the nodes ask for, which tells of all; None: none does.

    Raise ConfigurationError where there can be none.
    """
    addresses = sorted({node.metrics_address for node in nodes} - {''})
    if not addresses:
        return None
    if len(addresses) > 1:
        raise ConfigurationError(
            'metrics_address', 'a process has one endpoint for all its cameras, but they ask for '
            f'{" and ".join(addresses)}')
    try:
        host, port = address.parse(addresses[0])
        # Not at the top: who does without metrics needs no library, and no time to import it.
        from camera_ws_bridge.metrics.endpoint import Endpoint
        endpoint = Endpoint(host, port, nodes)
    except ImportError as error:
        raise ConfigurationError(
            'metrics_address', f'prometheus_client cannot be imported ({error}): apt install '
            'python3-prometheus-client') from None
    except (OSError, OverflowError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise ConfigurationError(
            'metrics_address', f'cannot listen on {addresses[0]}: {reason}') from None
    except ValueError as error:
        raise ConfigurationError('metrics_address', str(error)) from None
    nodes[0].get_logger().info(f'metrics of all cameras of this process: {endpoint.url}')
    return endpoint
