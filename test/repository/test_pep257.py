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

"""Style of the docstrings, as ament_pep257 checks it."""

import pytest
from rigs.own_files import python_files

pep257 = pytest.importorskip('ament_pep257.main', reason='ament_pep257 is not installed')


@pytest.mark.linter
@pytest.mark.timeout(600)  # much work, on a busy machine
@pytest.mark.pep257
def test_pep257():
    assert pep257.main(argv=python_files()) == 0, 'see what is printed'
