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

"""That everything needed is declared, installed and found, and that nothing else is."""

import ast
import importlib.metadata
import importlib.util
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from ament_index_python import get_package_share_directory
import pytest
from rigs.installed import executable

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = 'camera_ws_bridge'
BOTH = [PACKAGE, f'{PACKAGE}_msgs']
SHARE = pathlib.Path(get_package_share_directory(PACKAGE))
EXECUTABLES = {'bridge', 'check', 'camera_sim', 'demo', 'multi_bridge', 'operator_sim',
               'orchestrator_sim'}

# What package.xml calls a module's package, where the names differ.
KEYS = {
    'yaml': 'python3-yaml',
    'PIL': 'python3-pil',
    'prometheus_client': 'python3-prometheus-client',
    **{name: f'python3-{name}' for name in (
        'cryptography', 'hypothesis', 'numpy', 'psutil', 'pytest', 'selenium', 'tornado',
        'websockets')},
}
# What PyPI calls it.
DISTRIBUTIONS = {'yaml': 'PyYAML', 'PIL': 'Pillow'}
OPTIONAL = {'orjson', 'vision_msgs', 'yolo_msgs'}  # imported only if it is there, or asked for


def package_xml(folder):
    return ElementTree.parse(folder / 'package.xml').getroot()


def text_of(root, tag):
    return [element.text for element in root.iter(tag)]


