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
Every name of ROS 2 that we use is there in each distribution, or is asked for in ros/features.

The lists of names lie in `names/`; read_names.py, which makes them, says how. They were made of

  humble: the branches `humble` of ros2/rclpy, launch, launch_ros, common_interfaces,
    rcl_interfaces and ament/ament_index, and ros-perception/vision_msgs, as of December 2024;
  jazzy: an installation (rclpy 7.1.6), and for what is not in it the branches `jazzy` of the same;
  kilted: an installation (rclpy 9.1.2), and launch and launch_ros of December 2024, 3.7.1;
  lyrical: that of kilted, changed by what rolling's documentation says: `topic_endpoint_info` is
    `endpoint_info`, `qos_event` has gone.
"""

import ast
import asyncio
import functools

import pytest
from read_names import load
from rigs.own_files import ROOT

DISTRIBUTIONS = ('humble', 'jazzy', 'kilted', 'lyrical')
ANY = '**'
NO_MORE = {'ContextManager', 'Generic', 'Protocol', 'object'}  # bases without public members
# What asks for features, and what makes one rclpy look like another.
EXEMPT = ('camera_ws_bridge/ros/features.py', 'test/compat/')


class Names:
    """The names of one distribution."""

    def __init__(self, modules):
        self.modules = modules
        self.packages = {name.partition('.')[0] for name in modules}
        self.members, self.methods = set(), {}
        for module in modules.values():
            for what in module.values():
                self._collect(what)

    def _collect(self, what):
        if isinstance(what, dict) and 'has' in what:
            self.members |= {*what['has']}
            for name, of in what['has'].items():
                if isinstance(of, list):
                    self.methods.setdefault(name, set()).update(of)
                self._collect(of)

    def find(self, dotted, seen=()):
        """Return what a name is (class, list of arguments, None: unknown), and its module."""
        parts = dotted.split('.')
        for count in range(len(parts), 0, -1):
            module = '.'.join(parts[:count])
            if module in self.modules:
                return self._within(module, parts[count:], seen)
        if any(module.startswith(f'{dotted}.') for module in self.modules):
            return None, dotted
        raise LookupError(dotted)

    def _within(self, module, parts, seen):
        what, home, where = None, module, module
        for part in parts:
            if where != module and not isinstance(what, dict):
                return None, home
            if where == module:
                known = part in self.modules[module]
                what = self.modules[module].get(part)
            else:
                what, home, known = self._member(what, part, home, seen)
            where = f'{where}.{part}'
            if not known and not part.startswith('_'):
                raise LookupError(where)
            what, home = self._followed(what, home, where, seen)
        return what, home

    def _followed(self, what, home, where, seen):
        if not isinstance(what, dict) or 'from' not in what:
            return what, home
        target = what['from']
        if target.partition('.')[0] not in self.packages or where in seen:
            return None, home
        try:
            return self.find(target, (*seen, where))
        except LookupError:
            return None, home  # made in a way that the list does not know

    def _bases(self, what, home, seen):
        """Yield the bases of a class with their modules; None for somebody else's."""
        for base in what['is']:
            try:
                yield (base, *self.find(f'{home}.{base}', seen))
            except LookupError:
                yield base, None, home

    def _member(self, what, name, home, seen):
        """Return a member of a class, its module, and whether it is there as far as is known."""
        if name in what['has']:
            return what['has'][name], home, True
        for base, found, module in self._bases(what, home, seen):
            if isinstance(found, dict):
                member, where, known = self._member(found, name, module, seen)
                if known:
                    return member, where, True
            elif base.rpartition('.')[2] not in NO_MORE and not (
                    name.isupper() and base.endswith(('Enum', 'IntFlag'))):
                return None, home, True  # somebody else's class may have it
        return None, home, False

    def keywords(self, what, home):
        """Return what can be given by keyword to something that is called; None: anything."""
        if isinstance(what, list):
            return None if ANY in what else {*what}
        if not isinstance(what, dict) or any(base.endswith('Enum') for base in what['is']):
            return None
        made = what['has'].get('__init__')
        if made is not None and ANY not in made:
            return {*made}
        allowed = {*(made or ())}
        for base, found, module in self._bases(what, home, ()):
            of_base = self.keywords(found, module)
            if of_base is None and base.rpartition('.')[2] not in NO_MORE:
                return None
            allowed |= of_base or set()
        # A profile looks at the names itself, and has a property for each.
        return allowed | {*what['has']} if made and not what['is'] else allowed


@functools.lru_cache(maxsize=None)
def names(distribution):
    return Names(load(distribution))


@functools.lru_cache(maxsize=None)
def parsed(text):
    return ast.parse(text)


def dotted(node):
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f'{base}.{node.attr}' if base else ''
    return node.id if isinstance(node, ast.Name) else ''


