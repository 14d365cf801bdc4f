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

"""Who has seen a tracked object, as the simulated orchestrator remembers it."""

import time

from camera_ws_bridge.sim.orchestrator.timelines import Timelines
import pytest


@pytest.fixture(name='clock')
def fixture_clock(monkeypatch):
    clock = ['2026/11/26 | 12:00:00']
    monkeypatch.setattr(time, 'strftime', lambda _: clock[0])
    return clock


def test_each_sighting_is_told_in_order(clock):
    timelines = Timelines()
    for camera in ('gate', 'yard', 'gate'):
        timelines.add(7, camera)
    clock[0] = '2026/11/26 | 12:00:01'
    timelines.add(7, 'gate')
    assert [(each['timeStamp'][-2:], each['processorId']) for each in timelines.of('7')] == [
        ('00', 'gate'), ('00', 'yard'), ('00', 'gate'), ('01', 'gate')]


def test_sightings_of_a_camera_within_a_second_take_no_memory_each(clock):
    timelines = Timelines()
    for _ in range(100):
        for camera in ('gate', 'yard'):
            timelines.add(7, camera)
            timelines.add(8, camera)
    entries = timelines.of('7') + timelines.of('8')
    assert len(entries) == 400
    assert len({id(entry) for entry in entries}) == 2
