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

"""What a release says of itself, and the workflows that test and make one."""

import pathlib
import re
import runpy
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yaml'))
SUPPORTED = ['humble', 'jazzy', 'kilted', 'lyrical']
FILES = ('setup.py', 'package.xml', 'CHANGELOG.rst', 'camera_ws_bridge_msgs/package.xml',
         'camera_ws_bridge_msgs/CHANGELOG.rst')


@pytest.fixture(name='problems')
def the_problems(tmp_path):
    """Return a function that changes a repository of version 3.2.1, and what is found there."""
    check = runpy.run_path(str(ROOT / 'scripts' / 'check_release.py'))['problems']
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / 'setup.py').write_text("setup(\n    version='3.2.1',\n)\n")
    for package in ('', 'camera_ws_bridge_msgs/'):
        (tmp_path / f'{package}package.xml').write_text('<version>3.2.1</version>')
        (tmp_path / f'{package}CHANGELOG.rst').write_text(
            'Changelog\n\n3.2.1 (2026-11-26)\n------------------\n* All.\n')

    def found(name, old='', new=''):
        path = tmp_path / name
        text = path.read_text()
        path.write_text(text.replace(old, new))
        try:
            return check('3.2.1', tmp_path)
        finally:
            path.write_text(text)
    return found


def test_a_release_whose_files_agree_is_one(problems):
    assert problems('setup.py') == []


@pytest.mark.parametrize('name', FILES)
def test_a_file_with_another_version_is_named(problems, name):
    (found,) = problems(name, '3.2.1', '3.2.10')
    assert found.startswith(f'{name}: ')
    (found,) = problems(name, '3.2.1', '3x2.1')
    assert '3.2.1' in found


def test_a_changelog_that_is_open_is_named(problems):
    (found,) = problems('CHANGELOG.rst', 'Changelog\n', 'Changelog\n\nForthcoming\n-----------\n')
    assert 'Forthcoming' in found
    (found,) = problems('CHANGELOG.rst', ' (2026-11-26)', '')
    assert 'YYYY-MM-DD' in found


def steps(workflow):
    """Return each step of a workflow, with the job that it is in."""
    jobs = yaml.safe_load(workflow.read_text(encoding='utf-8'))['jobs']
    return [(job, step) for job in jobs.values() for step in job['steps']]


def test_the_tests_run_on_every_supported_distribution():
    jobs = yaml.safe_load((ROOT / '.github/workflows/tests.yaml').read_text())['jobs']
    ros = jobs['ros']['strategy']['matrix']['distribution']
    assert [name for name in ros if name != 'rolling'] == SUPPORTED
    assert jobs['images']['strategy']['matrix']['distribution'] == SUPPORTED
    table = (ROOT / 'docs/compatibility.md').read_text(encoding='utf-8')
    assert re.findall(r'^\| (\w+) \| \d\d\.\d\d \|', table, re.MULTILINE) == [
        name.capitalize() for name in SUPPORTED]


@pytest.mark.parametrize('workflow', WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_there(workflow):
    """Scripts and targets of make that are named exist; a job has no rights that it needs not."""
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    assert yaml.safe_load(workflow.read_text())['permissions'] == {'contents': 'read'}
    commands = [step['run'] for _, step in steps(workflow) if 'run' in step]
    assert commands
    for command in commands:
        for script in re.findall(r'bash (\S+)', command):
            assert (ROOT / script).is_file(), script
        for target in re.findall(r'^\s*make (\w+)', command, re.MULTILINE):
            assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


@pytest.mark.parametrize('workflow', WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_and_foreign_action_is_bounded(workflow):
    for job, step in steps(workflow):
        assert 0 < job['timeout-minutes'] <= 90
        if 'uses' in step:
            assert re.fullmatch(r'actions/[\w-]+@v\d+', step['uses']), step['uses']


@pytest.mark.skipif(not shutil.which('actionlint'), reason='actionlint is not installed')
def test_actionlint_finds_nothing():
    result = subprocess.run(['actionlint', *WORKFLOWS], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
