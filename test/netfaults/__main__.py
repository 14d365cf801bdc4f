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

    make netfaults                  all of them, and the table; needs root
    make netfaults WRITE=1          and the table into docs/reliability.md
    make netfaults ARGS='NAT loss'  those whose names have one of these words

Exit code 0: every message is accounted for and in order, and boxes flowed again in time.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from network import why_not  # noqa: E402, I100, I202
from play import play, Result  # noqa: E402, I100, I202
from rigs.process_rig import own_domain  # noqa: E402, I100, I202
from scenarios import Scenario, SCENARIOS  # noqa: E402, I100, I202
from stage import Stage  # noqa: E402, I100, I202

PAGE = HERE.parents[1] / 'docs' / 'reliability.md'
BEGIN, END = '<!-- netfaults -->\n', '<!-- end of netfaults -->'
HEAD = ('| fault | lasts s | accepted | received | repeated | dropped | noticed after s '
        '| boxes flow again after s | limit s | reconnects | cause | threads | descriptors |\n'
        + 13 * '|---' + '|\n')


def row(scenario: Scenario, result: Result) -> str:
    """Return a row of the table."""
    dropped = ', '.join(f'{cause} {count}' for cause, count in result.dropped.items()) or '0'
    cells = (
        result.name, f'{scenario.lasts:g}' if scenario.lasts else '', result.accepted,
        result.received, result.repeated, dropped,
        '' if result.noticed is None else f'{result.noticed:.2f}', f'{result.recovered:.2f}',
        f'{scenario.limit:g}', result.reconnects, f'`{result.cause}`' if result.cause else '',
        f'{result.threads:+d}', f'{result.descriptors:+d}')
    return f"| {' | '.join(map(str, cells))} |\n"


def run(scenarios: list[Scenario], write: bool) -> int:
    """Play all of them; print the table; return the exit code."""
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
    print(f'\n{HEAD}{rows}')
    if write and not failed and len(scenarios) == len(SCENARIOS):
        old = PAGE.read_text(encoding='utf-8')
        PAGE.write_text(re.sub(f'{BEGIN}.*?{END}', lambda _: f'{BEGIN}\n{HEAD}{rows}\n{END}', old,
                               flags=re.DOTALL), encoding='utf-8')
    print(f'netfaults: {len(scenarios) - len(failed)} of {len(scenarios)} scenarios hold'
          + (f', not: {", ".join(failed)}' if failed else ''))
    return 1 if failed else 0


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
    return run(chosen, arguments.write)


if __name__ == '__main__':
    sys.exit(main())
