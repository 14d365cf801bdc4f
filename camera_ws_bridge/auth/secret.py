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
Secrets: by value, or in files that nobody else can read.

No exception or repr holds a bit of one.
"""

from __future__ import annotations

from collections.abc import Mapping
import os
import stat

from camera_ws_bridge.errors import ConfigurationError, LinkFault
from camera_ws_bridge.log.printable import clean

MAX_SECRET = 16 * 2**10  # bytes of a token, client id or client secret


class Secret:
    """A secret by value or in a file, which is read anew on every use: it can be replaced."""

    def __init__(self, name: str, *, value: str = '', path: str = '') -> None:
        self._name = name
        self._value = value
        self._path = path
        try:
            self.read()
        except ValueError as error:
            raise ConfigurationError(name, str(error)) from None

    def read(self) -> str:
        """Return it without surrounding white space; raise ValueError without a bit of it."""
        value = (_read_file(self._path) if self._path else self._value).strip()
        where = f'{clean(self._path)} ' if self._path else ''
        if not value:
            raise ValueError(f'{where}is empty')
        if len(value) > MAX_SECRET:
            raise ValueError(f'{where}is larger than {MAX_SECRET} bytes')
        if not value.isprintable():
            raise ValueError(f'{where}holds characters that are not printable, or several lines')
        return value

    def read_again(self) -> str:
        """Return it as `read` does, with LinkFault: what worked once is worth another try."""
        try:
            return self.read()
        except ValueError as error:
            reason = str(error)
        raise LinkFault('secret_file', f'{self._name}: {reason}')


def from_environment(environment: Mapping[str, str], name: str) -> Secret:
    """Return the secret NAME, or that in the file NAME_FILE; raise ConfigurationError."""
    value, path = environment.get(name, ''), environment.get(f'{name}_FILE', '')
    if value and path:
        raise ConfigurationError(name, f'is set in the environment, and so is {name}_FILE')
    if path:
        return Secret(f'{name}_FILE', path=path)
    if not value:
        raise ConfigurationError(
            name, f'is needed with AUTH_SERVER_URL: set the environment variable {name}, or '
            f'{name}_FILE to a file that holds it')
    return Secret(name, value=value)


def problem_of_token(token: object) -> str:
    """Return why this cannot be a token; empty: it can."""
    if not isinstance(token, str):
        return 'is not a string'
    if not token:
        return 'is empty'
    if len(token) > MAX_SECRET:
        return f'is larger than {MAX_SECRET} bytes'
    if not (token.isascii() and token.isprintable()):
        return 'holds characters that no token has'
    return ''


def _read_file(path: str) -> str:
    """
    Return the text of a file that only we can read; raise ValueError.

    A symbolic link is followed: that is how Kubernetes mounts secrets and how a file is replaced
    in one step. It gives nothing away, for what is checked is the file that was opened.
    """
    shown = clean(path)
    try:
        # Not blocking: a FIFO would wait for somebody to write.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, 'strerror', None) or 'not a file name'
        raise ValueError(f'{shown} cannot be read: {reason}') from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f'{shown} is not a regular file')
        if status.st_uid not in (0, os.geteuid()):
            raise ValueError(f'{shown} belongs to user {status.st_uid}; chown it to the user that '
                             'runs this node')
        if status.st_mode & 0o077 and not _is_lent_by_root(status):
            raise ValueError(
                f'{shown} can be used by others (mode {stat.S_IMODE(status.st_mode):04o}); run: '
                f'chmod 600 {shown}, or let it be of root and a group of this process, mode 0440')
        data = os.read(file, MAX_SECRET + 64)
    except OSError as error:
        raise ValueError(f'{shown} cannot be read: {error.strerror}') from None
    finally:
        os.close(file)
    # Outside of any handler: a UnicodeDecodeError would carry the secret along.
    text = data.decode(errors='replace')
    if '\ufffd' in text:
        raise ValueError(f'{shown} is not UTF-8 text')
    return text


def _is_lent_by_root(status: os.stat_result) -> bool:
    """
    Return whether root lets the group read the file and nobody change it.

    The group is one of this process's own, as Kubernetes makes it with fsGroup; or root's, with an
    access control list that lets one user in, as systemd's LoadCredential makes it. That shows the
    list's mask as the group's bits; the group itself gets nothing by it.
    """
    return (stat.S_IMODE(status.st_mode), status.st_uid) == (0o440, 0) and (
        status.st_gid in (0, os.getegid(), *os.getgroups()))
