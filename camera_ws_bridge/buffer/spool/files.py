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
Files of the spool that nobody else can read, replace or have open; and where corrupt ones go.

Raises ConfigurationError for what only a person can put right, and OSError.
"""

from __future__ import annotations

from contextlib import suppress
import fcntl
import os
import re
import stat
import time

from camera_ws_bridge.errors import ConfigurationError

BESIDE = ('-wal', '-shm', '-journal')
KEPT_QUARANTINED = 3


def make_folder(folder: str) -> None:
    """Create the directory, 0700, or check that nobody else can put files into it."""
    if not os.path.lexists(folder):
        parent = os.path.dirname(folder)
        if not os.path.lexists(parent):
            make_folder(parent)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            sync(parent)
    check_folder(folder)


def check_folder(folder: str) -> None:
    """Raise ConfigurationError if others can put files into the directory."""
    info = os.stat(folder)
    if not stat.S_ISDIR(info.st_mode):
        raise ConfigurationError('spool_path', f'{folder} is not a directory')
    if info.st_uid != os.geteuid():
        raise ConfigurationError('spool_path', f'the directory {folder} belongs to another user')
    if info.st_mode & 0o022:
        raise ConfigurationError(
            'spool_path', f'others may write to the directory {folder}: chmod go-w {folder}')


def make_file(path: str) -> None:
    """Create the file, 0600 whatever the umask; refuse links and what belongs to others."""
    for suffix in ('', *BESIDE):
        _secure(path + suffix)
    with suppress(FileExistsError):
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
        sync(os.path.dirname(path))


def check_file(path: str) -> os.stat_result | None:
    """Return what is known of a file, None if there is none; refuse all but a file of ours."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(info.st_mode):
        kind = 'a symbolic link' if stat.S_ISLNK(info.st_mode) else 'not a regular file'
        raise ConfigurationError('spool_path', f'{path} is {kind}: remove it')
    if info.st_uid != os.geteuid():
        raise ConfigurationError('spool_path', f'{path} belongs to another user')
    return info


def _secure(path: str) -> None:
    info = check_file(path)
    if info is not None and stat.S_IMODE(info.st_mode) != 0o600:
        os.chmod(path, 0o600)


def lock(path: str) -> int:
    """Return the descriptor that holds the lock until it is closed."""
    _secure(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigurationError(
            'spool_path', 'in use by another bridge: give each bridge a file of its own') from None
    return descriptor


def header(path: str) -> bytes:
    with open(path, 'rb') as file:
        return file.read(100)


def size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def sync(folder: str) -> None:
    """Let the directory's entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_aside(path: str) -> str:
    """Rename the file and what belongs to it; remove the oldest put aside before."""
    folder, name = os.path.split(path)
    now = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())
    pattern = re.compile(re.escape(name) + r'\.corrupt-(\w{16})(?:-(\d+))?')
    found = sorted((match[1], int(match[2] or 0)) for entry in os.listdir(folder)
                   if (match := pattern.fullmatch(entry)))
    numbers = [number for stamp, number in found if stamp == now]
    found.append((now, max(numbers) + 1 if numbers else 0))
    names = [f'{path}.corrupt-{stamp}' + (f'-{number}' if number else '')
             for stamp, number in found]
    for suffix in ('', *BESIDE):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, names[-1] + suffix)
    for old in names[:-KEPT_QUARANTINED]:
        for suffix in ('', *BESIDE):
            with suppress(FileNotFoundError):
                os.unlink(old + suffix)
    return names[-1]
