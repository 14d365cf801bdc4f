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

"""Every fault of the matrix has a promise and figures in the document, or `make faults` fails."""

import json
import pathlib
import re
import runpy
import sys

import pytest
from rigs import fault_results
from rigs.fault_matrix import CASES, FAULTS, MORE
from rigs.fault_results import record

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'scripts' / 'document_faults.py'


def test_the_document_has_a_row_with_figures_for_each():
    text = (ROOT / 'docs' / 'reliability.md').read_text()
    lines = re.search('<!-- faults -->(.*)<!-- end of faults -->', text, re.DOTALL)[1].splitlines()
    rows = [line.strip('| ').split(' | ') for line in lines if line.count(' | ') == 3]
    for fault in FAULTS + MORE:
        (holds, tests, measured), = [rest for name, *rest in rows if name == fault.name]
        assert holds == fault.holds, fault.name
        assert '::test_' in tests, fault.name
        assert re.search(r'\d', measured), fault.name


def test_no_case_is_listed_twice():
    assert len(set(CASES)) == len(CASES)


@pytest.fixture(name='results')
def noted_results(tmp_path, monkeypatch):
    """Return a file with a result for every case."""
    path = tmp_path / 'results'
    monkeypatch.setattr(fault_results, 'RESULTS', str(path))
    for number, case in enumerate(CASES):
        record(case, f'{number} kills')
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', [str(SCRIPT), *map(str, arguments)])
    return runpy.run_path(str(SCRIPT))['main']()


def test_what_is_noted_is_printed(results, monkeypatch, capsys):
    assert run(monkeypatch, results) == 0
    printed = capsys.readouterr().out
    for fault in FAULTS + MORE:
        assert f'| {fault.name} | {fault.holds} | `test_fault_matrix.py::test_what' in printed


@pytest.mark.parametrize('case', [CASES[0], CASES[-1]])
def test_a_case_without_a_result_fails(results, monkeypatch, capsys, case):
    lines = [line for line in results.read_text().splitlines() if json.loads(line)['case'] != case]
    results.write_text('\n'.join(lines))
    assert run(monkeypatch, results, '--write') == 1
    assert f'nothing is written: {case}\n' in capsys.readouterr().err
    assert run(monkeypatch, results, '--some') == 0


def test_a_case_that_is_not_listed_fails():
    with pytest.raises(AssertionError, match='does not know'):
        record('a fault that nobody has listed')
