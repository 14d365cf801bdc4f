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
Write config/bridge.yaml and the table in docs/parameters.md from config.parameters.

Run it in the built environment: python3 scripts/document_parameters.py [--check]
"""

from __future__ import annotations

import pathlib
import re
import sys
import textwrap

from camera_ws_bridge.config.parameters import Spec, SPECS

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'parameters.md'
BEGIN, END = '<!-- parameters -->\n', '<!-- end of parameters -->'
HEAD = """\
# All parameters of the bridge with their defaults. Copy it, change what you need, and pass it as
# `params_file` to the launch files or with `--ros-args --params-file`. `/**` matches every node.
# "Live": it can be changed while the node runs (ros2 param set); all others are read-only.
/**:
  ros__parameters:
"""


def value(spec: Spec) -> str:
    """Return the default as YAML."""
    if isinstance(spec.default, bool):
        return str(spec.default).lower()
    return repr(spec.default)


def bounds(spec: Spec) -> str:
    """Return the range, for people."""
    if isinstance(spec.default, (bool, str)):
        return ''
    return f'{spec.low:.15g} to {spec.high:.15g}'


def yaml() -> str:
    """Return config/bridge.yaml."""
    text = HEAD
    for spec in SPECS:
        description = spec.description + (f' Range: {bounds(spec)}.' if bounds(spec) else '')
        description += ' Live.' if spec.live else ''
        comment = textwrap.indent(textwrap.fill(description, 93), '    # ')
        text += f'\n{comment}\n    {spec.name}: {value(spec)}\n'
    return text


def table() -> str:
    """Return the document's table."""
    rows = ['| parameter | type | default | range | live | what it is |',
            '|---|---|---|---|---|---|']
    types = {str: 'string', bool: 'bool', int: 'integer', float: 'double'}
    rows += [
        f'| `{spec.name}` | {types[type(spec.default)]} | `{value(spec)}` | {bounds(spec)} '
        f'| {"yes" if spec.live else ""} | ' + spec.description.replace('|', r'\|') + ' |'
        for spec in SPECS]
    return '\n'.join(rows) + '\n'


def page(old: str) -> str:
    """Return docs/parameters.md with the table anew."""
    return re.sub(
        f'{BEGIN}.*?{END}', lambda _: BEGIN + '\n' + table() + '\n' + END, old, flags=re.DOTALL)


def main() -> int:
    """Write both files, or say which one is out of date."""
    outdated = []
    for path, text in (
            (ROOT / 'config' / 'bridge.yaml', yaml()),
            (PAGE, page(PAGE.read_text(encoding='utf-8')))):
        if not path.exists() or path.read_text(encoding='utf-8') != text:
            outdated.append(path.relative_to(ROOT))
            if '--check' not in sys.argv:
                path.write_text(text, encoding='utf-8')
    if '--check' in sys.argv and outdated:
        print('out of date, run scripts/document_parameters.py: ', *outdated)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
