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
Print what the fault suite has measured, and write it into docs/reliability.md.

    make faults             print the tables
    make faults WRITE=1     and write them between the marks in docs/reliability.md

Reads the results that test/fault_results.py has noted, one JSON object for each case, and fails
when a case of test/fault_matrix.py has none (--some: a selection was run; never written).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
import json
import os
import pathlib
import re
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'test'))

from rigs.fault_matrix import CASES, Fault, FAULTS, MORE  # noqa: E402

DOCUMENT = ROOT / 'docs' / 'reliability.md'
BEGIN, END = '<!-- faults -->\n', '<!-- end of faults -->'
FAULTS_HEAD = ('fault', 'what holds', 'test', 'measured')
CASES_HEAD = (
    'case', 'accepted', 'received', 'repeated', 'dropped', 'back after s', 'memory MiB',
    "callback p99 ms, as seen / without the machine's share", 'limit ms')

Result = dict[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ('---',) * len(head), *rows]
    return ''.join(f"| {' | '.join(cells)} |\n" for cells in lines)


def test_name(result: Result) -> str:
    """Return the test as the documents name it."""
    path, _, test = result['test'].rpartition('::')
    folder, _, file = path.rpartition('/')
    prefix = 'faults/' if folder.endswith('faults') else ''
    return f"`{prefix}{file}::{test.partition('[')[0]}`"


def fault_row(fault: Fault, results: list[Result]) -> tuple[str, ...]:
    """Return the row of a fault: what its cases have in common, and in sum."""
    tests = ', '.join(dict.fromkeys(map(test_name, results)))
    return fault.name, fault.holds, tests, '; '.join([*account(results), *words(results)])


def account(results: list[Result]) -> list[str]:
    """Return the sums over all cases that have an account."""
    counted = [result for result in results if 'accepted' in result]
    if not counted:
        return []
    sums = {key: sum(result[key] for result in counted)
            for key in ('accepted', 'received', 'repeated')}
    dropped = drops(sum((Counter(result['dropped']) for result in counted), Counter()))
    said = [f"{f'{len(counted)} cases: ' if len(counted) > 1 else ''}"
            + ', '.join(f'{key} {count}' for key, count in sums.items()) + f', dropped {dropped}']
    back = [result['back_after'] for result in counted if result['back_after'] is not None]
    if back:
        said.append(f"back after {max(back):.2f} s{' at most' if len(back) > 1 else ''}")
    return said


def words(results: list[Result]) -> list[str]:
    """Return what the cases have noted beside the account."""
    told = [(result['case'], result['measured']) for result in results if result['measured']]
    if len(results) == 1:
        return [measured for _, measured in told]
    return [f'*{case}:* {measured}' for case, measured in told]


def drops(dropped: dict[str, int]) -> str:
    """Return how many were dropped for which cause."""
    return ', '.join(f'{cause} {count}' for cause, count in dropped.items()) or '0'


def case_row(result: Result) -> tuple[str, ...]:
    """Return the row of a case that has an account."""
    back = result['back_after']
    return (
        result['case'], str(result['accepted']), str(result['received']),
        str(result['repeated']), drops(result['dropped']), '' if back is None else f'{back:.2f}',
        f"{result['rss_growth'] / 2**20:+.1f}",
        f"{1000 * result['callback_p99_with_machine']:.0f} / {1000 * result['callback_p99']:.0f}",
        f"{1000 * result['callback_limit']:.0f}")


def page(results: dict[str, Result]) -> str:
    """Return all tables; those of the faults leave out what was not measured."""
    parts = [machine()]
    for faults in (FAULTS, MORE):
        known = [(fault, [results[case] for case in fault.cases if case in results])
                 for fault in faults]
        parts.append(table(FAULTS_HEAD, (fault_row(*each) for each in known if each[1])))
    parts.append('Each case under the account (the others have none):')
    parts.append(table(CASES_HEAD, (
        case_row(results[case]) for case in CASES
        if case in results and 'accepted' in results[case])))
    return '\n'.join(f'{part.rstrip()}\n' for part in parts)


def machine() -> str:
    """Say on what it was measured."""
    text = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8')
    model = re.search('model name\\s*: (.*)', text)
    load = os.getloadavg()[2]
    return (f'Measured by `make faults` on {os.cpu_count()} CPUs '
            f'({model[1] if model else os.uname().machine}), load average {load:.1f}.')


def main() -> int:
    """Print, and write if asked to; return 1 if a case is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument('results', type=pathlib.Path)
    parser.add_argument('--some', action='store_true')
    parser.add_argument('--write', action='store_true')
    arguments = parser.parse_args()
    lines = arguments.results.read_text(encoding='utf-8').splitlines()
    results = {result['case']: result for result in map(json.loads, lines)}
    text = page(results)
    print(text)
    missing = [case for case in CASES if case not in results]
    if missing:
        print('not measured, and so nothing is written: ' + '; '.join(missing), file=sys.stderr)
        return 0 if arguments.some else 1
    if arguments.write:
        old = DOCUMENT.read_text(encoding='utf-8')
        DOCUMENT.write_text(re.sub(
            f'{BEGIN}.*?{END}', lambda _: f'{BEGIN}\n{text}\n{END}', old, flags=re.DOTALL),
            encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
