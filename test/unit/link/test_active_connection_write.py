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

"""Writing between two turns of the writer's task, and a window that is not always as wide."""

from camera_ws_bridge.errors import LinkFault
from rigs.link_rig import Rig, virtual


@virtual
async def test_what_a_direct_write_could_not_send_is_sent_over_the_next_connection():
    rig = Rig(identify_interval=0.0).start()
    connection = await rig.registered()
    await rig.until(lambda: not connection.pongs)

    def write(text):
        raise LinkFault('lost', 'the connection broke')
    connection.write = write
    rig.put(1, 2)
    assert connection.aborted
    await rig.until(lambda: rig.outbox.acknowledged == 2)
    assert [connection.frames for connection in rig.connections] == [[], [1, 2]]


@virtual
async def test_an_acknowledgement_that_takes_its_time_leaves_the_window_as_it_is():
    rig = Rig(make=lambda index: {'delay': 2.5}, identify_interval=0.0).start()
    await rig.registered()
    rig.outbox.narrow()
    narrowed = rig.outbox.window_bytes
    rig.put(1)
    await rig.until(lambda: rig.outbox.acknowledged == 1)
    assert rig.outbox.window_bytes == narrowed
    rig.connections[0].delay = 0.1  # a quick one does widen it
    rig.put(2)
    await rig.until(lambda: rig.outbox.acknowledged == 2)
    assert rig.outbox.window_bytes > narrowed
