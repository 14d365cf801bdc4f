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
from typing import Any

from ament_index_python import get_package_share_directory
import pytest
import yaml

FOLDER = pathlib.Path(get_package_share_directory('camera_ws_bridge'))
ARGUMENTS = {  # the public ones; the table in docs/interface.md names the same
    'bridge': ['orchestrator_url', 'camera_id', 'namespace', 'params_file', 'log_level',
               'respawn', 'lifecycle', 'parameters'],
    'demo': ['port', 'page', 'camera_id', 'namespace', 'rate', 'boxes', 'click_every',
             'log_level'],
    'multi_camera': ['cameras_file', 'orchestrator_url', 'params_file', 'log_level', 'respawn',
                     'process'],
}
INTERFACE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'interface.md'


def tree_of(name):
    """Return a launch file's syntax tree; launch itself need not be installed."""
    path = FOLDER / 'launch' / f'{name}.launch.py'
    return ast.parse(path.read_text(encoding='utf-8'), str(path))


def calls(tree, name):
    """Return all calls of a function or method of this name."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)
            and name in (getattr(node.func, 'id', ''), getattr(node.func, 'attr', ''))]


def assigned(tree, name):
    """Return what a launch file assigns to a name of its own."""
    return next(node.value for node in tree.body if isinstance(node, ast.Assign)
                and node.targets[0].id == name)


def declared(tree, column=2):
    """Return name and description, or another column, of each entry of ARGUMENTS."""
    return {entry.elts[0].value: entry.elts[column] for entry in assigned(tree, 'ARGUMENTS').elts}


def function(tree, name, **names):
    """Return a function of a launch file that needs nothing of launch."""
    (found,) = (node for node in tree.body if getattr(node, 'name', '') == name)
    exec(compile(ast.Module([found], []), name, 'exec'), names)  # noqa: S102
    return names[name]


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
        description = ast.literal_eval(description)
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


@pytest.mark.parametrize('name', ARGUMENTS)
def test_it_starts_only_executables_that_are_installed(name):
    tree = tree_of(name)
    executables = {
        keyword.value.value for call in ast.walk(tree) if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == 'executable' and isinstance(keyword.value, ast.Constant)}
    executables |= {call.args[0].value for call in calls(tree, 'process')}
    for executable in executables:
        assert (FOLDER.parents[1] / 'lib' / 'camera_ws_bridge' / executable).exists(), executable
    assert executables == {
        'bridge': {'bridge'}, 'demo': {
            'bridge', 'orchestrator_sim', 'camera_sim', 'operator_sim', 'reid_node.py'},
        'multi_camera': {'bridge', 'multi_bridge'}}[name]


@pytest.mark.parametrize('name', ARGUMENTS)
def test_the_document_lists_the_arguments(name):
    row = next(line for line in INTERFACE.read_text(encoding='utf-8').splitlines()
               if line.startswith(f'| `{name}.launch.py` |'))
    assert re.findall('`([a-z_]+)`', row.split('|')[3]) == ARGUMENTS[name]


# ---- what one of them promises

@pytest.mark.parametrize('name', ['bridge', 'multi_camera'])
def test_no_params_file_stands_above_what_a_parent_sets(name):
    assert ast.literal_eval(declared(tree_of(name), 1)['params_file']) == ''


def test_both_know_the_same_choices():
    bridge, multi_camera = (
        ast.literal_eval(assigned(tree_of(name), 'CHOICES'))
        for name in ('bridge', 'multi_camera'))
    for argument in ('log_level', 'respawn'):
        assert bridge[argument] == multi_camera[argument]
    assert 'info' in bridge['log_level'] and {'true', 'false'} <= {*bridge['respawn']}


def test_a_mapping_of_parameters_is_taken():
    mapping = function(tree_of('bridge'), 'mapping', yaml=yaml, Any=Any)
    assert mapping('{}') == {}
    assert mapping('{heartbeat_interval: 2.0, token_file: "010"}') == {
        'heartbeat_interval': 2.0, 'token_file': '010'}


@pytest.mark.parametrize('text', [
    '{heartbeat_interval:2}', '{reconcile: , compression: true}', 'heartbeat_interval:=2',
    '[1, 2]', '{', '', '{a: 1'])
def test_another_mapping_is_refused_with_the_name_of_the_argument_and_what_to_write(text):
    mapping = function(tree_of('bridge'), 'mapping', yaml=yaml, Any=Any)
    with pytest.raises(ValueError) as caught:
        mapping(text)
    assert str(caught.value).startswith(f'parameters: {text} is not a YAML mapping')
    assert str(caught.value).endswith("parameters:='{heartbeat_interval: 2.0}'")


def test_many_cameras_wait_for_ever_unless_something_else_is_said():
    tree = tree_of('multi_camera')
    assert ast.literal_eval(assigned(tree, 'FOR_EVER')) == ['-p', 'connect_timeout:=0.0']
    (node,) = calls(tree, 'Node')
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    # launch_ros puts arguments in front of what parents, files and lists set; the last one wins.
    assert '*FOR_EVER' in given['arguments']
