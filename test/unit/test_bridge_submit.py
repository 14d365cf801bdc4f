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

"""From ROS to the buffer: accepted in order, or rejected and counted."""

from camera_ws_bridge.buffer.outbox import Policy
from camera_ws_bridge.errors import EncodeError
from camera_ws_bridge.protocol import codec
from camera_ws_bridge.protocol.start import Start
from camera_ws_bridge.protocol.update import Update
from rigs.in_process_rig import Rig
from rigs.shared import WAIT, wait_until


def test_boxes_and_updates_have_a_lane_each(loop_thread):
    rig = Rig(loop_thread)
    rig.submit(1.0)
    rig.submit_update(7, 1.0)
    rig.settle()
    update, = rig.bridge.outbox.updates.queued
    assert (codec.decode(update.payload), update.object_id) == (Update(7, (1.0,)), 7)
    assert len(rig.bridge.outbox.boxes) == 1


def test_own_feature_map_is_known_when_its_echo_comes(loop_thread):
    rig = Rig(loop_thread)

    async def commands(message):
        return rig.bridge.session.receive(message)

    rig.loop_thread.submit(commands(Start(7, 1.0, 1))).result(WAIT)
    rig.submit_update(7, 1.0, 2.0)
    assert rig.loop_thread.submit(commands(Update(7, (1.0, 2.0)))).result(WAIT) == []


def test_clear_buffer_drops_and_counts_what_was_submitted_before(loop_thread):
    rig = Rig(loop_thread)
    for number in range(10):
        rig.submit(float(number))
    rig.submit_update(7, 1.0)
    assert rig.do(rig.bridge.clear_buffer) == 11
    assert rig.do(rig.bridge.clear_buffer) == 0
    assert rig.bridge.outbox.dropped == {'boxes_cleared': 10, 'updates_cleared': 1}


def test_rejected_messages_are_counted_and_named_at_a_limited_rate(loop_thread):
    rig = Rig(loop_thread)
    error = EncodeError('boundingBoxes.boxes[3].rect', 'nan is not a finite number')
    for _ in range(100):
        rig.bridge.reject('boxes', error)
    rig.bridge.reject('feature_map', EncodeError('featureMap', 'too long', 'too_big'))
    assert rig.bridge.rejected == {'invalid_field': 100, 'too_big': 1}
    assert len(rig.logger.lines) == 2
    for part in ('front-door', 'boxes', 'boundingBoxes.boxes[3].rect', 'not a finite number'):
        assert part in rig.logger.lines[0]
    assert rig.queued() == []


def test_a_bug_costs_a_message_from_ros_and_is_counted_and_reported(loop_thread):
    rig = Rig(loop_thread)
    rig.bridge.reject('boxes', KeyError('a bug'))
    assert rig.bridge.rejected == {'internal': 1}
    assert 'please report: KeyError' in rig.logger.lines[0]


def test_dropped_messages_are_warned_of(loop_thread):
    rig = Rig(loop_thread, boxes=Policy(10, 2**20))
    rig.start()
    for number in range(15):
        rig.submit(float(number))
    wait_until(lambda: any('boxes_overflow 5' in line for line in rig.logger.lines))
    rig.bridge.shut_down()
