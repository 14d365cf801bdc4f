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

    make netfaults                  all of them, then false alarms, and the tables; needs root
    make netfaults WRITE=1          and the tables into docs/reliability.md
    make netfaults ARGS='NAT loss'  those whose names have one of these words

Exit code 0: every message is accounted for and in order, boxes flowed again in time, and no living
link was given up on suspicion.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
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
BEGIN, END = '<!-- netfaults -->\n', '<!-- end of netfaults -->'
HEAD = ('| fault | lasts s | accepted | received | repeated | dropped | lost in DDS '
        '| noticed after s '
        '| boxes flow again after s | limit s | reconnects | cause | threads | descriptors |\n'
        + 14 * '|---' + '|\n')


def row(scenario: Scenario, result: Result) -> str:
    """Return a row of the table."""
    dropped = ', '.join(f'{cause} {count}' for cause, count in result.dropped.items()) or '0'
    cells = (
        result.name, f'{scenario.lasts:g}' if scenario.lasts else '', result.accepted,
        result.received, result.repeated, dropped, result.not_accepted,
        '' if result.noticed is None else f'{result.noticed:.2f}', f'{result.recovered:.2f}',
        f'{scenario.limit:g}', result.reconnects, f'`{result.cause}`' if result.cause else '',
        f'{result.threads:+d}', f'{result.descriptors:+d}')
    return f"| {' | '.join(map(str, cells))} |\n"


def run(scenarios: list[Scenario]) -> tuple[str, list[str]]:
    """Play all of them; return the table, and the names of those that do not hold."""
    rows, failed = '', []
    stage: Stage | None = None
    with tempfile.TemporaryDirectory() as folder, own_domain() as domain:
        try:
            for index, scenario in enumerate(scenarios):
                began = time.monotonic()
                try:
                    if stage is None:
                        own = pathlib.Path(folder, str(index))
                        own.mkdir()
                        stage = Stage(own, domain)
                    rows += row(scenario, play(stage, scenario))
                    took = time.monotonic() - began
                    print(f'{took:5.1f} s  {rows.splitlines()[-1]}', flush=True)
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
    return HEAD + rows, failed


def look_for_false_alarms() -> tuple[str, list[str]]:
    """Return the table of living links, and the names of those that were given up."""
    print(f'\nfalse alarms, {false_alarms.SECONDS:g} s each:', flush=True)
    bench = false_alarms.Bench(
        false_alarms.SECONDS, false_alarms.CAMERAS, [*false_alarms.LINKS])
    table = false_alarms.HEAD
    for line in bench.rows():
        print(line, end='', flush=True)
        table += line
    return table, bench.alarms


def load() -> str:
    """Return the load averages, as `uptime` says them."""
    return ', '.join(f'{figure:.2f}' for figure in os.getloadavg())


def write(machine: str, table: str, alarms: str) -> None:
    """Put the tables into the documentation."""
    page = PAGE.read_text(encoding='utf-8')
    text = (f'{BEGIN}\n{machine}\n\n{table}\nFalse alarms, {false_alarms.SECONDS:g} s each:\n\n'
            f'{alarms}\n{END}')
    PAGE.write_text(
        re.sub(f'{BEGIN}.*?{END}', lambda _: text, page, flags=re.DOTALL), encoding='utf-8')


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
    before = load()
    table, failed = run(chosen)
    print(f'\n{table}')
    alarms, alarmed = ('', []) if arguments.words else look_for_false_alarms()
    machine = (f'Measured by `make netfaults` on {os.cpu_count()} CPUs; load averages before '
               f'{before} and after {load()}.')
    print(machine)
    if arguments.write and not arguments.words and not failed and not alarmed:
        write(machine, table, alarms)
    failed += [f'false alarms ({name})' for name in alarmed]
    print(f'netfaults: {len(chosen)} scenarios'
          + (f', these do not hold: {", ".join(failed)}' if failed else ', all hold'))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
