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

"""Faults of the link between bridge and orchestrator; harness.py asserts the account of each."""

import random

from harness import faulty, MIB
import pytest

# A dead link is noticed after a second, and reconnects cost next to nothing.
QUICK = {'heartbeat_interval': 0.5, 'heartbeat_timeout': 1.0, 'reconnect_delay_min': 0.01,
         'reconnect_delay_max': 0.05, 'stable_after': 0.0, 'open_timeout': 1.0}


@pytest.fixture(scope='module', name='bridge')
def shared_bridge(tmp_path_factory):
    with faulty(tmp_path_factory.mktemp('link'), **QUICK) as bridge:
        yield bridge


def some_arrive(bridge, count=20):
    """Wait until so many more messages have arrived."""
    arrived = len(bridge.received)
    bridge.wait(lambda: len(bridge.received) >= arrived + count)


def test_no_fault_at_all(bridge):
    with bridge.fault('none, for comparison'):
        some_arrive(bridge, 100)


def test_connection_reset(bridge):
    with bridge.fault('RST') as fault:
        some_arrive(bridge)
        bridge.proxy.reset()
        fault.healed()
        bridge.wait_for_cause(fault, 'lost')


def test_peer_stops_reading_while_the_link_is_idle(bridge):
    with bridge.fault('peer stops reading, idle', rate=5.0) as fault:
        bridge.proxy.stall()
        bridge.wait_for_cause(fault, 'silent')
        bridge.proxy.pass_through()
        fault.healed()


def test_peer_stops_reading_while_the_link_is_saturated(bridge):
    # 50 boxes a frame, 100 frames a second: 500 kB a second fill every buffer on the way.
    with bridge.fault('peer stops reading, saturated', rate=100.0, boxes_a_frame=50) as fault:
        some_arrive(bridge)
        bridge.proxy.stall()
        bridge.wait_for_cause(fault, 'silent')
        bridge.wait(lambda: bridge.probe.status.boxes_queued > 100)
        bridge.proxy.pass_through()
        fault.healed()
