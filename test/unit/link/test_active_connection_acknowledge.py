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

"""What is written, what is acknowledged by a pong, and the window between the two."""

import asyncio

from camera_ws_bridge.buffer.outbox import Outbox, Policy
from camera_ws_bridge.link.active_connection import TICK
import pytest
from rigs.link_rig import PING, Rig, virtual

pytestmark = pytest.mark.usefixtures('writing')


@virtual
async def test_acknowledged_is_what_a_pong_came_behind():
    rig = Rig().start()
    connection = await rig.registered()
    connection.answers = False
    rig.put(1, 2, 3)
    await rig.until(lambda: connection.pongs)
    rig.put(4)
    await rig.until(lambda: connection.frames == [1, 2, 3, 4])
    assert (rig.outbox.in_flight, rig.outbox.acknowledged) == (4, 0)
    connection.answer()
    await rig.until(lambda: rig.outbox.acknowledged == 3)
    assert rig.outbox.in_flight == 1
    await rig.until(lambda: connection.pongs)
    connection.answer()
    await rig.until(lambda: rig.outbox.acknowledged == 4)
    assert len(rig.outbox) == 0


@virtual
async def test_pings_are_batched_and_one_at_a_time():
    rig = Rig(make=lambda index: {'delay': 0.1}, identify_interval=0.0).start()
    connection = await rig.registered()
    before = connection.kinds.count(PING)
    for number in range(400):
        rig.put(number)
        await asyncio.sleep(0.005)
    assert 0 < connection.kinds.count(PING) - before <= 2.0 / TICK + 2
    assert connection.most_awaited == 1
    await rig.until(lambda: rig.outbox.acknowledged == 400)


@virtual
async def test_half_a_window_is_acknowledged_without_waiting_for_a_tick():
    outbox = Outbox(Policy(10_000, 2**24), Policy(10, 2**20), window_messages=10)
    rig = Rig(outbox=outbox, identify_interval=0.0).start()
    connection = await rig.registered()
    await asyncio.sleep(1)
    rig.put(*range(1000))
    began = rig.clock()
    await rig.until(lambda: outbox.acknowledged == 1000)
    assert rig.clock() - began < 2 * TICK
    assert connection.most_awaited == 1


@pytest.mark.parametrize('bound', (2, 3, 10, 20, 200))
@pytest.mark.parametrize('rate', (30, 60))
@virtual
async def test_a_small_buffer_does_not_overflow_on_a_healthy_link(bound, rate):
    rig = Rig(outbox=Outbox(Policy(bound, 2**20), Policy(bound, 2**20)),
              make=lambda index: {'delay': 0.002}).start()
    connection = await rig.registered()
    for frame_id in range(300):
        rig.put(frame_id)
        await asyncio.sleep(1 / rate)
    assert connection.frames == list(range(300))
    assert not rig.outbox.dropped
    assert len(connection.times_of(PING)) < 300 + 10
    assert connection.most_awaited <= 2  # a registration's, and one more


@virtual
async def test_window_bounds_what_is_written_and_not_acknowledged():
    outbox = Outbox(Policy(10_000, 2**24), Policy(10, 2**20), window_messages=10)
    rig = Rig(outbox=outbox).start()
    connection = await rig.registered()
    connection.answers = False
    connection.auto_progress = True
    rig.put(*range(100))
    await asyncio.sleep(20)
    assert connection.frames == list(range(10))


@virtual
async def test_the_window_is_halved_before_its_acknowledgement_takes_too_long():
    rig = Rig(make=lambda index: {'delay': 6.0}, identify_interval=0.0).start()
    await rig.registered()
    widest = rig.outbox.window_bytes
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    assert rig.outbox.window_bytes == widest // 2
    assert len(rig.attempts) == 1


@virtual
async def test_old_boxes_expire_while_there_is_no_pong():
    outbox = Outbox(Policy(1000, 2**20, max_age=3.0), Policy(10, 2**20))
    rig = Rig(outbox=outbox, make=lambda index: {'answers': False}).start()
    rig.put(1, 2)
    await asyncio.sleep(4)
    assert outbox.dropped == {'boxes_too_old': 2}


@virtual
async def test_round_trip_time():
    rig = Rig(make=lambda index: {'delay': 0.125}).start()
    await rig.registered()
    assert rig.link.round_trip_time == pytest.approx(0.125)
