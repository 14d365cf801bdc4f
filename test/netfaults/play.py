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

"""One scenario, played and accounted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
import time
from typing import Any, NamedTuple

from scenarios import Scenario, UNTOLD
from stage import STABLE, Stage

AT_ONCE = 0.5  # seconds for the first box of an idle camera whose time to recover is over


@dataclass(frozen=True)
class Result:
    """What a scenario has cost."""

    name: str
    accepted: int
    received: int  # different ones
    repeated: int
    dropped: dict[str, int]
    not_accepted: int  # lost by DDS, before the bridge had them
    noticed: float | None  # seconds until the state was no longer STABLE
    recovered: float  # seconds until boxes flowed again; idle: until they could have
    paused: float  # seconds, the longest that none came from then on
    reconnects: int
    reconnects_meanwhile: int  # of these, before the mend
    cause: str
    threads: int  # more than before
    descriptors: int


class Course(NamedTuple):
    """How a fault went; times are Unix times."""

    began: float
    flowed: float  # when boxes did again
    recovered: float  # as in Result
    reconnects: int  # before the mend


def play(stage: Stage, scenario: Scenario) -> Result:
    """Play it, and hold the bridge to its account. Before and after, the detector pauses."""
    before, known = stage.status, len(stage.arrivals)
    stage.tell_detector('go')
    stage.wait_until_settled()
    threads, descriptors = stage.process.num_threads(), stage.process.num_fds()
    if scenario.idle:
        stage.rest()
    course = _inflict(stage, scenario, before['reconnects'])
    stage.wait_until_settled()
    times = [at for at, _ in stage.arrivals if at >= course.flowed]
    stage.rest()
    stage.wait(lambda: stage.process.num_threads() <= threads
               and stage.process.num_fds() <= descriptors, 'no thread and no descriptor is left')
    since = [status for status in stage.statuses if status['t'] > course.began]
    different = {number for _, number in stage.arrivals[known:]}
    result = Result(
        scenario.name, _gained(stage, before, 'accepted'), len(different),
        len(stage.arrivals) - known - len(different),
        dict(Counter(stage.status['dropped']) - Counter(before['dropped'])),
        _gained(stage, before, 'lost'),
        next((status['t'] - course.began for status in since if status['state'] != STABLE), None),
        course.recovered,
        max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0),
        _gained(stage, before, 'reconnects'), course.reconnects,
        next((status['cause'].partition(':')[0] for status in since
              if status['reconnects'] > before['reconnects']), ''),
        stage.process.num_threads() - threads, stage.process.num_fds() - descriptors)
    _hold(stage, scenario, result)
    return result


def _gained(stage: Stage, before: dict[str, Any], count: str) -> int:
    return int(stage.status[count] - before[count])


def _hold(stage: Stage, scenario: Scenario, result: Result) -> None:
    firsts = [*dict.fromkeys(number for _, number in stage.arrivals)]
    assert firsts == sorted(firsts), 'boxes arrived out of order'
    assert result.accepted == result.received + sum(result.dropped.values()), result
    assert result.recovered <= scenario.limit, result
    assert result.paused <= UNTOLD, result
    assert scenario.reconnects is None or (
        result.reconnects_meanwhile <= scenario.reconnects), result


def _inflict(stage: Stage, scenario: Scenario, reconnects: int) -> Course:
    """Let it come and go, until boxes flow; reconnects: how many there have been."""
    began = time.time()
    meanwhile = 0
    fault = scenario.inflict(stage)
    next(fault)
    if scenario.lasts:
        time.sleep(scenario.lasts)
        meanwhile = int(stage.status['reconnects'] - reconnects)
        next(fault, None)
    mended = asked = time.time()
    if scenario.idle:  # no box helps it within the time that it has
        time.sleep(scenario.limit)
        asked = time.time()
        stage.tell_detector('go')
    stage.wait(lambda: stage.arrived_since(asked), 'boxes flow again')
    flowed = stage.arrived_since(asked) or 0.0
    took = flowed - asked
    if scenario.idle:
        assert took <= AT_ONCE, f'idle for {scenario.limit:g} s, and then boxes took {took:.2f} s'
        took += max(0.0, _registered_at(stage, reconnects) - mended)
    next(fault, None)  # for the next scenario, everything is as it was
    return Course(began, flowed, took, meanwhile)


def _registered_at(stage: Stage, reconnects: int) -> float:
    """Return when the camera was registered for the last time, if it was since so many times."""
    now = stage.status['reconnects']
    return next((status['t'] for status in stage.statuses
                 if status['reconnects'] == now > reconnects), 0.0)
