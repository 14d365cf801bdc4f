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
What is built of the sources works without them: wheel, sdist, merged and isolated colcon install.

Everything is built from a copy that is deleted before what was built is tried.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = 'camera_ws_bridge'
SOURCES = ('camera_ws_bridge', 'config', 'examples', 'launch', 'resource', 'LICENSE', 'README.md',
           'package.xml', 'setup.cfg', 'setup.py')
EXAMPLE = 'lib/camera_ws_bridge/reid_node.py'
# Where a module, the ament index and the launch files are, seen from within the process.
WHERE = """
import pathlib
from ament_index_python import get_package_prefix, get_package_share_directory
import camera_ws_bridge.bridge, camera_ws_bridge.sim.demo
print(pathlib.Path(camera_ws_bridge.bridge.__file__).resolve())
print(pathlib.Path(get_package_prefix('camera_ws_bridge')).resolve())
print(pathlib.Path(get_package_share_directory('camera_ws_bridge')).resolve())
"""


def copy_of_the_sources(folder):
    """Return a folder with what the package is built of, and nothing that was built."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name,
                            ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def run(*command, **options):
    """Run a command to its end; return what it says."""
    result = subprocess.run(
        list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=300, **options)
    assert result.returncode == 0, result.stdout
    return result.stdout


def modules():
    """Return all files of the package, as they must be installed."""
    files = [*(ROOT / PACKAGE).rglob('*.py'), ROOT / PACKAGE / 'py.typed',
             *(ROOT / PACKAGE / 'sim/page/static').iterdir()]
    return {str(path.relative_to(ROOT)) for path in files}


# ---- rosdep

def keys():
    """Return where each key of the list comes from."""
    lines = (ROOT / 'test/data/rosdep_keys.txt').read_text(encoding='utf-8').splitlines()
    return {line.split()[0]: {*line.split()[1:]} for line in lines
            if line and not line.startswith('#')}


@pytest.mark.parametrize('path', ['package.xml', f'{PACKAGE}_msgs/package.xml'])
def test_rosdep_resolves_every_dependency(path):
    root = ElementTree.parse(ROOT / path).getroot()
    declared = {element.text for element in root if element.tag.endswith('depend')}
    assert len(declared) >= 5
    for key in sorted(declared - {f'{PACKAGE}_msgs'}):
        assert keys().get(key) in ({'apt'}, {'jazzy', 'kilted'}), (
            f'{key}: see the head of test/data/rosdep_keys.txt')


def test_the_list_of_keys_is_sorted_and_of_known_kinds():
    assert [*keys()] == sorted(keys())
    assert {frozenset(kinds) for kinds in keys().values()} <= {
        frozenset({'apt'}), frozenset({'pip'}), frozenset({'jazzy', 'kilted'})}


# ---- setuptools

@pytest.fixture(scope='module')
def distributions(tmp_path_factory):
    """Return wheel and sdist, built with nothing but what is installed."""
    pytest.importorskip('setuptools')
    folder = copy_of_the_sources(tmp_path_factory.mktemp('distributions') / PACKAGE)
    environment = {**os.environ, 'PIP_NO_INDEX': '1'}
    environment.pop('PYTHONSAFEPATH', None)
    run(sys.executable, 'setup.py', 'sdist', 'bdist_wheel', cwd=folder, env=environment)
    (wheel,) = (folder / 'dist').glob('*.whl')
    (sdist,) = (folder / 'dist').glob('*.tar.gz')
    return wheel, sdist


def test_the_wheel_is_pure_and_has_all_modules_and_data(distributions):
    wheel, _ = distributions
    assert wheel.name.endswith('-py3-none-any.whl')
    names = zipfile.ZipFile(wheel).namelist()
    assert modules() <= {*names}
    assert not [name for name in names if name.startswith(('test/', 'bench/', 'build/'))]
    data = [name.partition('.data/data/')[2] for name in names]
    for wanted in ('share/ament_index/resource_index/packages/camera_ws_bridge',
                   'share/camera_ws_bridge/package.xml',
                   'share/camera_ws_bridge/launch/bridge.launch.py',
                   'share/camera_ws_bridge/config/bridge.yaml', EXAMPLE):
        assert wanted in data


def test_the_wheel_is_imported_from_where_it_was_unpacked(distributions, tmp_path):
    wheel, _ = distributions
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environment = {**os.environ, 'PYTHONPATH': f'{tmp_path}:{os.environ["PYTHONPATH"]}'}
    text = run(sys.executable, '-c', 'import camera_ws_bridge.bridge as m; print(m.__file__)',
               env=environment, cwd='/')
    assert text.strip() == str(tmp_path / PACKAGE / 'bridge.py')


def test_the_sdist_builds_the_same_wheel(distributions, tmp_path):
    wheel, sdist = distributions
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    environment = {key: value for key, value in os.environ.items() if key != 'PYTHONSAFEPATH'}
    run(sys.executable, 'setup.py', 'bdist_wheel', cwd=folder, env=environment)
    (again,) = (folder / 'dist').glob('*.whl')
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


# ---- colcon

@pytest.fixture(scope='module', params=['isolated', 'merged'])
def workspace(request, tmp_path_factory):
    """Return a colcon install whose sources are gone, and the package's prefix in it."""
    if shutil.which('colcon') is None:
        pytest.skip('colcon is not installed')
    folder = tmp_path_factory.mktemp(request.param)
    sources = copy_of_the_sources(folder / 'src' / PACKAGE)
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('COLCON_DEFAULTS_FILE', 'PYTHONSAFEPATH')}
    run('colcon', '--log-base', folder / 'log', 'build', '--base-paths', sources,
        '--build-base', folder / 'build', '--install-base', folder / 'install',
        *(['--merge-install'] if request.param == 'merged' else []),
        cwd=folder, env=environment)
    shutil.rmtree(folder / 'src')
    shutil.rmtree(folder / 'build')
    install = (folder / 'install').resolve()
    return install, install if request.param == 'merged' else install / PACKAGE


def inside(install, command):
    """Return the command, to be run where this install is sourced over what is there."""
    return ['bash', '-c', 'source "$0/local_setup.bash" && exec "$@"', install, *command]


def test_nothing_is_imported_from_outside_of_the_install(workspace):
    install, prefix = workspace
    lines = run(*inside(install, [sys.executable, '-c', WHERE]), cwd='/').splitlines()
    module, found, share = map(pathlib.Path, lines[-3:])
    assert prefix in module.parents
    assert found == prefix and share == prefix / 'share' / PACKAGE


def test_an_example_is_where_ros2_run_looks(workspace):
    _, prefix = workspace
    assert (prefix / EXAMPLE).read_bytes() == (ROOT / 'examples/reid_node.py').read_bytes()
    assert os.access(prefix / EXAMPLE, os.X_OK)


@pytest.mark.parametrize('name', ['camera_sim', 'demo', 'operator_sim', 'orchestrator_sim'])
def test_a_tool_runs_from_the_install(workspace, name):
    install, prefix = workspace
    executable = prefix / 'lib' / PACKAGE / name
    text = run(*inside(install, [executable, '--help']), cwd='/')
    assert f'usage: {name} ' in text


def test_the_bridge_runs_from_the_install(workspace):
    install, prefix = workspace
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('ORCHESTRATOR_URL', 'CAMERA_ID')}
    result = subprocess.run(
        inside(install, [prefix / 'lib' / PACKAGE / 'bridge']), text=True, capture_output=True,
        env=environment, cwd='/', timeout=60)
    assert result.returncode == 2
    assert 'orchestrator_url: is not set' in result.stderr
