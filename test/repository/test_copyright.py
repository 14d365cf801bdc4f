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

"""Every source file names its licence, as ament_copyright checks it."""

import pytest
from rigs.own_files import python_files, ROOT

ament_copyright = pytest.importorskip(
    'ament_copyright.main', reason='ament_copyright is not installed')


@pytest.mark.copyright
@pytest.mark.linter
def test_copyright():
    files = [*python_files(), str(ROOT / 'LICENSE'), str(ROOT / 'CONTRIBUTING.md')]
    assert ament_copyright.main(argv=files) == 0, 'see what is printed'
