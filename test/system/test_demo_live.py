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
import contextlib
import re
import signal

from camera_ws_bridge.sim.demo.account import clicks
from camera_ws_bridge.sim.interface.client import Operator
from camera_ws_bridge.sim.orchestrator.journal import Entry
import pytest
from test_demo import running, WAIT

pytestmark = pytest.mark.timeout(300)
LAP = 35.0  # seconds; a person is back in sight within 30


async def click(address):
    """
    Click on people at the entrance; return once the yard has found one of them.

    The first frames have no image yet, so the re-ID node can make nothing of a click on one.
    """
    operator = await Operator.connect(address.replace('http:', 'ws:') + 'client')

    def untracked(message):
        return message['type'] == 'boundingBoxes' and message['cameraId'] == 'entrance' and any(
            0.1 < box['rect'][0] and box['rect'][2] < 0.9 for box in message['boxes'])

    clicked = set()

    def found(message):
        return message['type'] == 'boundingBoxes' and message['cameraId'] == 'yard' and any(
            box.get('objectId') in clicked for box in message['boxes'])
    for _ in range(4):
        frame = await operator.wait_for(untracked, timeout=WAIT, skip=len(operator.received))
        box = next(box for box in frame['boxes'] if 0.1 < box['rect'][0] and box['rect'][2] < 0.9)
        clicked.add(await operator.start(
            'entrance', frame_id=frame['frameId'], box_id=box['boxId'], timeout=WAIT))
        with contextlib.suppress(asyncio.TimeoutError):
            await operator.wait_for(found, timeout=LAP, skip=len(operator.received))
            break
    else:
        pytest.fail('nobody is found in the yard')
    await operator.close()


@pytest.mark.serial  # draws pictures for two cameras, and looks at them
def test_it_comes_up_finds_who_is_clicked_on_at_both_cameras_and_ends():
    with running('--duration', '0') as demo:
        demo.wait_for('Both cameras are there')
        address = re.fullmatch(r"operator's page: (http://127\.0\.0\.1:\d+/)", demo.lines[0])[1]
        asyncio.run(click(address))
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
