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

"""Buffers that fill, and the end of the process; see harness.py."""

import signal
import time

from camera_ws_bridge_msgs.msg import Status
from harness import faulty, MIB, QUICK
import pytest
from rigs import process_rig as rigs
from rigs.fault_results import record
from rigs.shared import replace_text

DAY = 86400.0  # seconds


# ---- the buffer

def test_publisher_ten_times_faster_than_the_link(tmp_path):
    with faulty(tmp_path, boxes_max_messages=100, updates_max_messages=20, **QUICK) as bridge:
        # 100 messages of 3 kB a second into 10 kB a second: thirty times, to be sure of ten.
        with bridge.fault('publisher ten times faster than the link', rate=100.0,
                          boxes_a_frame=30, drops=True, unpaced=True) as fault:
            bridge.proxy.throttle(10_000)
            bridge.wait(lambda: any(
                count.cause == 'boxes_overflow' and count.count > 200
                for count in bridge.probe.status.dropped), 'boxes are dropped')
            acknowledged = bridge.probe.status.acknowledged
            bridge.wait(lambda: bridge.probe.status.acknowledged > acknowledged,
                        'some get through')
            bridge.proxy.pass_through()
            fault.healed()


def test_link_so_slow_that_a_full_window_takes_longer_than_the_heartbeat(tmp_path):
    """256 KiB take 26 s: whoever gives up after one second must not begin anew for ever."""
    with faulty(tmp_path, **{**QUICK, 'heartbeat_timeout': 1.0}) as bridge:
        with bridge.fault('10 kB/s behind deep buffers', boxes_a_frame=20) as fault:
            bridge.proxy.throttle(10_000)
            bridge.wait(lambda: bridge.probe.status.boxes_queued_bytes > 300_000)
            bridge.proxy.reset()
            acknowledged = bridge.probe.status.acknowledged
            bridge.wait(lambda: bridge.probe.status.acknowledged > acknowledged + 20,
                        'it gets on while it is slow')
            bridge.proxy.pass_through()
            fault.healed()


@pytest.fixture(scope='module', name='bridge')
def shared_bridge(tmp_path_factory):
    with faulty(tmp_path_factory.mktemp('big'), **QUICK) as bridge:
        yield bridge


def test_outgoing_message_over_the_servers_limit(bridge):
    # Three million numbers are converted in one callback.
    with bridge.fault('message over the 10 MiB of the orchestrator', drops=True,
                      allowance=64 * MIB, callback_limit=1.0) as fault:
        published = bridge.publish_extra_update(length=11 * MIB // 4)
        bridge.wait(lambda: any(count.cause == 'updates_refused_by_peer'
                                for count in bridge.probe.status.dropped), 'it is given up')
        fault.healed()
        assert published not in {message['featureMap'][0]
                                 for message in bridge.orchestrator.messages('featureMap')}


def test_a_message_larger_than_the_window_does_not_wait_for_ever(bridge):
    with bridge.fault('feature map of 400 kB among boxes', allowance=30 * MIB):
        arrived = len(bridge.received)
        bridge.wait(lambda: len(bridge.received) > arrived + 20)
        published = bridge.publish_extra_update(length=100_000)
        bridge.wait(lambda: any(
            f'"featureMap":[{published}.0,' in text for text in bridge.received),
            'it arrives while boxes flow')


# ---- the clock

@pytest.mark.parametrize(('case', 'offset'), [
    ('wall clock a day forward and back', DAY), ('wall clock a day backward and forth', -DAY)])
def test_wall_clock_is_moved(tmp_path, case, offset):
    clock = tmp_path / 'clock'
    replace_text(clock, '0')
    with faulty(tmp_path, environment={'CAMERA_WS_BRIDGE_CLOCK': str(clock)},
                spool_path=str(tmp_path / 'spool' / 'spool.sqlite'), boxes_max_age=3600.0,
                **QUICK) as bridge:
        with bridge.fault(case) as fault:
            replace_text(clock, str(offset))
            fault.healed()
            assert bridge.probe.status.reconnects == fault.before.reconnects
            bridge.proxy.refuse()
            bridge.proxy.reset()
            bridge.wait(lambda: bridge.probe.status.boxes_queued > 30)
            replace_text(clock, '0')  # what has been queued at the other time is as old as it is
            bridge.wait(lambda: bridge.probe.status.boxes_queued > 60)
            assert bridge.probe.status.oldest_age < rigs.PATIENCE
            bridge.proxy.pass_through()
            fault.healed()
            fault.measured = '0 reconnects over it'


# ---- the end

@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_signal_while_the_link_is_stalled(tmp_path, number):
    with faulty(tmp_path, **QUICK) as bridge:
        bridge.proxy.stall()
        accepted = bridge.accepted
        for count in range(80):
            bridge.publish_boxes(1000 + count, [rigs.box(0)] * 50)
        bridge.wait(lambda: bridge.accepted >= accepted + 80)
        began = time.monotonic()
        bridge.process.signal(number)
        assert bridge.process.wait(10.0) == 0
        took = time.monotonic() - began
        assert took < 5.0
        # What could not be sent is not forgotten silently.
        bridge.probe.wait(lambda: bridge.probe.status.state == Status.CLOSED)
        assert 'boxes_shut_down 80' in bridge.process.log
    record(f'{number.name} with a stalled link',
           f'exit code 0 after {took:.1f} s; boxes_shut_down 80 of 80')
