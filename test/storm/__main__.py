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
A bridge's life, over and over, while publishers and subscriptions of every QoS come and go.

  python3 test/storm --cycles 10000
  python3 test/storm --cycles 1000 --cameras 4     multi_bridge with four cameras

Exit code 0: nothing crashed, no transition was refused, and nothing grows.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rigs.storm import storm  # noqa: E402, I100


def main() -> int:
    """Run a storm and print what it left."""
    parser = argparse.ArgumentParser(
        prog='storm', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cycles', type=int, default=10000)
    parser.add_argument('--seconds', type=float, default=float('inf'), help='end after these')
    parser.add_argument('--cameras', type=int, default=0, help='of a multi_bridge; 0: bridge')
    parser.add_argument('--busy', type=int, default=4, help='processes that keep cores busy')
    parser.add_argument('--kind', choices=('every', 'one'), default='every', help='of peers')
    parser.add_argument('--period', type=float, default=0.05, help='seconds between two peers')
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        found = storm(pathlib.Path(folder), **given)
    print(f'{found.cycles} cycles in {found.seconds:.0f} s, exit code {found.exit_code}; '
          f'settled: {found.settled}; in the end: {found.end}; '
          f'grown: {found.grown() or "nothing"}')
    return found.exit_code or bool(found.grown())


if __name__ == '__main__':
    sys.exit(main())
