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

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(path):
    for file, name in re.findall(r'`((?:faults/)?test_\w+\.py)(?:::(test_\w+))?`', path.read_text()):
        source = (ROOT / 'test' / file).read_text()
        assert not name or re.search(rf'def {name}\(', source), f'{file}::{name}'


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r'\]\(([^)#:]+)\)', path.read_text()):
        assert (path.parent / target).exists(), target
