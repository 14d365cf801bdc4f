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

"""The executable operator_sim: it clicks, stops, and survives the orchestrator."""

import contextlib
import subprocess
import threading

import pytest
from rigs import process_rig as rigs
from rigs.installed import executable


@contextlib.contextmanager
def operating(orchestrator, *arguments):
    process = subprocess.Popen(
        [executable('operator_sim'), '--url', orchestrator.sim.client_url,
         '--camera', rigs.CAMERA_ID, '--every', '0.05', *arguments],
        stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout))
    reader.start()
    try:
        yield lines
        process.terminate()
        assert process.wait(rigs.PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        reader.join(rigs.PATIENCE)
        process.stdout.close()


def test_it_starts_and_stops_objects_of_its_camera_over_a_restart(tmp_path):
    with rigs.running(tmp_path, reconnect_delay_max=0.1) as rig:
        with operating(rig.orchestrator, '--keep', '2') as lines:
            for _ in range(2):
                before = rig.probe.status.stops

                def has_stopped_one():  # an operator may come up behind a frame
                    rig.probe.boxes.publish(rigs.boxes(1.5, *map(rigs.box, range(4))))
                    return rig.probe.status.stops > before
                rig.wait(has_stopped_one, 'an object is stopped')
                rig.wait(lambda: len(rig.orchestrator.sim.state.objects) <= 2)
                rig.orchestrator.die()
                rig.orchestrator.come_back()
                rig.probe.wait_until_registered()
        assert any(line.startswith('operator_sim: start box 0 of frame 1.5') for line in lines)
        assert any(line.startswith('operator_sim: stop object ') for line in lines)
        assert any('with an image' in line for line in lines)


@pytest.mark.parametrize('arguments', [
    ['--every', '0'], ['--keep', '-1'], ['--what']])
def test_a_bad_option_is_refused(arguments):
    ended = subprocess.run(
        [executable('operator_sim'), *arguments], capture_output=True, text=True)
    assert ended.returncode == 2 and 'usage: operator_sim' in ended.stderr
