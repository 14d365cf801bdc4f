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
`make bench`: measure the bridge against floors that are measured in the same run.

Prints a line for each measurement and writes results/<row>.json; rows that are not chosen keep
the results they have.
"""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys
import time
import traceback

from rig import testbed
from rig.results import commit, machine, read, ROOT, write

IN_CHECKOUT = ('. "$0/scripts/env.bash"; '
               'exec "$(python3 -c "$1")/lib/camera_ws_bridge/bridge" "${@:2}"')
PREFIX = 'import ament_index_python as index; print(index.get_package_prefix("camera_ws_bridge"))'
ROWS = ('cpu', 'latency', 'backlog', 'life', 'size', 'cameras', 'hour')


def main() -> int:
    """Run the chosen rows."""
    parser = argparse.ArgumentParser(prog='make bench', description=__doc__)
    parser.add_argument('--rows', default=','.join(ROWS), help=f'of {",".join(ROWS)}; all')
    parser.add_argument('--rounds', type=int, default=5, help='runs of each measurement (5)')
    parser.add_argument('--quick', action='store_true',
                        help='small and rough, a minute or two; writes no results')
    parser.add_argument('--checkout', metavar='FOLDER',
                        help='measure the bridge of another checkout, where `make build` has run')
    parser.add_argument('--save', metavar='NAME',
                        help='write all rows into results/NAME.json instead of a file each')
    arguments = parser.parse_args()
    if arguments.checkout:
        testbed.BRIDGE[:] = ['bash', '-c', IN_CHECKOUT, arguments.checkout, PREFIX]
    rows = arguments.rows.split(',')
    if unknown := set(rows) - set(ROWS):
        parser.error(f'unknown rows: {", ".join(sorted(unknown))}')
    at = commit(pathlib.Path(arguments.checkout or ROOT).resolve())
    failed: list[str] = []
    for name in rows:
        began = time.monotonic()
        print(f'== {name}', flush=True)
        module = importlib.import_module(f'rows.{name}')
        rounds = 1 if arguments.quick else arguments.rounds
        try:
            result = module.run(rounds, arguments.quick, lambda text: print(text, flush=True))
        except Exception:  # noqa: B902 - the other rows are worth having all the same
            print(f'   {name} FAILED:\n{traceback.format_exc()}', flush=True)
            failed.append(name)
            continue
        seconds = time.monotonic() - began
        print(f'   {name} took {seconds:.0f} s', flush=True)
        if arguments.quick:
            continue
        content = {'commit': at, 'machine': machine(), 'rounds': rounds,
                   'seconds': round(seconds), **result}
        if arguments.save:
            write(arguments.save, {**read(arguments.save), name: content})
        else:
            write(name, content)
    if failed:
        print(f'no results of: {", ".join(failed)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
