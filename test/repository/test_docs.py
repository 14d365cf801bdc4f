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

"""The documents name only tests and files that are there."""

import ast
import pathlib
import re
import runpy

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import advice
from camera_ws_bridge.process.run import EXIT_CONFIGURATION, EXIT_OK, EXIT_UNREACHABLE
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'QUALITY_DECLARATION.md',
    *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(path):
    named = r'`((?:faults/)?test_\w+\.py)(?:::(test_\w+))?`'
    for file, name in re.findall(named, path.read_text()):
        source = next((ROOT / 'test').rglob(file)).read_text()
        assert not name or re.search(rf'def {name}\(', source), f'{file}::{name}'


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r'\]\(([^)#:]+)\)', path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_page_is_in_the_table_of_contents():
    text = (ROOT / 'docs/index.md').read_text()
    listed = {line for block in re.findall(r'```{toctree}\n(.*?)```', text, re.DOTALL)
              for line in block.split() if not line.startswith(':')}
    pages = {path.stem for path in (ROOT / 'docs').glob('*.md')} - {'index'}
    assert pages <= listed


def modules_named(cell):
    """Return the modules that a cell of the table names, as paths without their ending."""
    package = ''
    for name in re.findall(r'`([\w/]+)`', cell):
        if name.endswith('/'):
            package = name
        else:
            yield package + name


def test_the_architecture_names_every_module_once():
    package = ROOT / 'camera_ws_bridge'
    modules = [str(path.relative_to(package).with_suffix('')) for path in package.rglob('*.py')
               if not path.name.startswith('__')]
    table = re.search(r'## The parts\n.*?\n## ', (ROOT / 'docs/architecture.md').read_text(),
                      re.DOTALL)[0]
    cells = re.findall(r'^\|[^|]*\|([^|]*)\|', table, re.MULTILINE)
    named = [name for cell in cells for name in modules_named(cell)]
    assert sorted(named) == sorted(modules)


def test_the_buffers_figures_are_computed():
    script = runpy.run_path(str(ROOT / 'scripts/buffer_size.py'))
    text = (ROOT / 'docs/operations.md').read_text()
    assert script['BEGIN'] in text and script['END'] in text
    assert script['page'](text) == text, 'run scripts/buffer_size.py'
    per_message, per_box = map(int, re.search(
        r'bytes of a message = (\d+) \+ (\d+) \* boxes', text).groups())
    for boxes in (1, 20, 100):
        size = script['message_bytes'](boxes)
        assert abs(per_message + per_box * boxes - size) < 0.02 * size


def table_of(heading):
    """Return the names in the first column of a table of operations.md."""
    text = (ROOT / 'docs/operations.md').read_text()
    rows = text.partition(f'| {heading} |')[2].partition('\n\n')[0]
    return {name for cell in re.findall(r'^\| ([^|]*) \|', rows, re.MULTILINE)
            for name in re.findall('`([a-z0-9_]+)`', cell)}


def strings_given_to(functions, position):
    """Return the strings that the package gives to these functions at this position."""
    for path in (ROOT / 'camera_ws_bridge').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and len(node.args) > position and (
                    getattr(node.func, 'id', getattr(node.func, 'attr', '')) in functions):
                given = node.args[position]
                if isinstance(given, ast.Constant):
                    yield given.value
                elif isinstance(given, ast.JoinedStr):  # of the answers' numbers
                    yield given.values[0].value


def test_every_cause_of_a_lost_connection_is_explained():
    causes = {*strings_given_to({'LinkFault'}, 0)}
    assert {'refused', 'tls', 'http_', 'silent'} <= causes
    assert table_of('why there is no connection') == causes | {
        'http_404', 'http_400', 'configuration'}


def test_there_is_advice_of_its_own_for_every_cause_that_a_check_can_meet():
    causes = {*strings_given_to({'LinkFault'}, 0)} - {'http_', 'reconnect'} | {'http_404'}
    default = advice.of_fault(LinkFault('none of these', ''))
    assert {cause for cause in causes if advice.of_fault(LinkFault(cause, '')) == default} == set()


def test_every_cause_of_a_refused_message_is_explained():
    named = {*strings_given_to({'DecodeError', 'EncodeError', 'BadField', 'refuse'}, 2)}
    assert {'malformed', 'rate'} <= named
    assert table_of('in `rejected_inbound`, `rejected_outbound`') == named | {
        'invalid_field', 'internal'}  # the default's, and that of a bug


def test_the_exit_codes_are_those_of_the_bridge():
    text = (ROOT / 'docs/operations.md').read_text()
    codes = {int(code) for code in re.findall(r'^\| (\d) \| ', text, re.MULTILINE)}
    assert {EXIT_CONFIGURATION, EXIT_OK, EXIT_UNREACHABLE} <= codes


def test_make_has_the_targets_that_the_documents_name():
    targets = {*re.findall(r'^([a-z0-9-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)}
    for path in DOCUMENTS:
        assert {*re.findall(r'`make ([a-z0-9-]+)', path.read_text())} <= targets, path
