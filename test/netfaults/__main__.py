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
Real faults of a network against a real bridge, in network namespaces of their own.

    make netfaults                  all of them, then false alarms; needs root
    make netfaults WRITE=1          and what holds into the tables of docs/reliability.md
    make netfaults ARGS='NAT loss'  those whose names have one of these words; or `alarms`

Exit code 0: every message is accounted for and in order, boxes flowed again in time, and no living
link was given up on suspicion.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import false_alarms  # noqa: E402, I100, I202
from network import why_not  # noqa: E402, I100, I202
from play import play, Result  # noqa: E402, I100, I202
from rigs.process_rig import own_domain  # noqa: E402, I100, I202
from scenarios import Scenario, SCENARIOS  # noqa: E402, I100, I202
from stage import Stage  # noqa: E402, I100, I202

PAGE = HERE.parents[1] / 'docs' / 'reliability.md'
HEAD = ('| fault | lasts s | accepted | received | repeated | dropped | lost in DDS '
        '| noticed after s | boxes flow again after s | limit s | longest pause then s '
        '| reconnects | cause | threads | descriptors | load |\n' + 16 * '|---' + '|\n')
NAMES = [scenario.name for scenario in SCENARIOS]
ALARMS = 'alarms'  # the word for them


def row(scenario: Scenario, result: Result) -> str:
    """Return a row of the table."""
    dropped = ', '.join(f'{cause} {count}' for cause, count in result.dropped.items()) or '0'
    cells = (
        result.name, f'{scenario.lasts:g}' if scenario.lasts else '', result.accepted,
        result.received, result.repeated, dropped, result.not_accepted,
        '' if result.noticed is None else f'{result.noticed:.2f}', f'{result.recovered:.2f}',
        f'{scenario.limit:g}', f'{result.paused:.2f}', result.reconnects,
        f'`{result.cause}`' if result.cause else '',
        f'{result.threads:+d}', f'{result.descriptors:+d}', f'{os.getloadavg()[0]:.1f}')
    return f"| {' | '.join(map(str, cells))} |\n"


def run(scenarios: list[Scenario], page: Page) -> list[str]:
    """Play all of them; return the names of those that do not hold."""
    failed = []
    stage: Stage | None = None
    with tempfile.TemporaryDirectory() as folder, own_domain() as domain:
        try:
            for index, scenario in enumerate(scenarios):
                began = time.monotonic()
                try:
                    if scenario.fresh and stage is not None:
                        stage.close()
                        stage = None
                    if stage is None:
                        own = pathlib.Path(folder, str(index))
                        own.mkdir()
                        stage = Stage(own, domain)
                    line = row(scenario, play(stage, scenario))
                    page.write('netfaults', HEAD, NAMES, line)
                    print(f'{time.monotonic() - began:5.1f} s  {line}', end='', flush=True)
                except Exception as error:
                    failed.append(scenario.name)
                    print(f'FAILED {scenario.name}: {error}', flush=True)
                    if not isinstance(error, AssertionError):
                        traceback.print_exc()
                    if stage is not None:
                        print(stage.logs(), flush=True)
                        stage.close()
                        stage = None
        finally:
            if stage is not None:
                stage.close()
    return failed


def look_for_false_alarms(page: Page) -> list[str]:
    """Return the links that live on and were given up."""
    bench = false_alarms.Bench(
        false_alarms.SECONDS, false_alarms.CAMERAS, [*false_alarms.LINKS])
    print(f'\nfalse alarms, {false_alarms.SECONDS:g} s each:\n{false_alarms.HEAD}', end='')
    for line in bench.rows():
        print(line, end='', flush=True)
        page.write('false alarms', false_alarms.HEAD, bench.names, line)
    return [f'false alarms ({name})' for name in bench.alarms]


class Page:
    """The documentation, if it is to be written."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def write(self, table: str, head: str, names: list[str], line: str) -> None:
        """Put a row into a table, in the order of the names; others stay as they are."""
        if not self._wanted:
            return
        begin, end = f'<!-- {table} -->\n', f'<!-- end of {table} -->'
        page = PAGE.read_text(encoding='utf-8')
        before, _, rest = page.partition(begin)
        old, _, after = rest.partition(end)
        rows = {name_of(each): each for each in [*old.splitlines(True), line]
                if each.count('|') == head.splitlines()[0].count('|')}
        text = head + ''.join(rows[name] for name in names if name in rows)
        PAGE.write_text(f'{before}{begin}\n{text}\n{end}{after}', encoding='utf-8')


def name_of(line: str) -> str:
    """Return the first cell of a row."""
    return line.split('|')[1].strip()


def main() -> int:
    """Run what was asked for, or say why not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('words', nargs='*')
    parser.add_argument('--write', action='store_true')
    arguments = parser.parse_args()
    reason = why_not()
    if reason:
        print(f'netfaults: skipped: {reason}')
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [scenario for scenario in SCENARIOS if not arguments.words or any(
        word in scenario.name for word in arguments.words)]
    page = Page(arguments.write)
    failed = run(chosen, page)
    if not arguments.words or ALARMS in arguments.words:
        failed += look_for_false_alarms(page)
    print(f'netfaults: {len(chosen)} scenarios'
          + (f', these do not hold: {", ".join(failed)}' if failed else ', all hold'))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
