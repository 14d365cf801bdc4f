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

"""One line per subject and interval, the rest counted."""

import logging

from camera_ws_bridge.log.throttled_log import ThrottledLog
import pytest
from rigs.shared import Clock


class Recorder:
    """A logger that keeps what it is given."""

    def __init__(self):
        self.lines = []

    def debug(self, message):
        raise AssertionError(f'only warnings are expected: {message}')

    info = error = debug

    def warning(self, message):
        self.lines.append(message)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def limited(recorder, clock):
    return ThrottledLog(recorder, 'gate', clock, 5.0)


def test_first_warning_is_logged_at_once(limited, recorder):
    limited.warning('subject', 'text')
    assert recorder.lines == ['gate: text']


def test_repetitions_are_held_back_and_counted(limited, recorder, clock):
    for index in range(4):
        limited.warning('subject', f'text {index}')
        clock.now += 1.0
    assert recorder.lines == ['gate: text 0']
    clock.now += 1.0
    limited.warning('subject', 'text 4')
    assert recorder.lines == ['gate: text 0', 'gate: text 4 (3 more like it before)']


def test_count_starts_anew_after_it_was_told(limited, recorder, clock):
    for _ in range(2):
        limited.warning('subject', 'text')
    for _ in range(2):
        clock.now += 5.0
        limited.warning('subject', 'text')
    assert recorder.lines == [
        'gate: text', 'gate: text (1 more like it before)', 'gate: text']


def test_subjects_do_not_hold_each_other_back(limited, recorder):
    limited.warning('one', 'text of one')
    limited.warning('other', 'text of other')
    assert recorder.lines == ['gate: text of one', 'gate: text of other']


def test_errors_are_limited_too(limited, recorder, clock):
    recorder.error = lambda line: recorder.lines.append(f'error: {line}')
    for _ in range(3):
        limited.error('subject', 'te\nxt')
    clock.now += 5.0
    limited.error('subject', 'text')
    assert recorder.lines == [r'error: gate: te\nxt', 'error: gate: text (2 more like it before)']


def test_warnings_are_cleaned(limited, recorder):
    limited.warning('subject', 'forged\nline')
    assert recorder.lines == [r'gate: forged\nline']


def test_clock_may_start_at_zero(recorder):
    ThrottledLog(recorder, 'gate', lambda: 0.0).warning('subject', 'text')
    assert recorder.lines == ['gate: text']


def test_logger_of_the_standard_library_fits(caplog, clock):
    ThrottledLog(logging.getLogger('bridge'), 'gate', clock).warning('subject', '100 % of it')
    assert [record.getMessage() for record in caplog.records] == ['gate: 100 % of it']


def test_what_happens_is_never_held_back(limited, recorder):
    recorder.info = lambda line: recorder.lines.append(f'info: {line}')
    for _ in range(2):
        limited.info('registered\n')
    assert recorder.lines == [r'info: gate: registered\n'] * 2


def test_an_error_without_a_subject_is_never_held_back(limited, recorder):
    recorder.error = recorder.lines.append
    for _ in range(2):
        limited.error('', 'the disk is full')
    assert recorder.lines == ['gate: the disk is full'] * 2


def test_a_bug_names_what_it_has_cost(limited, recorder):
    recorder.error = recorder.lines.append
    for _ in range(2):
        limited.bug(KeyError('oops'), 'message ignored: ')
    limited.bug(OSError('no space'))
    assert recorder.lines == [
        "gate: message ignored: internal error, please report: KeyError: 'oops'",
        'gate: internal error, please report: OSError: no space']
