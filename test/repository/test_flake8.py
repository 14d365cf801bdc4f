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

"""Python style, as ament_flake8 checks it."""

import pytest
from rigs.own_files import python_files

flake8 = pytest.importorskip('ament_flake8.main', reason='ament_flake8 is not installed')


@pytest.mark.flake8
@pytest.mark.linter
@pytest.mark.timeout(600)  # much work, on a busy machine
def test_flake8():
    result, errors = flake8.main_with_errors(argv=['--linelength', '99', *python_files()])
    assert result == 0, '\n'.join(errors)
