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

"""The hot path executes no more bytecode for a message than it did: see bench/guard.py."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / 'bench'
ENVIRONMENT = {**os.environ, 'PYTHONPATH': os.pathsep.join(
    [str(BENCH), *filter(None, [os.environ.get('PYTHONPATH')])])}
PYTHON = pytest.mark.skipif(
    sys.implementation.name != 'cpython', reason="other Pythons' instructions are not comparable")


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT, text=True, capture_output=True,
        timeout=110)


@PYTHON
@pytest.mark.serial
def test_no_row_costs_more_than_it_did():
    result = python(str(BENCH / 'guard.py'))
    assert result.returncode == 0, result.stdout + result.stderr
    rows = json.loads((BENCH / 'guard.json').read_text(encoding='utf-8'))
    assert all(row in result.stdout for row in rows), result.stdout


@PYTHON
def test_counts_are_exact_and_tell_own_code_from_that_of_others(tmp_path):
    package = tmp_path / 'own' / 'loop.py'
    package.parent.mkdir()
    package.write_text('def loop(count):\n    for _ in range(count):\n        pass\n')
    counter = tmp_path / 'counter'
    counter.write_bytes(bytes(24))
    program = f"""if True:
        import runpy
        from rig.counter import open_counter
        from processes.counted_bridge import install, remove
        slots = open_counter({str(counter)!r})
        own = runpy.run_path({str(package)!r})['loop']
        def other(count):
            for _ in range(count):
                pass
        def cost(function, count):
            before = list(slots)
            function(count)
            return [now - then for now, then in zip(list(slots), before)]
        install(slots, {str(package.parent)!r})
        found = [cost(own, 100), cost(own, 200), cost(own, 300), cost(other, 100)]
        remove()
        print(found)
    """
    result = python('-c', program)
    assert result.returncode == 0, result.stderr
    own = json.loads(result.stdout)
    assert own[1][0] - own[0][0] == own[2][0] - own[1][0] >= 100, 'in proportion to the work'
    assert own[3][0] == 0, 'code of others is not counted as our own'
    assert own[3][1] >= 100, 'but as Python code'


@pytest.mark.parametrize('factor, rows', [
    (1.0, []), (1.2, []), (0.2, []),
    (1.3, ['20 boxes, own code']), (1.7, ['20 boxes, all Python code', '20 boxes, own code'])])
def test_the_row_that_fell_is_named(factor, rows):
    before = {'20 boxes, own code': 100.0, '20 boxes, all Python code': 1000.0}
    now = {row: factor * value for row, value in before.items()}
    result = python(
        '-c', f'import guard, json; print(json.dumps(guard.fallen({now!r}, {before!r})))')
    assert result.returncode == 0, result.stderr
    lines = json.loads(result.stdout)
    assert sorted(line.partition(': ')[0] for line in lines) == rows


def test_a_row_without_a_figure_fails():
    result = python('-c', "import guard; print(guard.fallen({'1 boxes, own code': 1.0}, {}))")
    assert '1 boxes, own code: not in guard.json' in result.stdout, result.stderr
