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

"""The files of bench/results, and what describes a machine in them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import subprocess
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'bench' / 'results'
# What a figure depends on: writing results or documents changes none.
MEASURED = ('camera_ws_bridge', 'camera_ws_bridge_msgs', 'bench', ':(exclude)bench/results')


def machine() -> dict[str, Any]:
    """Describe where this runs, by what matters for speed; nothing names the machine itself."""
    models = [line.partition(':')[2].strip() for line in pathlib.Path(
        '/proc/cpuinfo').read_text().splitlines() if line.startswith('model name')]
    return {
        'cpu': models[0] if models else platform.machine(), 'cores': os.cpu_count(),
        'kernel': '.'.join(platform.release().split('.')[:2]), 'python': platform.python_version(),
        'ros': os.environ.get('ROS_DISTRO', ''),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp'),
        **{name: _version(name) for name in ('websockets', 'orjson', 'rclpy')}}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ''


def commit(folder: pathlib.Path = ROOT) -> str:
    """Return the commit of a checkout, with a + if its code has changed since; '' without git."""
    if shutil.which('git') is None or not (folder / '.git').exists():
        return ''

    def git(*arguments: str) -> str:
        return subprocess.run(
            ['git', '-c', f'safe.directory={folder}', *arguments], cwd=folder, text=True,
            capture_output=True, check=True).stdout.strip()
    try:
        changed = git('status', '--porcelain', '--', *MEASURED)
        return git('rev-parse', '--short', 'HEAD') + ('+' if changed else '')
    except subprocess.CalledProcessError:  # e.g. before the first commit
        return ''


def write(name: str, content: dict[str, Any]) -> None:
    """Write results/<name>.json."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f'{name}.json').write_text(
        json.dumps(rounded(content), indent=1, sort_keys=True) + '\n', encoding='utf-8')


def read(name: str) -> dict[str, Any]:
    """Return what results/<name>.json holds; empty if there is none."""
    path = FOLDER / f'{name}.json'
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return content


def rounded(value: Any) -> Any:
    """Return the same with numbers of no more digits than they are worth."""
    if isinstance(value, float):
        return float(f'{value:.4g}')
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return value
