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

"""Can the spool be written, without writing to it: a bridge may be using it."""

from __future__ import annotations

import os
import shutil

from camera_ws_bridge.buffer.spool import files
from camera_ws_bridge.errors import ConfigurationError
from camera_ws_bridge.preflight.report import failed, Finding, ok, skipped, warning


def check(path: str, max_bytes: int) -> Finding:
    """Look at the file, or at the folder that it would be in."""
    if not path:
        return skipped('not needed: spool_path is not set')
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    try:
        if folder == os.path.dirname(path):
            files.check_folder(folder)
        for suffix in ('', '.lock', *files.BESIDE):
            files.check_file(path + suffix)
        free = shutil.disk_usage(folder).free
    except ConfigurationError as error:
        return failed(error.reason, 'correct that, or spool_path')
    except (OSError, ValueError) as error:
        return failed(f'{path}: {getattr(error, "strerror", None) or error}',
                      'correct that, or spool_path')
    there = os.path.exists(path)
    target, mode = (path, os.R_OK | os.W_OK) if there else (folder, os.W_OK | os.X_OK)
    if not os.access(target, mode):
        return failed(f'{target} is not writable for this user', 'change its owner, or spool_path')
    detail = f'{path} {"is there" if there else "can be made"}, {free // 2**20} MiB are free'
    data = {'exists': there, 'bytes_free': free}
    if not there and free < max_bytes:
        return warning(f'{detail}: less than spool_max_bytes', 'make room, or lower it', **data)
    return ok(detail, **data)
