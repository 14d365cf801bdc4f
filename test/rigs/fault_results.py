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
Notes what a fault has cost, for `make faults`; a plain `make test` only prints it.

CAMERA_WS_BRIDGE_FAULTS names the file that gets a line of JSON for each case.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from rigs.fault_matrix import CASES

RESULTS = os.environ.get('CAMERA_WS_BRIDGE_FAULTS', '')


def record(case: str, measured: str = '', **account: Any) -> None:
    """
    Note the result of one case of the matrix.

    measured: figures in words; account: what harness.py has counted, if it ran there.
    """
    assert case in CASES, f'fault_matrix.py does not know {case!r}'
    test = re.sub(r' \(.*', '', os.environ.get('PYTEST_CURRENT_TEST', ''))
    result = json.dumps({'case': case, 'test': test, 'measured': measured, **account})
    print(result)
    if RESULTS:
        with open(RESULTS, 'a', encoding='utf-8') as file:
            file.write(f'{result}\n')
