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

"""The benchmarks run, and their document is what their results say."""

import json
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / 'bench'
ENVIRONMENT = {**os.environ, 'PYTHONPATH': os.pathsep.join(
    [str(BENCH), *filter(None, [os.environ.get('PYTHONPATH')])])}


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT, text=True, capture_output=True,
        timeout=110)


def evaluate(expression):
    """Return what an expression over bench's modules gives."""
    result = python('-c', 'import json; from rig import content, results, stats\n'
                    f'print(json.dumps({expression}))')
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(name='document')
def fixture_document():
    return runpy.run_path(str(ROOT / 'scripts' / 'document_performance.py'))


@pytest.mark.serial
@pytest.mark.parametrize('row', ['cpu', 'life'])
def test_a_quick_run_measures_bridge_and_floor(row):
    result = python(str(BENCH / 'main.py'), '--quick', '--rows', row)
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'floor' in result.stdout
    if row == 'cpu':
        assert 'lost 0' in result.stdout, result.stdout


def test_an_unknown_row_is_refused():
    result = python(str(BENCH / 'main.py'), '--rows', 'cpu,speed')
    assert result.returncode == 2
    assert 'unknown rows: speed' in result.stderr


@pytest.mark.parametrize('percent, value', [(50, 5), (90, 9), (99, 10), (99.9, 10), (1, 1)])
def test_percentiles(percent, value):
    assert evaluate(f'stats.percentile([3,1,2,5,4,10,9,8,7,6], {percent})') == value


def test_sums_of_pairs_have_the_mean_of_both():
    assert evaluate('sum(stats.sums_of_pairs([1, 3], [10, 30])) / 20000') == pytest.approx(
        22, rel=0.02)


def test_the_frame_id_is_patched_where_it_stands():
    assert evaluate(
        '[__import__("rclpy.serialization", fromlist=["x"]).deserialize_message('
        'content.Template(boxes).with_frame_id(0.1), content.Boxes).frame_id '
        'for boxes in (1, 20)]') == [0.1, 0.1]


def test_results_do_not_name_the_machine():
    about = evaluate('results.machine()')
    assert set(about) == {
        'cpu', 'cores', 'kernel', 'python', 'ros', 'rmw', 'websockets', 'orjson', 'rclpy'}


@pytest.mark.skipif(shutil.which('git') is None, reason='git is not installed')
def test_results_name_the_commit_and_whether_its_code_was_changed(tmp_path):
    def commit():
        return evaluate(f'results.commit(__import__("pathlib").Path({str(tmp_path)!r}))')

    def git(*arguments):
        return subprocess.run(
            ['git', '-c', 'user.name=a', '-c', 'user.email=a@b.c', *arguments], cwd=tmp_path,
            check=True, text=True, capture_output=True).stdout.strip()
    source = tmp_path / 'camera_ws_bridge' / 'client.py'
    written = tmp_path / 'bench' / 'results' / 'cpu.json'
    for path in (source, written):
        path.parent.mkdir(parents=True)
        path.write_text('1')
    assert commit() == '', 'no repository'
    git('init', '--quiet')
    assert commit() == '', 'nothing is committed'
    git('add', '.')
    git('commit', '--quiet', '--no-verify', '--message', 'all')
    written.write_text('2')
    assert commit() == git('rev-parse', '--short', 'HEAD')
    source.write_text('2')
    assert commit() == git('rev-parse', '--short', 'HEAD') + '+'


@pytest.mark.parametrize('commit, end', [
    ('1a2b3c4+', 'orjson absent; commit 1a2b3c4+.\n'), ('', 'orjson absent.\n'),
    (None, 'orjson absent.\n')])
def test_the_document_says_at_which_commit_it_was_measured(document, commit, end):
    about = dict.fromkeys(('cpu', 'cores', 'kernel', 'python', 'ros', 'rmw', 'websockets'), 'x')
    row = {'machine': {**about, 'orjson': ''}, **({} if commit is None else {'commit': commit})}
    assert document['machine'](row).endswith(end)
    assert document['machine']({'cpu': row}).endswith(end)


def test_the_document_is_what_the_results_say(document):
    text = document['DOCUMENT'].read_text(encoding='utf-8')
    assert document['document'](text) == text, 'run scripts/document_performance.py'


def test_every_result_has_its_place_in_the_document(document):
    text = document['DOCUMENT'].read_text(encoding='utf-8')
    for name in [*document['TABLES'], 'targets']:
        assert f'<!-- table {name} -->' in text, name
    assert {path.stem for path in (BENCH / 'results').glob('*.json')} <= {*document['TABLES']}


@pytest.mark.parametrize('row', sorted(path.stem for path in (BENCH / 'rows').glob('*.py')))
def test_every_row_was_measured_in_at_least_five_runs(row):
    path = BENCH / 'results' / f'{row}.json'
    assert path.exists(), f"make bench BENCH_ARGS='--rows {row}'"
    least = 1 if row == 'hour' else 5  # an hour is long enough
    assert json.loads(path.read_text(encoding='utf-8'))['rounds'] >= least


def test_nothing_in_the_document_is_not_measured(document):
    text = document['DOCUMENT'].read_text(encoding='utf-8')
    missing = [line for line in text.splitlines() if 'not measured' in line]
    assert not missing, missing
    assert len(document['TARGETS']) == len(re.findall(r'\| (?:met|\*\*not met\*\*) \|', text))


@pytest.mark.parametrize('limit, value, verdict', [
    (2.0, 1.9, 'met'), (2.0, 2.1, '**not met**'), (-0.5, 0.6, 'met'), (-0.5, 0.4, '**not met**'),
    (1.0, None, 'not measured')])
def test_a_target_is_met_or_not(document, limit, value, verdict):
    document['TARGETS'][:] = [('t', limit, lambda: value)]
    assert document['targets']().splitlines()[-1].endswith(f'| {verdict} |')
