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

"""What a check has found, as an object and as text."""

from camera_ws_bridge.preflight import report
from camera_ws_bridge.preflight.report import failed, ok, skipped, Status, Step, warning
from camera_ws_bridge.protocol import strict_json
import pytest

STEPS = [Step('resolve', ok('a is 1.2.3.4', addresses=['1.2.3.4']), 0.0014),
         Step('tls', warning('5 days left', 'have it renewed', days_left=5), 0.25),
         Step('token', skipped('not needed'), 0.0)]
BROKEN = Step('upgrade', failed('HTTP \x1b[2J404', 'correct\nthe path', cause='http_404'), 1.0)


def test_what_the_object_says():
    value = report.as_object([*STEPS, BROKEN])
    assert strict_json.loads(strict_json.dumps(value)) == value
    assert (value['format'], value['ok'], value['seconds']) == (1, False, 1.251)
    assert value['steps'][1] == {
        'name': 'tls', 'status': 'warning', 'seconds': 0.25, 'detail': '5 days left',
        'advice': 'have it renewed', 'data': {'days_left': 5}}
    assert value['steps'][3]['detail'] == 'HTTP \\x1b[2J404'


def test_warnings_and_skipped_steps_are_no_failure():
    assert report.all_well(STEPS) and not report.all_well([*STEPS, BROKEN])
    assert report.summary(STEPS) == 'ready, with 1 warning'
    assert report.summary(STEPS[:1]) == 'ready'
    assert report.summary([*STEPS, BROKEN, BROKEN]) == '2 of 5 steps failed'


def test_text_is_printable_and_no_wider_than_a_terminal():
    text = report.as_text(Step('upgrade', failed('word ' * 60 + '\x1b[2J', 'do ' * 60), 1.0))
    assert all(len(line) <= report.WIDTH and line.isprintable() for line in text.splitlines())
    assert text.startswith('failed   upgrade       word word') and '-> do do' in text
    assert '\\x1b' in text


def test_a_step_without_advice_is_one_line():
    assert report.as_text(STEPS[0]) == 'ok       resolve       a is 1.2.3.4 (0.00 s)'


@pytest.mark.parametrize('status', Status)
def test_a_status_is_one_word(status):
    assert status.value.isalpha() and len(status.value) < 8
