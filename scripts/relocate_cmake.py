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
Point the ROS wheels' exported CMake targets at this environment's own Python and numpy.

The wheels carry the include folders of the machine that built them, and CMake refuses targets
whose include folders do not exist. Run by the virtual environment's python; changes files below
its prefix only; a second run changes nothing.
"""

import os
from pathlib import Path
import re
import sys
import sysconfig

BUILD_MACHINE = r'/opt/python/cp\d+-cp\d+t?'
REPLACEMENTS = (
    (re.compile(BUILD_MACHINE + r'/include/python3\.\d+t?'), sysconfig.get_paths()['include']),
    (re.compile(BUILD_MACHINE + r'/lib/python3\.\d+t?/site-packages'),
     sysconfig.get_paths()['purelib']),
)


def main():
    """Rewrite the CMake files and say how many there were."""
    if sys.prefix == sys.base_prefix:
        sys.exit('relocate_cmake: not run by the python of a virtual environment')
    changed = 0
    for path in Path(sys.prefix, 'share').glob('*/cmake/*.cmake'):
        old = new = path.read_text(encoding='utf-8')
        for pattern, replacement in REPLACEMENTS:
            new = pattern.sub(lambda _: replacement, new)
        if new != old:
            # A new file, because an installer may have hard-linked the old one to its cache.
            copy = path.with_suffix('.relocated')
            copy.write_text(new, encoding='utf-8')
            os.replace(copy, path)
            changed += 1
    print(f'relocated {changed} CMake files')


if __name__ == '__main__':
    main()
