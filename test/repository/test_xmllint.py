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

"""Both package.xml against the schema that they name."""

import shutil
import subprocess

import pytest
from rigs.own_files import package_files

ament_xmllint = pytest.importorskip('ament_xmllint.main', reason='ament_xmllint is not installed')
SCHEMA = 'http://download.ros.org/schema/package_format3.xsd'


@pytest.mark.linter
@pytest.mark.xmllint
def test_xmllint():
    if shutil.which('xmllint') is None:
        pytest.skip('xmllint is not installed (apt install libxml2-utils)')
    # xmllint itself fetches the schema: without a network it would fail with any file.
    try:
        fetched = subprocess.run(
            ['xmllint', '--noout', SCHEMA], capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:  # a firewall drops the packets
        fetched = False
    if not fetched:
        pytest.skip(f'{SCHEMA} cannot be fetched')
    assert ament_xmllint.main(argv=package_files()) == 0, 'see what is printed'
