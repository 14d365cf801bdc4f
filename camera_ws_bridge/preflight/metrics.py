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

"""Can the metrics be shown, without listening: a bridge may be doing so."""

from __future__ import annotations

from importlib.util import find_spec

from camera_ws_bridge.preflight.report import failed, Finding, ok, skipped


def check(address: str) -> Finding:
    """Look for the library that an endpoint needs; whether the address is free is not seen."""
    if not address:
        return skipped('not needed: metrics_address is not set')
    if find_spec('prometheus_client') is None:
        return failed('prometheus_client is not installed: the bridge would end with 2',
                      'apt install python3-prometheus-client, or empty metrics_address')
    return ok(f'prometheus_client is there, for {address}')
