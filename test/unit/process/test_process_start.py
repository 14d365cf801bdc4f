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

"""Where the executables begin, on their own."""

import resource
import signal
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import Mock

from camera_ws_bridge.process import start
from camera_ws_bridge.transport import descriptors
import pytest
from rigs.installed import executable as executable_of

PATIENCE = 30.0  # seconds

# Importing rclpy says so, and then takes for ever.
START = """
import sys
class Stall:
    def find_spec(self, name, path=None, target=None):
        if name == 'rclpy':
            print('importing', flush=True)
            sys.stdin.read()
sys.meta_path.insert(0, Stall())
from camera_ws_bridge.process import start
sys.exit(start.{executable}())
"""


@pytest.mark.parametrize('executable', ['bridge', 'multi_bridge'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_python_still_imports_ends_it_in_order(tmp_path, executable, number):
    with subprocess.Popen(
            [sys.executable, '-c', START.format(executable=executable)], cwd=tmp_path,
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == 'importing\n', process.stderr.read()
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
            assert process.stderr.read() == ''
        finally:
            process.kill()


def limited(name, *, files):
    """Run an executable that may open so many files; return what came of it."""
    return subprocess.run(
        [executable_of(name)], text=True, capture_output=True, timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))


@pytest.mark.parametrize('executable, code', [('bridge', 2), ('multi_bridge', 2), ('check', 1)])
@pytest.mark.parametrize('files', [20, descriptors.NEEDED - 1])
def test_too_few_descriptors_end_in_one_line(executable, code, files):
    done = limited(executable, files=files)
    assert (done.returncode, done.stdout) == (code, '')
    assert len(done.stderr.splitlines()) == 1 and 'ulimit -n' in done.stderr, done.stderr
    assert f'no more than {files} files' in done.stderr


def test_so_many_descriptors_are_enough():
    # It comes as far as a parameter that is missing.
    done = limited('bridge', files=descriptors.NEEDED)
    assert done.returncode == 2 and 'orchestrator_url' in done.stderr, done.stderr


def test_no_limit_of_descriptors(monkeypatch):
    monkeypatch.setattr(
        resource, 'getrlimit', lambda kind: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert descriptors.shortage() == ''


@pytest.mark.parametrize('error, part', [
    (OSError(24, 'Too many open files'), 'ulimit -n'), (MemoryError(), 'memory'),
    (RuntimeError("can't start new thread"), 'ulimit -u')])
def test_what_runs_out_later_in_the_start_is_one_line_as_well(monkeypatch, capsys, error, part):
    def fail():
        raise error
    monkeypatch.setattr(start, 'import_module', lambda name: SimpleNamespace(main=fail))
    monkeypatch.setattr(start, 'END_SIGNALS', Mock())  # not of this process
    assert start.bridge() == start.EXIT_CONFIGURATION
    said = capsys.readouterr().err
    assert part in said and len(said.splitlines()) == 1


def test_other_errors_of_the_start_are_shown_as_they_are(monkeypatch):
    def fail():
        raise PermissionError(13, 'Permission denied')
    monkeypatch.setattr(start, 'import_module', lambda name: SimpleNamespace(main=fail))
    monkeypatch.setattr(start, 'END_SIGNALS', Mock())  # not of this process
    with pytest.raises(PermissionError):
        start.bridge()