def imports(path):
    """Return the packages that a file imports, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition('.')[0])
    return found - {PACKAGE} - {*sys.stdlib_module_names}


def setup_arguments():
    """Return what setup.py gives to setuptools."""
    given = {}
    setuptools = pytest.importorskip('setuptools')
    original, here = setuptools.setup, os.getcwd()
    setuptools.setup = lambda **arguments: given.update(arguments)
    os.chdir(ROOT)
    try:
        runpy.run_path('setup.py')
    finally:
        os.chdir(here)
        setuptools.setup = original
    return given


# ---- versions and descriptions

def test_one_version_everywhere():
    versions = {
        *text_of(package_xml(ROOT), 'version'),
        *text_of(package_xml(ROOT / BOTH[1]), 'version'),
        *text_of(package_xml(SHARE), 'version'),
        setup_arguments()['version'], importlib.metadata.version(PACKAGE)}
    assert len(versions) == 1, versions


def test_the_changelogs_know_the_version():
    (version,) = text_of(package_xml(ROOT), 'version')
    for folder in (ROOT, ROOT / BOTH[1]):
        headings = re.findall(
            r'^(\S.*)\n[-=~^]{4,}$', (folder / 'CHANGELOG.rst').read_text(encoding='utf-8'),
            re.MULTILINE)
        assert any(re.match(rf'(Forthcoming|{re.escape(version)}\b)', heading)
                   for heading in headings), folder


def test_package_xml_and_setup_py_say_the_same():
    root, arguments = package_xml(ROOT), setup_arguments()
    assert text_of(root, 'name') == [arguments['name']] == [PACKAGE]
    assert text_of(root, 'license') == [arguments['license']] == ['Apache-2.0']
    (maintainer,) = root.iter('maintainer')
    assert (maintainer.text, maintainer.get('email')) == (
        arguments['maintainer'], arguments['maintainer_email'])


@pytest.mark.parametrize('folder', [ROOT, ROOT / BOTH[1]], ids=BOTH)
def test_package_xml_is_of_format_3_and_names_its_schema(folder):
    assert package_xml(folder).get('format') == '3'
    text = (folder / 'package.xml').read_text(encoding='utf-8')
    assert 'href="http://download.ros.org/schema/package_format3.xsd"' in text


# ---- colcon

def colcon_list(folder, *arguments):
    if shutil.which('colcon') is None:
        pytest.skip('colcon is not installed')
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('COLCON_DEFAULTS_FILE', 'PYTHONSAFEPATH')}
    result = subprocess.run(
        ['colcon', '--log-base', os.devnull, 'list', '--names-only', *arguments], cwd=folder,
        env=environment, text=True, capture_output=True, check=True, timeout=60)
    return sorted(result.stdout.split())


def test_colcon_finds_both_packages_at_the_root():
    assert colcon_list(ROOT) == BOTH


def test_colcon_finds_both_packages_from_a_workspace_as_the_readme_says(tmp_path):
    (tmp_path / 'src').mkdir()
    (tmp_path / 'src' / PACKAGE).symlink_to(ROOT, target_is_directory=True)
    commands = re.findall(
        '^colcon build (--base-paths .*)$', (ROOT / 'README.md').read_text(encoding='utf-8'),
        re.MULTILINE)
    assert commands, 'the README shows how to build in a workspace'
    for arguments in commands:
        assert colcon_list(tmp_path, *arguments.split()) == BOTH


def test_colcon_test_runs_pytest():
    # Without this it runs unittest, finds nothing, and is content.
    assert any('pytest' in requirement
               for requirement in setup_arguments().get('extras_require', {}).get('test', []))


# ---- what is installed

def test_the_tests_import_the_installed_package():
    spec = importlib.util.find_spec(PACKAGE)
    (location,) = spec.submodule_search_locations
    assert pathlib.Path(location) != ROOT / PACKAGE, 'the source tree'


def test_everything_that_setup_py_lists_is_installed_as_it_is():
    prefix = SHARE.parents[1]
    files = [(target, pathlib.Path(source)) for target, sources in setup_arguments()['data_files']
             for source in sources]
    for target, source in files:
        installed = prefix / target / source.name
        assert installed.read_bytes() == (ROOT / source).read_bytes(), installed
    listed = {source for _, source in files}
    for folder in ('launch', 'config', 'examples'):
        for path in (ROOT / folder).iterdir():
            assert path.is_dir() or path.relative_to(ROOT) in listed, f'{path} is not installed'


def test_every_module_is_installed():
    (location,) = importlib.util.find_spec(PACKAGE).submodule_search_locations
    ours = {path.relative_to(ROOT / PACKAGE) for path in (ROOT / PACKAGE).rglob('*.py')}
    installed = {path.relative_to(location) for path in pathlib.Path(location).rglob('*.py')}
    assert ours == installed
    assert (pathlib.Path(location) / 'py.typed').exists()


def test_the_operators_page_is_installed_as_it_is():
    (location,) = importlib.util.find_spec(PACKAGE).submodule_search_locations
    ours, installed = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (
        ROOT / PACKAGE / 'sim/page/static', pathlib.Path(location) / 'sim/page/static'))
    assert 'index.html' in ours and ours == installed


def entry_points():
    return {entry.name: entry for entry in importlib.metadata.distribution(PACKAGE).entry_points
            if entry.group == 'console_scripts'}


def test_the_executables_are_the_public_ones():
    assert {*entry_points()} == EXECUTABLES


@pytest.mark.parametrize('name', sorted(EXECUTABLES))
def test_an_executable_is_where_ros2_run_looks_and_its_function_imports(name):
    assert callable(entry_points()[name].load())
    assert os.access(executable(name), os.X_OK)


@pytest.mark.parametrize('name', sorted(EXECUTABLES - {'bridge'}))
def test_a_tool_has_help(name):
    result = subprocess.run(
        [executable(name), '--help'], text=True, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f'usage: {name} ')


# ---- dependencies

def unmet(names, declared):
    return sorted({KEYS.get(name, name) for name in names - OPTIONAL} - declared)


def test_every_import_is_declared():
    (location,) = importlib.util.find_spec(PACKAGE).submodule_search_locations
    files = [*pathlib.Path(location).rglob('*.py'), *(SHARE / 'launch').glob('*.py'),
             *(ROOT / 'examples').glob('*.py')]
    found = set().union(*map(imports, files))
    assert {'rclpy', 'websockets', 'launch'} <= found
    root = package_xml(ROOT)
    declared = {*text_of(root, 'depend'), *text_of(root, 'exec_depend')}
    assert not unmet(found, declared)


def test_no_dependency_is_declared_in_vain():
    (location,) = importlib.util.find_spec(PACKAGE).submodule_search_locations
    files = [*pathlib.Path(location).rglob('*.py'), *(SHARE / 'launch').glob('*.py'),
             *(ROOT / 'examples').glob('*.py')]
    used = {KEYS.get(name, name) for name in set().union(*map(imports, files))}
    root = package_xml(ROOT)
    assert {*text_of(root, 'depend'), *text_of(root, 'exec_depend')} - used <= {'ros2launch'}


def distributions(paths):
    """Return what pip has to install for these files; ROS 2 itself does not come from there."""
    found = set().union(*map(imports, paths))
    return {DISTRIBUTIONS.get(name, name) for name in found & {*KEYS}}


def test_setup_py_requires_what_is_imported():
    arguments = setup_arguments()
    required = {re.split('[<>=~! ]', requirement)[0]
                for requirement in arguments['install_requires']}
    package = distributions((ROOT / PACKAGE).rglob('*.py'))
    optional = {*arguments['extras_require']['metrics']}
    assert optional == {'prometheus_client'}
    # setuptools: which every ament_python package names
    assert required - {'setuptools'} == package - optional
    extra = distributions((ROOT / 'examples').glob('*.py')) - package
    assert {*arguments['extras_require']['examples']} == extra
    assert arguments['python_requires'] == '>=3.10'


def test_every_import_of_the_tests_is_declared():
    here = ROOT / 'test'
    own = {'rigs', *(path.stem for path in here.rglob('*.py'))}
    root = package_xml(ROOT)
    declared = set().union(*(text_of(root, tag) for tag in (
        'depend', 'exec_depend', 'test_depend')))
    found = set().union(*map(imports, here.rglob('*.py'))) - own
    # A package that rosdep does not know can only be used through pytest.importorskip.
    assert not unmet(found, declared)


# ---- documentation, and what must not be committed

def test_the_parameters_are_documented_as_they_are():
    document = runpy.run_path(str(ROOT / 'scripts' / 'document_parameters.py'))
    hint = 'run scripts/document_parameters.py'
    written = (ROOT / 'config' / 'bridge.yaml').read_text(encoding='utf-8')
    assert document['yaml']() == written, hint
    page = document['PAGE'].read_text(encoding='utf-8')
    assert document['BEGIN'] in page and document['END'] in page
    assert document['page'](page) == page, hint


def test_the_readme_names_eight_parameters_with_their_defaults():
    page = (ROOT / 'docs' / 'parameters.md').read_text(encoding='utf-8')
    known = dict(re.findall(r'^\| `(\w+)` \| \w+ \| `([^`]*)` \|', page, re.MULTILINE))
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    rows = readme.partition('| parameter | default |')[2].partition('\n\n')[0]
    named = dict(re.findall(r'^\| `(\w+)` \| `([^`]*)` \|', rows, re.MULTILINE))
    assert len(named) == 8
    assert named == {name: known[name] for name in named}
    assert f'All {len(known)}, with types and ranges' in readme


def committed():
    """Return all files under version control, or about to be."""
    if shutil.which('git') is None or not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    result = subprocess.run(
        ['git', '-c', f'safe.directory={ROOT}', 'ls-files', '-z', '--cached', '--others',
         '--exclude-standard'], cwd=ROOT, text=True, capture_output=True, check=True)
    return [ROOT / name for name in result.stdout.split('\0') if (ROOT / name).is_file()]


def test_no_file_names_a_place_of_one_machine_or_one_registry():
    places = [f'/{name}/' for name in ('work', 'root', 'home')] + [
        'pypi.' + 'org', 'files.python' + 'hosted', '/tmp/' + 'launch_ws']
    pattern = re.compile('|'.join(map(re.escape, places)).encode())
    for path in committed():
        match = pattern.search(path.read_bytes())
        assert match is None, f'{path}: {match}'


def test_nothing_that_was_built_is_committed():
    for path in committed():
        parts = path.relative_to(ROOT).parts
        assert parts[0] not in ('build', 'install', 'log', '.venv'), path
        assert '__pycache__' not in parts, path
