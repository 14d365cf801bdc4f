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

"""Which room may import what: what decides runs without ROS, network, threads and clock."""

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
    'cryptography': {'cryptography'},
    'YAML': {'yaml'},
    'threads': {'_thread', 'concurrent', 'multiprocessing', 'queue', 'threading'},
    'prometheus': {'prometheus_client'},
    'network': {
        'aiohttp', 'http', 'requests', 'select', 'selectors', 'socket', 'socketserver', 'ssl'},
    'clock': {'datetime', 'sched', 'time'},
    'chance': {'random', 'secrets', 'uuid'},
}

# A room and what it may import: of the other rooms, and of what is restricted. A module or folder
# with an entry of its own goes by that one. Every room may import errors.
RULES = {
    'errors': ('', ''),
    'log': ('', ''),
    'protocol': ('', ''),
    'protocol.strict_json': ('', 'JSON'),
    'tracking': ('protocol', ''),
    'buffer': ('protocol', ''),
    'buffer.spool': ('buffer log', 'clock threads'),
    'transport': ('log', 'asyncio websockets network'),
    'transport.daemon_executor': ('', 'threads'),
    'transport.url': ('', ''),
    'link': ('tracking buffer protocol log', ''),
    'link.link': ('tracking buffer protocol log', 'asyncio'),
    'link.connection': ('tracking buffer protocol log', 'asyncio'),
    'link.second_chance': ('protocol log', 'asyncio'),
    'link.active_connection': ('tracking buffer protocol log', 'asyncio'),
    'auth': ('transport protocol log', 'asyncio network clock'),
    'config.parameters': ('transport tracking metrics', 'ROS'),
    'config.cameras': ('', 'YAML'),
    'bridge': ('link buffer tracking protocol log', 'asyncio clock chance'),
    'ros': ('', 'ROS'),
    'ros.adaptive_subscription': ('', 'ROS clock'),
    'ros.duplicate_filter': ('', ''),
    'ros.fast_dds': ('', ''),
    'ros.looks': ('', ''),
    'ros.sequence_gaps': ('', ''),
    'ros.shelf': ('', 'ROS clock'),
    'reid': ('', ''),
    'reid.handler': ('ros', 'ROS threads clock'),
    'inputs': ('bridge ros config tracking protocol', 'ROS'),
    'inputs.adapter': ('protocol', ''),
    'inputs.cdr': ('protocol', ''),
    'inputs.detection2d': ('protocol', ''),
    'inputs.foreign': ('protocol', ''),
    'inputs.yolo': ('protocol', ''),
    'outputs.health': ('', ''),
    'outputs': ('bridge ros link buffer tracking protocol log', 'ROS clock'),
    'metrics': ('', ''),
    'metrics.endpoint': ('', 'prometheus threads network clock'),
    'node': ('inputs outputs ros config auth bridge link buffer tracking transport protocol log',
             'ROS network'),
    'process': ('node config transport', 'ROS asyncio network threads clock'),
    'process.monitoring': ('node metrics', 'ROS'),
    'process.executor': ('ros', 'ROS clock'),
    'process.wait_set_executor': ('', 'ROS clock'),
    'process.wait_set': ('', 'ROS'),
    'process.turns': ('ros', 'ROS'),
    'process.multi_bridge': ('node config ros', 'ROS'),
    'process.run': ('node ros', 'ROS'),
    'process.wake_ups': ('', ''),
    'process.signals': ('', 'threads'),
    'preflight': ('auth transport buffer protocol log', 'asyncio network clock'),
    'preflight.advice': ('', ''),
    'preflight.certificates': ('', 'clock cryptography'),
    'preflight.jwt': ('protocol', ''),
    'preflight.report': ('log', ''),
    'preflight.check': (
        'node inputs ros config auth transport protocol log', 'ROS clock chance'),
    'preflight.ros': ('node inputs ros config tracking protocol', 'ROS clock'),
    'sim': ('bridge config link buffer tracking transport protocol log ros',
            'ROS asyncio tornado numpy threads network clock chance JSON'),
    'sim.page.guard': ('', ''),
    'sim.page.pictures': ('', ''),
    'sim.page.watch': ('', ''),
    '__main__': ('process', ''),
}


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


def rule(name):
    """Return the rule of a module, which may be that of its room: rooms, and kinds."""
    while name not in RULES and '.' in name:
        name = name.rpartition('.')[0]
    rooms, restricted = RULES[name]
    return {'errors', *rooms.split()}, {*restricted.split()}


def test_the_sources_are_found():
    assert {'bridge', 'errors', 'link.link', 'buffer.spool.writer'} <= {*SOURCES}
    assert {name for name in RULES if name not in SOURCES} == set()


def test_every_room_has_a_rule():
    for name in SOURCES:
        if '.' in name or top(name) in ('bridge', 'errors'):
            rule(name)


def test_a_module_imports_only_the_rooms_that_its_room_may():
    for name in SOURCES:
        if '.' in name or name in RULES:
            strangers = {top(module) for module in own(name)} - rule(name)[0] - {top(name)}
            assert not strangers, f'{name} imports {strangers}'


def test_a_module_uses_only_what_its_room_may():
    for name in SOURCES:
        if '.' in name or name in RULES:
            assert kinds(name) <= rule(name)[1], name


def test_a_room_says_what_it_is_for_and_holds_no_code():
    for name, path in SOURCES.items():
        if path.name == '__init__.py':
            assert [type(node) for node in ast.parse(path.read_text()).body] == [ast.Expr], name


def test_no_module_imports_itself_through_others():
    for name in SOURCES:
        circle = [module for module in own(name) if name in reachable(module)]
        assert not circle, f'{name} and {circle} import each other'


def test_what_is_neither_known_nor_of_the_standard_library_is_not_imported():
    known = {PACKAGE, *sys.stdlib_module_names}.union(*KINDS.values())
    for name in SOURCES:
        assert {top(module) for module in IMPORTS[name]} <= known, name


def test_what_decides_is_measured():
    script = pathlib.Path(__file__).parents[2] / 'scripts/coverage.bash'
    measured = re.search(r'^modules=\(([^)]*)\)', script.read_text(), re.MULTILINE)[1].split()
    deciding = {name for name in SOURCES if '.' in name and rule(name)[1] <= {'JSON'}
                and SOURCES[name].name != '__init__.py'}
    assert {*deciding, 'link.link', 'link.active_connection', 'errors'} <= {*measured}
    assert {*measured} <= {*SOURCES}


@pytest.mark.parametrize('text, found', [
    ('import rclpy.node as n', {'rclpy.node'}),
    ('from json import loads', {'json', 'json.loads'}),
    ('from camera_ws_bridge.log import redact',
     {'camera_ws_bridge.log', 'camera_ws_bridge.log.redact'}),
    ('from . import png', {'camera_ws_bridge.sim', 'camera_ws_bridge.sim.png'}),
    ('from ..png import check', {'camera_ws_bridge.png', 'camera_ws_bridge.png.check'}),
    ('def f():\n    try:\n        import orjson\n    except ImportError:\n        pass',
     {'orjson'}),
    ('import os, time', {'os', 'time'}),
    ("x = 'import rclpy'", set()),
])
def test_how_imports_are_found(text, found):
    assert imports(text, 'sim.camera') == found
