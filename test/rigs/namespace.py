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
A network namespace of one's own for a test, with nothing but a loopback in it.

It belongs to a thread: it is gone with the thread and its sockets, whatever happens to the test.
"""

import ctypes
import shutil
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000


def why_not():
    """Return why no namespace can be made here; empty: one can."""
    for program in ('ip',):
        if shutil.which(program) is None:
            return f'the program {program} (iproute2) is not installed'
    return _in_thread(lambda: '' if _unshare() else 'no right to make a network namespace (root)')


def ip(arguments):
    """Run `ip`, several commands separated by semicolons, in this thread's namespace."""
    for command in arguments.split(';'):
        subprocess.run(['ip', *command.split()], check=True, timeout=20)


def in_namespace(test):
    """Run a function in a namespace of its own, or skip the test and say why."""
    reason = why_not()
    if reason:
        pytest.skip(f'network namespaces: {reason}')

    def run():
        assert _unshare()
        ip('link set lo up')
        return test()

    return _in_thread(run)


def _unshare():
    return ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0


def _in_thread(job):
    """Return what the job returned in a thread, or raise what it raised there."""
    results = []

    def run():
        try:
            results.append((job(), None))
        except BaseException as error:  # noqa: B902 - of the test, which is not this thread
            results.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (result, error), = results
    if error is not None:
        raise error
    return result
