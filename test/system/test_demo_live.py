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

"""The live show of the demo without a browser: it comes up, answers a click, ends in order."""

import asyncio
import re
import signal

from camera_ws_bridge.sim.demo.account import clicks
from camera_ws_bridge.sim.interface.client import Operator
from camera_ws_bridge.sim.orchestrator.journal import Entry
import pytest
from test_demo import running, WAIT

pytestmark = pytest.mark.timeout(300)


async def click(address):
    """Click on somebody at the entrance; return the id of the object."""
    operator = await Operator.connect(address.replace('http:', 'ws:') + 'client')

    def untracked(message):
        return message['type'] == 'boundingBoxes' and message['cameraId'] == 'entrance' and any(
            0.1 < box['rect'][0] and box['rect'][2] < 0.9 for box in message['boxes'])
    frame = await operator.wait_for(untracked, timeout=WAIT)
    box = next(box for box in frame['boxes'] if 0.1 < box['rect'][0] and box['rect'][2] < 0.9)
    object_id = await operator.start(
        'entrance', frame_id=frame['frameId'], box_id=box['boxId'], timeout=WAIT)
    await operator.close()
    return object_id


@pytest.mark.serial  # draws pictures for two cameras, and looks at them
def test_it_comes_up_tells_both_cameras_who_is_clicked_on_and_ends():
    with running('--duration', '0') as demo:
        demo.wait_for('Both cameras are there')
        address = re.fullmatch(r"operator's page: (http://127\.0\.0\.1:\d+/)", demo.lines[0])[1]
        object_id = asyncio.run(click(address))
        demo.wait_for(rf'yard\.reid_node\]: object {object_id}: tracked')  # it has the map
        children = demo.children()
        assert len(children) == 7
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0, demo.output
        assert 'Traceback' not in demo.output
        assert not [child for child in children if child.is_running()]


def test_a_signal_before_all_is_there_ends_it():
    with running('--duration', '0') as demo:
        demo.wait_for("operator's page")
        demo.process.send_signal(signal.SIGTERM)
        assert demo.end() == 0, demo.output
        assert 'Traceback' not in demo.output


def test_clicks_on_the_page_count_as_those_of_the_demos_own_operator():
    journal = [Entry(1.0, connection, 'to_orchestrator', f'{{"type": "{kind}"}}')
               for connection, kind in (
                   ('operator', 'setUsesImages'), ('operator', 'start'), ('operator', 'start'),
                   ('demo', 'start'), ('operator', 'stop'), ('neighbour', 'stop'))]
    assert clicks(journal) == (2, 1)
