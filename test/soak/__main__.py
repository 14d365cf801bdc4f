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
A random mix of faults against a real bridge for a given time, and the account of it.

  make soak                        10 minutes, another seed each time
  make soak DURATION=60 SEED=7     the same faults again; when exactly each hits is chance

Exit code 0: every message arrived in order, or is accounted for, and memory stayed in its bounds.
"""

from __future__ import annotations

import argparse
from collections import Counter
import pathlib
import random
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from harms import Fault, FAULTS  # noqa: E402, I100, I202
from rigs import process_rig as rigs  # noqa: E402, I100, I202
from stage import Failed, RSS_ALLOWANCE, Stage  # noqa: E402


class Director:
    """Draws the faults, and measures how long the bridge takes to recover from each."""

    def __init__(self, stage: Stage, seed: int, began: float) -> None:
        self.recoveries: dict[str, float] = {}  # the slowest, in seconds
        self.counts: Counter[str] = Counter()
        self._stage = stage
        self._chance = random.Random(seed)
        self._began = began
        self._deck: list[Fault] = []

    def next_fault(self) -> Fault:
        """Draw a fault: all of them in random order, then again."""
        if not self._deck:
            self._deck = self._chance.sample(FAULTS, len(FAULTS))
        return self._deck.pop()

    def inflict(self, fault: Fault) -> None:
        """Do the harm, heal it, wait until new messages arrive, and settle the ledger."""
        stage, name = self._stage, fault.__name__
        fault(stage, self._chance)
        stage.proxy.pass_through()
        healed = time.monotonic()
        stage.wait(lambda: stage.ledger.has_received_since(healed), f'it recovers from {name}')
        took = time.monotonic() - healed
        self.recoveries[name] = max(took, self.recoveries.get(name, 0.0))
        self.counts[name] += 1
        stage.settle()
        print(f'{time.monotonic() - self._began:6.1f} s  {name:22} recovered in {took:5.2f} s, '
              f'{len(stage.ledger.unaccounted)} unaccounted', flush=True)


def run(duration: float, seed: int, folder: pathlib.Path) -> int:
    """Soak; print the account; return the exit code."""
    problems: list[str] = []
    with rigs.own_domain() as domain:
        began = time.monotonic()
        stage = Stage(folder, domain)
        director = Director(stage, seed, began)
        try:
            while not director.counts or time.monotonic() - began < duration:
                director.inflict(director.next_fault())
            stage.settle()
            stage.terminate()
            left = stage.in_spool()
            if left:
                problems.append(f'{len(left)} acknowledged messages are still in the spool')
        except Failed as failure:
            problems.append(str(failure))
        finally:
            stage.close()
    ledger = stage.ledger
    print(f'\nsoak of {time.monotonic() - began:.0f} s, seed {seed}:')
    worst = max(director.recoveries, key=lambda name: director.recoveries[name], default='-')
    for name, value in {
            'faults': sum(director.counts.values()), 'lives of the bridge': stage.lives,
            **ledger.figures(),
            'worst recovery (s)': f'{director.recoveries.get(worst, 0.0):.2f} ({worst})',
            'peak RSS (MiB)': f'{stage.peak_rss / 2**20:.1f}',
            'growth in a life (MiB)': f'{stage.peak_growth / 2**20:.1f} of '
                                      f'{RSS_ALLOWANCE / 2**20:.0f} allowed'}.items():
        print(f'  {name:28} {value}')
    problems += [f'{what}, e.g. {found[:5]}' for what, found in ledger.faults().items()]
    if stage.peak_growth > RSS_ALLOWANCE:
        problems.append('more memory than allowed')
    for problem in problems:
        print(f'soak: FAILED: {problem}')
    if not problems:
        print(f'soak: ok, {ledger.figures()["arrived"]} arrived, 0 unaccounted')
    return 1 if problems else 0


def main() -> int:
    """Take the arguments."""
    parser = argparse.ArgumentParser(
        prog='soak', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--duration', type=float, default=600.0, metavar='SECONDS')
    parser.add_argument('--seed', type=int, help='a whole number; without: another each time')
    parser.add_argument('--keep', type=pathlib.Path, metavar='FOLDER',
                        help='where to leave the logs of the bridges')
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    print(f'soak: {arguments.duration:g} s, seed {seed}', flush=True)
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        return run(arguments.duration, seed, arguments.keep)
    with tempfile.TemporaryDirectory() as folder:
        return run(arguments.duration, seed, pathlib.Path(folder))


if __name__ == '__main__':
    sys.exit(main())