def guarded(tree):
    """Return the nodes that stand in a `try` of what may not be there."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(
                handler.type is not None and {'ImportError', 'AttributeError'} & {
                    name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)}
                for handler in node.handlers):
            found |= {id(inner) for statement in [*node.body, *node.handlers]
                      for inner in ast.walk(statement)}
    return found


def bound(tree, packages, passed_over):
    """Return what imports bind, as dotted names; these; and what else is imported."""
    local, imported, others = {}, [], set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            others |= {alias.asname or alias.name.partition('.')[0] for alias in node.names}
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition('.')[0] in packages:
                    imported.append((node, alias.name))
                    if id(node) in passed_over:
                        continue
                    name = alias.asname or alias.name.partition('.')[0]
                    local[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and not node.level and (
                node.module.partition('.')[0] in packages):
            for alias in node.names:
                imported.append((node, f'{node.module}.{alias.name}'))
                if id(node) not in passed_over:
                    local[alias.asname or alias.name] = f'{node.module}.{alias.name}'
    return local, imported, others - {*local}


def missing(text, distribution):
    """Return (line, what) of all that a distribution does not have."""
    tree = parsed(text)
    here = names(distribution)
    passed_over = guarded(tree)
    local, imported, others = bound(tree, here.packages, passed_over)
    found = []

    def look(node, name):
        try:
            here.find(name)
        except LookupError as error:
            if id(node) not in passed_over:
                found.append((node.lineno, str(error)))
    for node, name in imported:
        look(node, name)
    for node in ast.walk(tree):
        name = dotted(node) if isinstance(node, ast.Attribute) else ''
        if name and name.partition('.')[0] in local:
            first, _, rest = name.partition('.')
            look(node, f'{local[first]}.{rest}')
        elif isinstance(node, ast.Attribute) and node.attr not in here.members and (
                node.attr in DIFFERENT and id(node) not in passed_over
                and dotted(node).partition('.')[0] not in others):
            found.append((node.lineno, f'.{node.attr}'))
        if not isinstance(node, ast.Call) or id(node) in passed_over:
            continue
        given = {keyword.arg for keyword in node.keywords if keyword.arg}
        called = dotted(node.func)
        first, _, rest = called.partition('.')
        if called and first in local:
            try:
                known = here.keywords(*here.find('.'.join(filter(None, [local[first], rest]))))
            except LookupError:
                continue  # told of above
            found += [(node.lineno, f'{called}({word}=)') for word in given
                      if known is not None and word not in known]
        elif isinstance(node.func, ast.Attribute):
            method = node.func.attr
            known = here.methods.get(method, set())
            found += [(node.lineno, f'.{method}({word}=)') for word in given
                      if known and ANY not in known and word not in known
                      and any(word in names(other).methods.get(method, ())
                              for other in DISTRIBUTIONS)]
    return sorted({*found})


def different():
    """Return the members of rclpy's classes that not all distributions have."""
    every = [Names({name: what for name, what in names(distribution).modules.items()
                    if name.startswith('rclpy') and not name.startswith('rclpy.impl')}).members
             for distribution in DISTRIBUTIONS]
    # What has the same name in Python or in our own code tells nothing.
    known = {name for kind in (
        str, bytes, dict, list, set, int, BaseException, asyncio.AbstractEventLoop)
             for name in dir(kind)}
    for path in sources():
        for node in ast.walk(parsed(path.read_text(encoding='utf-8'))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                known.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                known.add(node.attr)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                known.add(node.target.id)
    return set.union(*every) - set.intersection(*every) - known


def sources():
    folders = ('camera_ws_bridge', 'launch', 'examples', 'bench', 'test', 'fuzz', 'scripts')
    return [path for folder in folders for path in sorted((ROOT / folder).rglob('*.py'))
            if not str(path.relative_to(ROOT)).startswith(EXEMPT)]


DIFFERENT = different()


@pytest.mark.parametrize('distribution', DISTRIBUTIONS)
def test_what_we_use_is_there(distribution):
    found = [f'{path.relative_to(ROOT)}:{line}: {what}' for path in sources()
             for line, what in missing(path.read_text(encoding='utf-8'), distribution)]
    assert not found, f'not in {distribution}:\n' + '\n'.join(found)


@pytest.mark.parametrize('distribution, text, what', [
    ('humble', 'from rclpy.experimental import EventsExecutor', 'rclpy.experimental'),
    ('humble', 'import rclpy.event_handler', 'rclpy.event_handler'),
    ('humble', 'from rclpy.qos import QoSReliabilityPolicy as Q\nQ.BEST_AVAILABLE',
     'rclpy.qos.QoSReliabilityPolicy.BEST_AVAILABLE'),
    ('humble', 'import rclpy.qos\nrclpy.qos.ReliabilityPolicy.BEST_AVAILABLE',
     'rclpy.qos.ReliabilityPolicy.BEST_AVAILABLE'),
    ('humble', 'from rclpy.node import Node\nNode("a", enable_logger_service=True)',
     'Node(enable_logger_service=)'),
    ('humble', 'node.add_post_set_parameters_callback(print)',
     '.add_post_set_parameters_callback'),
    ('humble', 'node.create_timer(1.0, print, autostart=False)', '.create_timer(autostart=)'),
    ('humble', 'from rcl_interfaces.msg import LoggerLevel', 'rcl_interfaces.msg.LoggerLevel'),
    ('lyrical', 'from rclpy.topic_endpoint_info import TopicEndpointInfo',
     'rclpy.topic_endpoint_info'),
    ('jazzy', 'from std_srvs.srv import Trigger\nTrigger.Response(succes=True)',
     'Trigger.Response(succes=)'),
    ('kilted', 'from lifecycle_msgs.msg import State\nState.PRIMARY_STATE_ASLEEP',
     'lifecycle_msgs.msg.State.PRIMARY_STATE_ASLEEP'),
    ('jazzy', 'from launch.actions import DeclareLaunchArgument as A\nA("a", standard="b")',
     'A(standard=)')])
def test_what_is_not_there_is_found_with_its_line(distribution, text, what):
    ((line, told),) = missing(text, distribution)
    assert line == len(text.splitlines())
    assert told.startswith(what)


@pytest.mark.parametrize('text', [
    'try:\n    from rclpy.event_handler import EventHandler\nexcept ImportError:\n    pass',
    'from rclpy.qos import QoSProfile\nQoSProfile(depth=1)',
    'from rclpy.lifecycle import LifecycleNode\nLifecycleNode.create_publisher',
    'from somewhere import Node\nNode(whatever=1).anything'])
def test_what_is_there_or_asked_for_is_not_told_of(text):
    assert not missing(text, 'humble')
