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

"""The launch files as far as they can be checked without launch; test/launch runs them."""

import ast
import pathlib
import re

from ament_index_python import get_package_share_directory
import pytest

FOLDER = pathlib.Path(get_package_share_directory('camera_ws_bridge'))
ARGUMENTS = {  # the public ones; the README's table names the same
    'bridge': ['orchestrator_url', 'camera_id', 'namespace', 'params_file', 'log_level',
               'respawn', 'lifecycle', 'parameters'],
    'demo': ['port', 'camera_id', 'namespace', 'rate', 'boxes', 'click_every', 'log_level'],
    'multi_camera': ['cameras_file', 'orchestrator_url', 'params_file', 'log_level', 'respawn',
                     'process'],
}
README = pathlib.Path(__file__).resolve().parents[2] / 'README.md'


def tree_of(name):
    """Return a launch file's syntax tree; launch itself need not be installed."""
    path = FOLDER / 'launch' / f'{name}.launch.py'
    return ast.parse(path.read_text(encoding='utf-8'), str(path))


def calls(tree, name):
    """Return all calls of a function or method of this name."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)
            and name in (getattr(node.func, 'id', ''), getattr(node.func, 'attr', ''))]


def declared(tree):
    """Return name and description of each entry of ARGUMENTS."""
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign)
                 and node.targets[0].id == 'ARGUMENTS')
    return {entry.elts[0].value: ast.literal_eval(entry.elts[2]) for entry in table.elts}


# ---- all launch files

def test_no_launch_file_is_forgotten():
    assert sorted(path.name for path in (FOLDER / 'launch').iterdir() if path.is_file()) == sorted(
        f'{name}.launch.py' for name in ARGUMENTS)


@pytest.mark.parametrize('name', ARGUMENTS)
def test_it_compiles_and_describes_itself(name):
    tree = tree_of(name)
    compile(tree, name, 'exec')
    assert ast.get_docstring(tree)
    assert any(isinstance(node, ast.FunctionDef) and node.name == 'generate_launch_description'
               for node in tree.body)


@pytest.mark.parametrize('name', ARGUMENTS)
def test_it_has_the_public_arguments_each_described(name):
    found = declared(tree_of(name))
    assert list(found) == ARGUMENTS[name]
    for argument, description in found.items():
        assert len(description) > 10 and description.endswith('.'), argument


@pytest.mark.parametrize('name', ARGUMENTS)
def test_all_arguments_are_declared_from_that_table(name):
    (call,) = calls(tree_of(name), 'DeclareLaunchArgument')
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    assert keywords['default_value'] == 'default'
    assert keywords['description'] == 'description'


@pytest.mark.parametrize('name', ARGUMENTS)
def test_it_uses_every_argument_and_no_undeclared_one(name):
    tree = tree_of(name)
    used = {node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in ARGUMENTS[name]
            and not any(node in ast.walk(table) for table in tree.body
                        if isinstance(table, ast.Assign))}
    assert used == {*ARGUMENTS[name]}
    named = {call.args[0].value for call in calls(tree, 'LaunchConfiguration')
             if isinstance(call.args[0], ast.Constant)}
    assert named <= {*ARGUMENTS[name]}


@pytest.mark.parametrize('name', ['multi_camera'])
def test_an_included_file_knows_what_it_is_given(name):
    (call,) = calls(tree_of(name), 'IncludeLaunchDescription')
    given = next(keyword.value for keyword in call.keywords
                 if keyword.arg == 'launch_arguments')
    keys = {key.value for node in ast.walk(given) if isinstance(node, ast.Dict)
            for key in node.keys}
    assert keys and keys <= {*ARGUMENTS['bridge']}


@pytest.mark.parametrize('name', ARGUMENTS)
def test_it_starts_only_executables_that_are_installed(name):
    executables = {
        keyword.value.value for call in ast.walk(tree_of(name)) if isinstance(call, ast.Call)
        for keyword in call.keywords if keyword.arg == 'executable'}
    for executable in executables:
        assert (FOLDER.parents[1] / 'lib' / 'camera_ws_bridge' / executable).exists(), executable
    assert executables == {
        'bridge': {'bridge'}, 'demo': {'bridge', 'orchestrator_sim', 'camera_sim', 'operator_sim'},
        'multi_camera': {'multi_bridge'}}[name]


@pytest.mark.parametrize('name', ARGUMENTS)
def test_the_readme_lists_the_arguments(name):
    row = next(line for line in README.read_text(encoding='utf-8').splitlines()
               if line.startswith(f'| `{name}.launch.py` |'))
    assert re.findall('`([a-z_]+)`', row.split('|')[3]) == ARGUMENTS[name]
