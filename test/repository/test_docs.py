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

"""The documents: what they name is there, links lead somewhere, words are the field's."""

import ast
import pathlib
import re
import runpy

from camera_ws_bridge.errors import LinkFault
from camera_ws_bridge.preflight import advice
from camera_ws_bridge.process.run import (
    EXIT_BUG, EXIT_CONFIGURATION, EXIT_OK, EXIT_UNREACHABLE)
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'QUALITY_DECLARATION.md',
    *sorted((ROOT / 'docs').glob('*.md'))]
SOURCES = ('bench', 'camera_ws_bridge', 'deploy', 'examples', 'fuzz', 'launch', 'scripts', 'test')
README_LINES = 150
# In the documents' own words; what a program prints, or a generated table says, is its affair.
WORDS = {
    'stand-in': 'simulator', 'twin': 'duplicate', 'twins': 'duplicates', 'traps': 'known quirks',
    'one thing to fail': 'single point of failure', 'those that are': 'name them',
    'against each other': 'compares what each side sent and received', 'for months': 'how long'}


def found(file):
    """Return the sources whose paths end so: a name, with or without the folders it is in."""
    return [path for folder in SOURCES for path in (ROOT / folder).rglob('*.py')
            if f'/{path.relative_to(ROOT).as_posix()}'.endswith(f'/{file}')]


def prose(text):
    """Return a document without its blocks of code and its generated tables."""
    text = re.sub(r'^( *)```.*?^ *```$', '', text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r'^<!-- .*?^<!-- end.*?-->$', '', text, flags=re.DOTALL | re.MULTILINE)


def anchors(path):
    """Return the link targets that a page's headings are, as GitHub and Sphinx make them."""
    headings = re.findall(r'^#+ (.*)$', prose(path.read_text()), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_source_and_test_that_a_document_names_exists(path):
    text = path.read_text()
    for file, name in re.findall(r'`((?:\w+/)*\w+\.py)(?:::(test_\w+))?`', text):
        sources = found(file)
        shown = 'NAME' in file or f'ave it as `{file}`' in text
        assert sources or shown or (ROOT / file).exists(), file
        assert not name or any(
            re.search(rf'def {name}\(', source.read_text()) for source in sources), (
                f'{file}::{name}')


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r'\]\(([^)]+)\)', prose(path.read_text())):
        if re.match('[a-z]+:', target):
            continue  # another site: not for a test without a network
        file, _, anchor = target.partition('#')
        page = path.parent / file if file else path
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_row_stands_in_a_table(path):
    blocks = re.split(r'\n\s*\n', prose(path.read_text()))
    tables = [block.strip().splitlines() for block in blocks if re.search(r'^ *\|', block, re.M)]
    strays = [table[0] for table in tables if not (
        all(row.lstrip().startswith('|') for row in table)
        and len(table) > 2 and re.fullmatch(r'[-:| ]+', table[1]))]
    assert not strays


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_the_words_are_those_of_the_field(path):
    text = ' '.join(prose(path.read_text()).lower().split())
    for word, better in WORDS.items():
        assert not re.search(rf'\b{word}\b', text), f'{word}: {better}'


def test_the_readme_is_of_one_sitting():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= README_LINES


def python_blocks():
    """Return the Python programs and parts of them that the documents show."""
    for path in DOCUMENTS:
        blocks = re.findall(
            r'^( *)```python\n(.*?)^ *```$', path.read_text(), re.DOTALL | re.MULTILINE)
        for indent, block in blocks:
            yield pytest.param(re.sub(f'^{indent}', '', block, flags=re.MULTILINE), id=path.name)


@pytest.mark.parametrize('block', [*python_blocks()])
def test_python_that_is_shown_is_python(block):
    compile(block, '<document>', 'exec')


