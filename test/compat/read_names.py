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
Read the names that a distribution of ROS 2 has, from its sources or from where it is installed.

  python3 test/compat/read_names.py NAME FOLDER...

writes names/NAME.json: modules, what is in them, members of classes, and arguments. Nothing that
is read is run or imported: Python files are parsed, `.msg` and `.srv` files read by lines, and of
rclpy's C++ only what it gives to Python. A folder may hold checkouts or be an installation; of
what is in several, the first counts.

A distribution whose sources are not at hand is a file that is written by hand: as which other it
is, which modules have another name, and which have gone.
"""

import argparse
import ast
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
MESSAGES = {
    'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'lifecycle_msgs', 'rcl_interfaces',
    'rosgraph_msgs', 'sensor_msgs', 'std_msgs', 'std_srvs', 'vision_msgs'}
PACKAGES = {'ament_index_python', 'launch', 'launch_ros', 'launch_testing', 'rclpy'}
EXTENSION = 'rclpy.impl.implementation_singleton'
ANY = '**'  # an argument by any name


def public(name):
    return not name.startswith('_') or name == '__init__'


def arguments(function):
    """Return the names that can be given to a function by keyword."""
    spec = function.args
    names = [argument.arg for argument in [*spec.args, *spec.kwonlyargs]
             if argument.arg not in ('self', 'cls')]
    return names + [ANY] * bool(spec.kwarg)


def targets(statement):
    """Return the names that an assignment makes, attributes of self included."""
    found = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in found:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Attribute) and getattr(node.value, 'id', '') == 'self':
                yield node.attr


def flat(body):
    """Yield all statements of a body, also those under conditions."""
    for statement in body:
        yield statement
        for part in ('body', 'orelse', 'finalbody'):
            if isinstance(statement, (ast.If, ast.Try, ast.With)):
                yield from flat(getattr(statement, part, []))
        for handler in getattr(statement, 'handlers', []):
            yield from flat(handler.body)


def dotted(node):
    """Return 'a.b' of an expression that is one, else ''."""
    if isinstance(node, ast.Subscript):  # Generic[T]
        return dotted(node.value)
    if isinstance(node, ast.Attribute):
        return f'{dotted(node.value)}.{node.attr}' if dotted(node.value) else ''
    return node.id if isinstance(node, ast.Name) else ''


def of_class(node):
    """Return what a class has: its bases, and its members with what they can be given."""
    members = {}
    for statement in flat(node.body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            is_property = any(
                'property' in name or name.endswith('.setter')
                for name in map(dotted, statement.decorator_list))
            if not is_property and isinstance(members.get(statement.name), list):  # an overload
                members[statement.name] = sorted(
                    {*members[statement.name], *arguments(statement)})
            else:
                members[statement.name] = None if is_property else arguments(statement)
            for inner in ast.walk(statement):
                if isinstance(inner, (ast.Assign, ast.AnnAssign)):
                    for name in targets(inner):
                        if any(isinstance(target, ast.Attribute) for target in getattr(
                                inner, 'targets', [getattr(inner, 'target', None)])):
                            members.setdefault(name, None)
        elif isinstance(statement, ast.ClassDef):
            members[statement.name] = of_class(statement)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            for name in targets(statement):
                members[name] = None
                if name == '__slots__' and isinstance(statement.value, (ast.List, ast.Tuple)):
                    members.update({slot.value.lstrip('_'): None for slot in statement.value.elts
                                    if isinstance(slot, ast.Constant)})
    if '__new__' in members:
        members['__init__'] = members['__new__']
    fields = [target for statement in node.body if isinstance(statement, ast.AnnAssign)
              for target in targets(statement)]
    if '__init__' not in members and (
            any(dotted(base).endswith(('NamedTuple', 'TypedDict')) for base in node.bases)
            or any('dataclass' in ast.dump(decorator) for decorator in node.decorator_list)):
        members['__init__'] = fields
    return {'is': [*filter(None, map(dotted, node.bases))],
            'has': {name: what for name, what in members.items() if public(name)}}


def of_module(text, name, is_package):
    """Return what a module has: {name: arguments, class, {'from': ...} or None}."""
    found = {}
    for statement in flat(ast.parse(text).body):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[statement.name] = arguments(statement)
        elif isinstance(statement, ast.ClassDef):
            found[statement.name] = of_class(statement)
        elif isinstance(statement, ast.ImportFrom):
            base = statement.module or ''
            if statement.level:
                parents = name.split('.') + [''] * is_package
                base = '.'.join([*parents[:-statement.level], *filter(None, [base])])
            for alias in statement.names:
                found[alias.asname or alias.name] = {'from': f'{base}.{alias.name}'}
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                if alias.asname:
                    found[alias.asname] = {'from': alias.name}
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            alias = dotted(statement.value) if statement.value is not None else ''
            for target in targets(statement):
                found[target] = {'from': f'{name}.{alias}'} if alias else None
    return {key: what for key, what in found.items() if public(key)}


def of_stub(text):
    """Return what a stub says of rclpy's extension."""
    return of_module(text, 'extension', False)


