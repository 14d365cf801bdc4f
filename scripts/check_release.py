#!/usr/bin/env python3
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
Say whether everything that names a version names this one, and the changelogs are closed.

check_release.py VERSION; exit code 1, and a line for each that does not.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = ('.', 'camera_ws_bridge_msgs')


def problems(version: str, root: pathlib.Path = ROOT) -> list[str]:
    """Return what speaks against releasing this version, a line each."""
    found = []

    def expect(path: str, pattern: str, what: str) -> None:
        if not re.search(pattern, (root / path).read_text(encoding='utf-8'), re.MULTILINE):
            found.append(f'{path}: {what}')

    exact = re.escape(version)
    expect('setup.py', f"^    version='{exact}',$", f'version is not {version}')
    for package in PACKAGES:
        manifest, changelog = (
            str(pathlib.PurePath(package, name)) for name in ('package.xml', 'CHANGELOG.rst'))
        expect(manifest, f'<version>{exact}</version>', f'version is not {version}')
        expect(changelog, rf'^{exact} \(\d{{4}}-\d\d-\d\d\)$',
               f'no section "{version} (YYYY-MM-DD)"')
        if 'Forthcoming' in (root / changelog).read_text(encoding='utf-8'):
            found.append(f'{changelog}: has a section "Forthcoming"; close it')
    return found


def main() -> int:
    """Run the check."""
    if len(sys.argv) != 2 or not re.fullmatch(r'\d+\.\d+\.\d+', sys.argv[1]):
        print(f'usage: {pathlib.Path(__file__).name} MAJOR.MINOR.PATCH', file=sys.stderr)
        return 2
    found = problems(sys.argv[1])
    print('\n'.join(found) or f'{sys.argv[1]}: versions and changelogs agree',
          file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