def test_the_readmes_detector_has_12_lines_and_is_that_of_its_page():
    block = re.search(r'```python\n.*?```', (ROOT / 'README.md').read_text(), re.DOTALL)[0]
    assert len([line for line in block.splitlines()[1:-1] if line]) == 12
    assert block in (ROOT / 'docs/detector.md').read_text()


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
    assert script['page'](text) == text, 'run scripts/buffer_size.py --write'
    per_message, per_box = map(int, re.search(
        r'bytes of a message = (\d+) \+ (\d+) \* boxes', text).groups())
    for boxes in (1, 20, 100):
        size = script['message_bytes'](boxes)
        assert abs(per_message + per_box * boxes - size) < 0.02 * size


@pytest.mark.parametrize('name, arguments', [
    ('buffer_size', []), ('buffer_size', ['30']), ('buffer_size', ['--help']),
    ('buffer_size', ['30', 'many']), ('fleet_load', ['--help']), ('fleet_load', ['--nonsense'])])
def test_a_script_that_is_asked_for_help_or_wrongly_computes_and_writes_nothing(
        name, arguments, tmp_path, monkeypatch, capsys):
    page = tmp_path / 'page.md'
    page.write_text('as it was')
    main = runpy.run_path(str(ROOT / f'scripts/{name}.py'))['main']
    monkeypatch.setitem(main.__globals__, 'PAGE', page)
    monkeypatch.setattr('sys.argv', [name, *arguments])
    with pytest.raises(SystemExit):
        main()
    assert page.read_text() == 'as it was'
    printed = ''.join(capsys.readouterr())
    assert printed.startswith('usage: ')


def test_the_figures_of_your_camera_stand_below_what_they_are(monkeypatch, capsys):
    script = runpy.run_path(str(ROOT / 'scripts/buffer_size.py'))
    monkeypatch.setattr('sys.argv', ['buffer_size', '30', '20'])
    script['main']()
    printed = capsys.readouterr().out
    assert printed.startswith(script['HEAD'] + script['row'](30, 20))


def test_the_load_of_a_fleet_is_computed():
    script = runpy.run_path(str(ROOT / 'scripts/fleet_load.py'))
    text = (ROOT / 'docs/performance.md').read_text()
    assert script['BEGIN'] in text and script['END'] in text
    assert script['page'](text) == text, 'run scripts/fleet_load.py --write'
    for outage in script['OUTAGES']:
        load = script['simulate'](outage)
        assert len(load.back) == script['BRIDGES']
        # No longer than the longest pause and the registrations of all take.
        longest = max(script['DEFAULTS']['reconnect_delay_max'], outage.retry_after)
        assert load.back[-1] <= script['AWAY'] + longest + (
            script['BRIDGES'] / script['CAPACITY']), outage.name


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
    causes = {*strings_given_to({'LinkFault'}, 0)}
    causes = causes - {'http_', 'network', 'reconnect'} | {'http_404'}
    default = advice.of_fault(LinkFault('none of these', ''))
    assert {cause for cause in causes if advice.of_fault(LinkFault(cause, '')) == default} == set()


def test_every_cause_of_a_refused_message_is_explained():
    named = {*strings_given_to({'DecodeError', 'EncodeError', 'BadField', 'refuse'}, 2)}
    assert {'malformed', 'rate'} <= named
    assert table_of('in `rejected_inbound`, `rejected_outbound`') == named | {
        'invalid_field', 'internal'}  # the default's, and that of a bug


def test_the_exit_codes_are_those_of_the_bridge():
    text = (ROOT / 'docs/interface.md').read_text()
    codes = {int(code) for code in re.findall(r'^\| (\d) \| ', text, re.MULTILINE)}
    assert codes == {EXIT_BUG, EXIT_CONFIGURATION, EXIT_OK, EXIT_UNREACHABLE}


def test_make_has_the_targets_that_the_documents_name():
    targets = {*re.findall(r'^([a-z0-9-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)}
    for path in DOCUMENTS:
        assert {*re.findall(r'`make ([a-z0-9-]+)', path.read_text())} <= targets, path
