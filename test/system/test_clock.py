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

"""
The wall clock moves by a day, both ways, under a running bridge and between its lives.

The clock of Python is moved inside the process, by a sitecustomize that adds what a file says; the
stamps of messages are ROS's own and not looked at.
"""

from __future__ import annotations

import os
import pathlib

from camera_ws_bridge.buffer.spool.writer import monotonic_time
from camera_ws_bridge_msgs.msg import Status, Update
import pytest
from rigs import process_rig as rigs
from rigs.shared import replace_text

DAY = 86400.0
INSIDE = pathlib.Path(__file__).parents[1] / 'faults' / 'inside'  # its sitecustomize moves clocks


class Clock:
    """The wall clock of bridges that get `environment`."""

    def __init__(self, folder) -> None:
        self._file = folder / 'offset'
        self.environment = {
            'PYTHONPATH': f'{INSIDE}:{os.environ.get("PYTHONPATH", "")}',
            'CAMERA_WS_BRIDGE_CLOCK': str(self._file)}
        self.move_to(0.0)

    def move_to(self, offset: float) -> None:
        """Set it to so many seconds from the true time."""
        replace_text(self._file, str(offset))


@pytest.fixture(name='stage')
def the_stage(tmp_path):
    """Return a function that starts a bridge with a movable clock, and what is around it."""
    class Stage:
        clock = Clock(tmp_path)
        lives = 0

        def start(self, **parameters):
            self.lives += 1
            self.probe = rigs.Probe(self.domain)
            self.process = rigs.Process(
                self.domain, tmp_path / f'log{self.lives}', environment=self.clock.environment,
                orchestrator_url=self.orchestrator.sim.url, camera_id=rigs.CAMERA_ID,
                connect_timeout=0.0, **{**rigs.FAST, **parameters})

        def end(self):
            assert self.process.end() == 0, self.process.log
            assert 'Traceback' not in self.process.log
            self.probe.close()

    stage = Stage()
    with rigs.serving(landmark=True) as stage.orchestrator, rigs.own_domain() as stage.domain:
        yield stage


@pytest.mark.parametrize('offset', [DAY, -DAY])
def test_a_running_bridge_does_not_care(tmp_path, stage, offset):
    stage.start(spool_path=str(tmp_path / 'spool' / 'gate.sqlite'), boxes_max_age=3600.0)
    probe, orchestrator = stage.probe, stage.orchestrator
    probe.wait_until_registered()
    probe.publish_frames(range(10))
    stage.clock.move_to(offset)
    probe.publish_frames(range(10, 20))
    probe.wait(lambda: set(orchestrator.frame_ids()) >= set(map(float, range(20))))
    assert orchestrator.sim.opened == 1, 'the connection was lost over it'
    orchestrator.die()
    probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
    probe.publish_frames(range(20, 30))
    stage.clock.move_to(0.0)
    probe.publish_frames(range(30, 40))
    probe.wait_for_status(lambda status: status.oldest_age > 0.0)
    assert probe.status.oldest_age < rigs.PATIENCE
    orchestrator.come_back()
    probe.wait(lambda: set(orchestrator.frame_ids()) >= set(map(float, range(40))))
    probe.wait_for_status(lambda status: status.boxes_queued == 0 and status.spool == 'ok')
    assert not probe.status.dropped
    stage.end()


@pytest.mark.parametrize(('offset', 'max_age', 'arrive'), [
    (DAY, 0.0, True), (-DAY, 0.0, True), (-DAY, 3600.0, True), (DAY, 3600.0, False)])
def test_what_is_in_the_spool_ages_by_the_wall_clock(tmp_path, stage, offset, max_age, arrive):
    """Only boxes with a limit of age do: a day older is too old, a day younger is as of now."""
    parameters = {'spool_path': str(tmp_path / 'spool' / 'gate.sqlite'), 'boxes_max_age': max_age}
    stage.start(**parameters)
    probe, orchestrator = stage.probe, stage.orchestrator
    probe.wait_until_registered()
    probe.wait(lambda: probe.tracked.objects)
    orchestrator.die()
    probe.wait_for_status(lambda status: status.state == Status.CONNECTING)
    probe.publish_frames(range(10))
    probe.feature_map.publish(Update(object_id=1, feature_map=[0.5]))
    probe.wait_for_status(lambda status: status.updates_queued == 1)
    stage.end()
    assert not orchestrator.frame_ids()
    stage.clock.move_to(offset)
    orchestrator.come_back(remembering=True)
    stage.start(**parameters)
    stage.probe.wait(lambda: orchestrator.messages('featureMap'), 'feature maps do not age')
    stage.probe.wait_for_status(lambda status: (
        status.boxes_accepted >= 10 and status.boxes_queued + status.updates_queued == 0))
    dropped = {count.cause: count.count for count in stage.probe.status.dropped}
    if arrive:
        assert orchestrator.frame_ids() == list(map(float, range(10)))
        assert dropped == {}
    else:
        assert orchestrator.frame_ids() == []
        # Those of the test's own that tried the connection are among them.
        assert set(dropped) == {'boxes_too_old'} and dropped['boxes_too_old'] >= 10
    stage.end()


def test_ages_from_the_wall_clock():
    assert monotonic_time(1000.0, wall=1010.0, monotonic=50.0) == 40.0
    assert monotonic_time(1000.0, wall=1000.0 + DAY, monotonic=50.0) == 50.0 - DAY
    assert monotonic_time(1000.0, wall=1000.0 - DAY, monotonic=50.0) == 50.0
