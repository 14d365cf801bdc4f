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
Records what an orchestrator answers to the script, or compares it with a recording.

  orchestrator_recorder.py record ANSWERS PROGRAM [ARGUMENT...]
  orchestrator_recorder.py compare ANSWERS PROGRAM [ARGUMENT...]

PROGRAM starts an orchestrator. It is given `folder=DIR`, the same one again for a restart, and
where a scene says so `tokens=processor,operator` and `tracking_timeout=SECONDS`; its first line of
output must be {"origin": "ws://HOST:PORT", "tokens": {NAME: TOKEN...}}. It is killed in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rigs.orchestrator_script import (  # noqa: E402, I100, I202
    differences, play, read_answers, read_script, WAIT)


class Program:
    """An orchestrator in a process of its own."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.tokens: dict[str, str] = {}
        self._folder = tempfile.TemporaryDirectory(prefix='orchestrator-')
        self._process: subprocess.Popen[str] | None = None

    async def start(self, settings: dict[str, Any]) -> str:
        """Start it; return its origin."""
        arguments = [f'folder={self._folder.name}']
        if 'tokens' in settings:
            arguments.append('tokens=' + ','.join(settings['tokens']))
        if 'tracking_timeout' in settings:
            arguments.append(f'tracking_timeout={settings["tracking_timeout"]}')
        self._process = subprocess.Popen(
            [*self.command, *arguments], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(self._process.stdout.readline), WAIT)
        if not line:
            raise RuntimeError(f'{self.command[0]} says nothing')
        ready = json.loads(line)
        self.tokens = ready['tokens']
        return str(ready['origin'])

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    async def close(self) -> None:
        """End it for good."""
        await self.kill()
        self._folder.cleanup()


def main() -> int:
    """Record, or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', metavar='SCENE', help='one scene instead of all')
    parser.add_argument('do', choices=('record', 'compare'))
    parser.add_argument('answers', type=pathlib.Path)
    parser.add_argument('program', nargs=argparse.REMAINDER)
    arguments = parser.parse_args()

    async def play_all() -> list[dict[str, Any]]:
        rows = []
        for scene in read_script():
            if arguments.only in (None, scene['name']):
                program = Program(arguments.program)
                try:
                    rows += await play(scene, program)
                finally:
                    await program.close()
        return rows

    rows = asyncio.run(play_all())
    if arguments.do == 'record':
        with arguments.answers.open('w', encoding='utf-8') as file:
            file.writelines(json.dumps(row) + '\n' for row in rows)
        return 0
    found = differences(read_answers(arguments.answers), rows)
    print('\n'.join(found))
    print(f'{len(rows)} steps, {len(found)} answered differently')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