def of_cpp(texts):
    """Return the same, of the C++ that makes it: classes with their members, and functions."""
    found = {}
    for text in texts:
        text = re.sub(r'//[^\n]*', '', text)
        for part in re.split(r'(?=py::(?:class_|enum_)<)', text):
            made = re.match(r'py::(?:class_|enum_)<[^;]*?>\s*\(\s*\w+,\s*"(\w+)"', part)
            members = dict.fromkeys(re.findall(
                r'\.(?:def\w*|value)\(\s*"(\w+)"', part))
            if made:
                found[made[1]] = {'is': [], 'has': {
                    name: None for name in members if public(name)}}
            for name in re.findall(
                    r'(?:\bm(?:odule)?\.def|register_exception<[\w:]+>)\('
                    r'\s*(?:\w+,\s*)?"(\w+)"', part):
                found[name] = None
    return found


def of_interface(text):
    """Return the fields and constants of a .msg, or a part of an .srv."""
    members = {}
    for line in text.splitlines():
        line = line.partition('#')[0].strip()
        constant = re.match(r'\S+\s+([A-Z][A-Z0-9_]*)\s*=', line)
        field = re.match(r'\S+\s+([a-z]\w*)(\s|$)', line)
        if constant or field:
            members[(constant or field)[1]] = None
    fields = [name for name in members if not name.isupper()]
    return {'is': [], 'has': {**members, '__init__': fields}}


def read(folders):
    """Return all modules of all packages in these folders."""
    modules = {}
    for folder in map(pathlib.Path, folders):
        new = {}
        for path in sorted(folder.rglob('*.py')):
            parts = path.relative_to(folder).with_suffix('').parts
            start = next((at for at, part in enumerate(parts[:-1]) if part in PACKAGES and (
                folder.joinpath(*parts[:at + 1], '__init__.py')).exists()), None)
            if start is None or 'test' in parts:
                continue
            is_package = parts[-1] == '__init__'
            name = '.'.join(parts[start:len(parts) - is_package])
            new[name] = of_module(path.read_text(encoding='utf-8'), name, is_package)
        for path in sorted([*folder.rglob('*.msg'), *folder.rglob('*.srv')]):
            package, kind = path.parts[-3], path.parts[-2]
            if package not in MESSAGES or kind not in ('msg', 'srv'):
                continue
            text = path.read_text(encoding='utf-8')
            parts = [of_interface(part) for part in re.split(r'(?m)^---\s*$', text)]
            new.setdefault(f'{package}.{kind}', {})[path.stem] = parts[0] if kind == 'msg' else {
                'is': [], 'has': dict(zip(('Request', 'Response'), parts))}
        stubs = [*folder.rglob('_rclpy_pybind11.pyi')]
        sources = [*folder.rglob('rclpy/src/rclpy/**/*.cpp')]
        extension = (of_stub(stubs[0].read_text(encoding='utf-8')) if stubs else
                     of_cpp(path.read_text(encoding='utf-8') for path in sources))
        if extension:
            new.setdefault(EXTENSION, {})['rclpy_implementation'] = {'is': [], 'has': extension}
        for name, what in new.items():
            known = modules.setdefault(name, {})
            known.update({key: value for key, value in what.items() if known.get(key) is None})
    return modules


def load(name):
    """Return the modules of a distribution, of its file."""
    modules = json.loads((HERE / f'names/{name}.json').read_text(encoding='utf-8'))
    if 'as' not in modules:
        return modules
    changes, modules = modules, load(modules['as'])
    for old, new in changes['moved'].items():
        modules[new] = modules.pop(old)
        for module in modules.values():
            for what in module.values():
                if isinstance(what, dict) and what.get('from', '').startswith(f'{old}.'):
                    what['from'] = new + what['from'].removeprefix(old)
    return {name: what for name, what in modules.items() if name not in changes['gone']}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('name')
    parser.add_argument('folders', nargs='+')
    given = parser.parse_args()
    lines = (f'{json.dumps(name)}: {json.dumps(what, sort_keys=True, separators=(",", ":"))}'
             for name, what in sorted(read(given.folders).items()) if what)
    (HERE / f'names/{given.name}.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    main()
