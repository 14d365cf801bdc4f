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

"""The quickest of the faults that `make netfaults` inflicts: eight, on one stage."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from network import why_not  # noqa: E402, I100, I202
from play import play  # noqa: E402, I100, I202
from rigs.process_rig import own_domain  # noqa: E402, I100, I202
from scenarios import SCENARIOS  # noqa: E402, I100, I202
from stage import Stage  # noqa: E402, I100, I202

QUICK = [scenario for scenario in SCENARIOS if scenario.quick]
pytestmark = pytest.mark.serial


@pytest.fixture(scope='module')
def stages(tmp_path_factory):
    """Return a function that gives a stage: the same again, unless a scenario has failed on it."""
    reason = why_not()
    if reason:
        pytest.skip(f'network faults: {reason}')
    made = []

    def get():
        if not made:
            made.append(Stage(tmp_path_factory.mktemp('stage'), domain))
        return made[0]

    def discard():
        while made:
            stage = made.pop()
            print(stage.logs())
            stage.close()

    get.discard = discard
    with own_domain() as domain:
        try:
            yield get
        finally:
            discard()


def test_the_quick_ones_are_eight():
    assert len(QUICK) == 8


@pytest.mark.timeout(180)
@pytest.mark.parametrize('scenario', QUICK, ids=lambda scenario: scenario.name)
def test_boxes_flow_again_in_time_and_none_is_lost(stages, scenario):
    try:
        print(play(stages(), scenario))
    except BaseException:
        stages.discard()
        raise
