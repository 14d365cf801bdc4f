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

"""Which module may import what: what decides runs without ROS, network, threads and clock."""

import ast
import importlib.util
import pathlib
import re
import sys

import pytest

PACKAGE = 'camera_ws_bridge'

# What is restricted, by the first part of its name. What is neither here nor in the standard
# library may not be imported at all.
KINDS = {
    'ROS': {
        'action_msgs', 'ament_index_python', 'builtin_interfaces', 'camera_ws_bridge_msgs',
        'composition_interfaces', 'diagnostic_msgs', 'diagnostic_updater', 'geometry_msgs',
        'launch', 'launch_ros', 'lifecycle_msgs', 'rcl_interfaces', 'rclpy', 'rosidl_runtime_py',
        'sensor_msgs', 'std_msgs', 'std_srvs', 'vision_msgs'},
    'asyncio': {'asyncio'},
    'websockets': {'websockets'},
    'JSON': {'json', 'orjson', 'simplejson', 'ujson'},
    'tornado': {'tornado'},
    'numpy': {'numpy'},
    'YAML': {'yaml'},
    'threads': {'_thread', 'concurrent', 'multiprocessing', 'queue', 'threading'},
    'network': {
        'aiohttp', 'http', 'requests', 'select', 'selectors', 'socket', 'socketserver', 'ssl'},
    'clock': {'datetime', 'sched', 'time'},
    'chance': {'random', 'secrets', 'uuid'},
}

# Groups of modules, and which kinds they may import; the first that names a module, or the package
# that it is in, counts. A module in no group belongs to the first.
PURE = (
    'errors', 'messages', 'fields', 'png', 'outbox', 'backoff', 'cdr', 'redact', 'session',
    'detection2d', 'frame_stamps', 'inbound', 'memory', 'twin_filter', 'preflight.advice',
    'preflight.jwt', 'preflight.report')
GROUPS = (
    (PURE, set()),
    (('wire',), {'JSON'}),
    (('cameras',), {'YAML'}),
    (('link', 'serving'), {'asyncio'}),
    (('client',), {'asyncio', 'websockets', 'network'}),
    (('auth',), {'asyncio', 'network', 'clock'}),
    (('token_server',), {'asyncio', 'network', 'tornado'}),
    (('spool_files',), {'clock'}),
    (('systemd', 'tcp'), {'network'}),
    (('spool_writer',), {'clock', 'threads'}),
    (('preflight',), {'asyncio', 'network', 'clock'}),
    (('convert', 'parameters', 'qos'), {'ROS'}),
    (('node',), {'ROS', 'network', 'clock', 'chance'}),
    (('main',), {'ROS', 'asyncio', 'network', 'clock', 'chance'}),
    (('runtime',), {'asyncio', 'threads', 'clock'}),
    (('loops',), {'asyncio', 'clock', 'network', 'threads'}),
    (('sim',), {*KINDS} - {'websockets', 'JSON'}),
)


def sources():
    """Return the package's source files by module name, without the package's own."""
    spec = importlib.util.find_spec(PACKAGE)
    root = pathlib.Path(spec.submodule_search_locations[0])
    files = {'.'.join(path.relative_to(root).with_suffix('').parts): path
             for path in root.rglob('*.py')}
    return {name.removesuffix('.__init__'): path for name, path in files.items()}


def imports(text, name):
    """Return all modules that this one imports, also within functions and conditions."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                parents = f'{PACKAGE}.{name}'.split('.')[:-node.level]
                base = '.'.join([*parents, *filter(None, [base])])
            found |= {base, *(f'{base}.{alias.name}' for alias in node.names)}
    return found


SOURCES = sources()
IMPORTS = {name: imports(path.read_text(encoding='utf-8'), name)
           for name, path in SOURCES.items()}


def top(module):
    """Return the first part of a module's name."""
    return module.partition('.')[0]


def kinds(name):
    """Return the kinds that a module imports itself."""
    tops = {top(module) for module in IMPORTS[name]}
    return {kind for kind, members in KINDS.items() if members & tops}


def own(name):
    """Return the modules of this package that a module imports."""
    return {module.removeprefix(f'{PACKAGE}.') for module in IMPORTS[name]} & {*SOURCES} - {name}


def reachable(name):
    """Return the module and all of this package that it imports, directly or not."""
    seen, todo = set(), {name}
    while todo:
        seen |= todo
        todo = {other for module in todo for other in own(module)} - seen
    return seen


def allowed(name):
    """Return the kinds that a module may import."""
    return next(
        (may for members, may in GROUPS if {name, top(name)} & {*members}), GROUPS[0][1])


# What a group's modules may not reach through modules of this package either.
NEVER = {
    'pure': ({*PURE, 'wire'}, {'ROS', 'asyncio', 'websockets', 'tornado'}),
    'link': ({'link'}, {'ROS', 'websockets', 'tornado'}),
    'client': ({'client'}, {'ROS', 'tornado'}),
    'preflight': ({name for name in SOURCES if top(name) == 'preflight'}, {'ROS'}),
}


def test_the_sources_are_found():
    assert {*PURE, 'wire'} <= {*SOURCES}


def test_what_is_pure_is_measured():
    script = pathlib.Path(__file__).parents[1] / 'scripts/coverage.bash'
    measured = re.search(r'^modules=\(([^)]*)\)', script.read_text(), re.MULTILINE)[1].split()
    assert {*PURE, 'wire', 'link', 'serving'} <= {*measured} <= {*SOURCES}


@pytest.mark.parametrize('name', sorted(SOURCES))
def test_a_module_imports_only_what_its_group_may(name):
    assert kinds(name) <= allowed(name)


@pytest.mark.parametrize('name', sorted(SOURCES))
def test_a_module_imports_nothing_that_the_table_does_not_know(name):
    known = {PACKAGE, *sys.stdlib_module_names}.union(*KINDS.values())
    assert {top(module) for module in IMPORTS[name]} <= known


@pytest.mark.parametrize('name', sorted(name for name in SOURCES if top(name) != 'sim'))
def test_only_stand_ins_import_stand_ins(name):
    assert 'sim' not in {top(module) for module in own(name)}


@pytest.mark.parametrize('group', NEVER)
def test_nor_through_another_module(group):
    members, never = NEVER[group]
    for name in members:
        for module in reachable(name):
            assert not kinds(module) & never, f'{name} reaches {module}'


@pytest.mark.parametrize('text, found', [
    ('import rclpy.node as n', {'rclpy.node'}),
    ('from json import loads', {'json', 'json.loads'}),
    ('from camera_ws_bridge import png', {'camera_ws_bridge', 'camera_ws_bridge.png'}),
    ('from . import png', {'camera_ws_bridge.sim', 'camera_ws_bridge.sim.png'}),
    ('from ..png import check', {'camera_ws_bridge.png', 'camera_ws_bridge.png.check'}),
    ('def f():\n    try:\n        import orjson\n    except ImportError:\n        pass',
     {'orjson'}),
    ('import os, time', {'os', 'time'}),
    ("x = 'import rclpy'", set()),
])
def test_how_imports_are_found(text, found):
    assert imports(text, 'sim.camera') == found
