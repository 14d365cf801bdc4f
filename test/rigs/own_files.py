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

"""The files that the linter tests look at: the repository's own, never what was built."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = (
    'bench', 'camera_ws_bridge', 'config', 'docs', 'examples', 'fuzz', 'launch', 'scripts', 'test')


def python_files():
    """Return the paths of all Python files, as the linters take them."""
    files = [ROOT / 'setup.py']
    for folder in FOLDERS:
        files += (ROOT / folder).rglob('*.py')
    return sorted(str(path) for path in files if '__pycache__' not in path.parts)


def package_files():
    """Return the paths of both package.xml."""
    return [str(ROOT / 'package.xml'), str(ROOT / 'camera_ws_bridge_msgs' / 'package.xml')]
