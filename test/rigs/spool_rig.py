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

"""Rows for a spool, and a look at its files."""

import contextlib
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import textwrap

from camera_ws_bridge.buffer.outbox import BOXES, UPDATES
from camera_ws_bridge.buffer.spool.spool import Row, Spool

MIB = 2**20


def boxes(id_, payload=b'boxes'):
    """Return a row of boxes."""
    return Row(id_, BOXES, None, 1.5e9 + id_, payload)


def update(id_, payload=b'update', object_id=7):
    """Return a row of an update."""
    return Row(id_, UPDATES, object_id, 1.5e9 + id_, payload)


def mixed(first, last):
    """Return rows of both lanes and many sizes, from id first to last."""
    chance = random.Random(first)
    return [chance.choice((boxes, update))(id_, chance.randbytes(chance.randrange(3000)))
            for id_ in range(first, last + 1)]


def reopened(path, max_bytes=4 * MIB):
    """Return the rows and the report of a spool opened once more."""
    spool = Spool.open(path, max_bytes)
    try:
        assert spool.ids() == [row.id for row in spool.load()]
        return spool.load(), spool.report
    finally:
        spool.close()


@contextlib.contextmanager
def crash(path):
    """Have the files of a spool, which the block closes, as they were before the block."""
    kept = [path + suffix for suffix in ('', '-wal') if os.path.exists(path + suffix)]
    for file in kept:
        shutil.copy(file, file + '.copy')
    yield
    for file in kept:
        os.rename(file + '.copy', file)


def rows_of_copy(path, folder):
    """Return the rows and the report of a copy, made in a new folder; the files stay as are."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = pathlib.Path(path)
    for each in path.parent.glob(path.name + '*'):
        if each.name == path.name or each.name.endswith(('-wal', '-shm')):
            with contextlib.suppress(FileNotFoundError):  # SQLite may remove its log
                shutil.copy(each, folder / each.name)
    try:
        return reopened(str(folder / path.name), 2**27)
    finally:
        shutil.rmtree(folder)


def mode(path):
    """Return the permissions."""
    return stat.S_IMODE(os.lstat(path).st_mode)


def aside(path, beside=False):
    """Return the paths of files that were put aside, or (beside) also of what belongs to them."""
    folder, name = os.path.split(path)
    return sorted(os.path.join(folder, entry) for entry in os.listdir(folder)
                  if entry.startswith(name + '.corrupt-')
                  and (beside or not entry.endswith(('-wal', '-shm'))))


def in_process(code, *arguments, **kwargs):
    """Start a Python process with the package's modules at hand."""
    prelude = ('import os, sys\n'
               'from camera_ws_bridge.buffer.spool.spool import Row, Spool, SpoolError\n')
    return subprocess.Popen(
        [sys.executable, '-c', prelude + textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, **kwargs)
