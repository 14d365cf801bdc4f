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
Print what 1,000 bridges make of one orchestrator that restarts, in virtual time.

    python3 scripts/fleet_load.py             prints the table
    python3 scripts/fleet_load.py --write     writes it into docs/performance.md

The delays are those of link.backoff, with the parameters' defaults. The orchestrator is away, or
refuses, for 30 s; then it handles CAPACITY registrations a second in the order of their arrival.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
import heapq
import pathlib
import random
import re

from camera_ws_bridge.config.parameters import SPECS
from camera_ws_bridge.link.backoff import Backoff

PAGE = pathlib.Path(__file__).resolve().parents[1] / 'docs' / 'performance.md'
BEGIN, END = '<!-- fleet -->\n', '<!-- end of fleet -->'
BRIDGES = 1000
AWAY = 30.0  # seconds
CAPACITY = 300.0  # registrations a second; an orchestrator in Python takes about 3 ms for one
RETRY_AFTER = 10.0  # seconds; the longest that is obeyed
DEFAULTS = {spec.name: spec.default for spec in SPECS}
HEAD = ('| meanwhile | attempts a second, on average | in the busiest second | in that after the '
        'return | half are back after | all are |\n|---|---|---|---|---|---|\n')


@dataclass
class Outage:
    """How an orchestrator is away."""

    name: str
    reached: bool  # whether something answers
    retry_after: float = 0.0


@dataclass
class Load:
    """What an outage has cost."""

    arrivals: list[float]  # attempts
    back: list[float]  # when each bridge was registered again

    def in_second(self, first: float, last: float) -> list[int]:
        """Return the attempts in each second of that time."""
        seconds = Counter(int(at) for at in self.arrivals if first <= at < last)
        return [seconds[second] for second in range(int(first), int(last))]


OUTAGES = (
    Outage('nothing listens', reached=False),
    Outage('HTTP 502, a captive portal, accept and close', reached=True),
    Outage('HTTP 503 with Retry-After: 10 or more', reached=True, retry_after=RETRY_AFTER),
)


def simulate(outage: Outage, seed: int = 1) -> Load:
    """Let all bridges lose their connection at 0, and come back."""
    chance = random.Random(seed)
    backoffs = [
        Backoff(DEFAULTS['reconnect_delay_min'], DEFAULTS['reconnect_delay_max'],
                DEFAULTS['stable_after'], chance.random) for _ in range(BRIDGES)]
    attempts = [(backoff.next_delay(reached=False, lasted=3600.0), index)
                for index, backoff in enumerate(backoffs)]
    heapq.heapify(attempts)
    load, free_at = Load([], []), AWAY
    while attempts:
        now, index = heapq.heappop(attempts)
        load.arrivals.append(now)
        if now < AWAY:
            delay = max(backoffs[index].next_delay(reached=outage.reached),
                        backoffs[index].asked(outage.retry_after))
            heapq.heappush(attempts, (now + delay, index))
        else:
            free_at = max(free_at, now) + 1 / CAPACITY
            load.back.append(free_at)
    return load


def row(outage: Outage) -> str:
    """Return a row of the table."""
    load = simulate(outage)
    meanwhile = load.in_second(0.0, AWAY)
    after = load.in_second(AWAY, AWAY + 60)
    return (f'| {outage.name} | {sum(meanwhile) / AWAY:.0f} | {max(meanwhile)} | {max(after)} '
            f'| {load.back[BRIDGES // 2] - AWAY:.1f} s | {load.back[-1] - AWAY:.1f} s |\n')


def table() -> str:
    """Return the table in Markdown."""
    return HEAD + ''.join(map(row, OUTAGES))


def page(old: str) -> str:
    """Return performance.md with the table anew."""
    return re.sub(f'{BEGIN}.*?{END}', lambda _: f'{BEGIN}\n{table()}\n{END}', old,
                  flags=re.DOTALL)


def main() -> None:
    """Print, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--write', action='store_true')
    write = parser.parse_args().write
    print(table(), end='')
    if write:
        PAGE.write_text(page(PAGE.read_text(encoding='utf-8')), encoding='utf-8')


if __name__ == '__main__':
    main()
