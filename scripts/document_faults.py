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

    make faults             print the table
    make faults WRITE=1     and write it between the marks in docs/reliability.md

Reads the results that test/faults/harness.py appends to a file, one JSON object per fault.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / 'docs' / 'reliability.md'
BEGIN, END = '<!-- faults -->\n', '<!-- end of faults -->'
HEAD = ('fault', 'test', 'accepted', 'received', 'repeated', 'dropped', 'back after s',
        'memory MiB', "callback p99 ms, as seen / without the machine's share", 'limit ms')


def row(result: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""
    file, _, test = result['test'].rpartition('::')
    name = f"`faults/{pathlib.Path(file).name}::{test.partition('[')[0]}`"
    dropped = ', '.join(f'{cause} {count}' for cause, count in result['dropped'].items())
    back = result['back_after']
    return (
        result['fault'], name, str(result['accepted']), str(result['received']),
        str(result['repeated']), dropped or '0', '' if back is None else f'{back:.2f}',
        f"{result['rss_growth'] / 2**20:+.1f}",
        f"{1000 * result['callback_p99_with_machine']:.0f} / {1000 * result['callback_p99']:.0f}",
        f"{1000 * result['callback_limit']:.0f}")


def table(results: list[dict[str, Any]]) -> str:
    """Return the table in Markdown."""
    rows = [HEAD, ('---',) * len(HEAD), *map(row, results)]
    return ''.join(f"| {' | '.join(cells)} |\n" for cells in rows)


def machine() -> str:
    """Say on what it was measured."""
    text = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8')
    model = re.search('model name\\s*: (.*)', text)
    load = os.getloadavg()[2]
    return (f'Measured by `make faults` on {os.cpu_count()} CPUs '
            f'({model[1] if model else os.uname().machine}), load average {load:.1f}.')


def main() -> int:
    """Print, and write if asked to."""
    path = pathlib.Path(sys.argv[1])
    results = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    text = f'{machine()}\n\n{table(results)}'
    print(text)
    if '--write' in sys.argv:
        old = DOCUMENT.read_text(encoding='utf-8')
        DOCUMENT.write_text(re.sub(
            f'{BEGIN}.*?{END}', lambda _: f'{BEGIN}\n{text}\n{END}', old, flags=re.DOTALL),
            encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
