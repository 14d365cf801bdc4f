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

"""The simulated orchestrator answers one long script as a real one did."""

import pytest
from rigs.orchestrator_script import ANSWERS, differences, play, read_answers, read_script
from rigs.shared import run
from rigs.sim_rig import OrchestratorSim, Timelines

SCENES = {scene['name']: scene for scene in read_script()}
NOBODYS = ('expired processor', 'foreign processor', 'expired operator', 'foreign operator')


class InProcess:
    """What the player needs of an orchestrator."""

    tokens = {name: name for name in ('processor', 'operator', *NOBODYS)}

    def __init__(self, folder):
        self._folder = folder
        self._sim = None

    async def start(self, settings):
        demanded = settings.get('tokens', ())
        self._sim = OrchestratorSim(token='processor' if 'processor' in demanded else None)
        self._sim.state.operator_token = 'operator' if 'operator' in demanded else None
        self._sim.state.tracking_timeout = settings.get('tracking_timeout')
        self._sim.timelines = Timelines(self._folder)
        await self._sim.start()
        return self._sim.url.removesuffix('/processor')

    async def kill(self):
        await self._sim.stop()


@pytest.mark.parametrize('name', SCENES)
def test_it_answers_as_the_real_one(name, tmp_path):
    async def job():
        orchestrator = InProcess(tmp_path)
        rows = await play(SCENES[name], orchestrator)
        await orchestrator.kill()
        assert len(rows) == len(SCENES[name]['steps'])
        found = differences(read_answers(ANSWERS), rows)
        assert not found, '\n'.join(found)

    run(job())


def test_the_recording_is_of_this_script():
    assert [(row['scene'], row['does']) for row in read_answers(ANSWERS)] == [
        (scene['name'], step) for scene in SCENES.values() for step in scene['steps']]


def test_another_answer_is_found():
    expected = read_answers(ANSWERS)
    row = next(row for row in expected if row['answers'])
    for answers in ([], [['nobody', 'x']], [*row['answers'], *row['answers']]):
        assert len(differences(expected, [{**row, 'answers': answers}])) == 1
    other = {**row, 'does': ['nobody', 'open', '/']}
    assert differences(expected, [other])[0].endswith('the recording is of another script')
