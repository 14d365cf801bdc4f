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

"""Starting ROS, or saying in one line why that is not possible, with exit code 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import os
import pathlib
import sys
from typing import Any, NoReturn

from camera_ws_bridge.ros import fast_dds, features
import rclpy
from rclpy.utilities import remove_ros_args

EXIT_USAGE = 2  # as argparse's
NO_LOG_FILE = '--disable-external-lib-logs'
LEVELS = 'debug, info, warn, error or fatal'


def own_arguments(program: str, given: Sequence[str] | None) -> list[str]:
    """Return the program's own arguments, without ROS's; exit if ROS would not take those."""
    arguments = sys.argv[1:] if given is None else given
    try:
        return list(remove_ros_args([program, *arguments])[1:])
    except Exception as error:  # rclpy's own types for this differ between distributions
        _refuse(program, f'ROS arguments: {_reason(error)}')


def init(program: str, given: Sequence[str] | None, **options: Any) -> None:
    """Call rclpy.init; exit if ROS cannot start."""
    arguments = list(sys.argv[1:] if given is None else given)
    own_arguments(program, arguments)  # it says less by itself than rclpy.init does
    if NO_LOG_FILE not in arguments:
        problem = log_folder_problem(os.environ)
        if problem:
            _refuse(program, problem)
    before = dict(os.environ)
    try:
        if 'fastrtps' in rclpy.get_rmw_implementation_identifier():
            os.environ.update(fast_dds.by_udp(
                before, pathlib.Path(), features.discovery_range(before)))
        rclpy.init(args=arguments, **options)
    except Exception as error:  # as above
        _refuse(program, f'ROS arguments: {_reason(error)}')
    # Nobody else reads how far to look, except `check`, to tell what the user has set.
    for name in fast_dds.AS_FAST_DDS_HAS_IT.keys() & before.keys():
        os.environ[name] = before[name]


def log_folder_problem(environment: Mapping[str, str]) -> str:
    """
    Return why ROS cannot write its log file, and what to set; empty: it can.

    ROS itself says it in seven lines, and not what to set.
    """
    folder = environment.get('ROS_LOG_DIR') or os.path.join(
        environment.get('ROS_HOME') or os.path.join('~', '.ros'), 'log')
    if folder.startswith('~'):
        if not environment.get('HOME'):
            return ('ROS has no place for its log file, HOME is not set: set ROS_LOG_DIR, or '
                    'HOME, to a folder that can be written')
        folder = environment['HOME'] + folder[1:]
    try:
        os.makedirs(folder, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, 'it cannot be written')
    except OSError as error:
        return (f'ROS cannot write its log file to {folder} ({error.strerror}): set ROS_LOG_DIR '
                'to a folder that can be written')
    return ''


def _reason(error: Exception) -> str:
    reason = str(error).splitlines()[0].partition(', at /')[0]  # the rest is where in ROS's source
    return f'{reason} ({LEVELS})' if 'log level' in reason else reason


def _refuse(program: str, reason: str) -> NoReturn:
    print(f'{program}: {reason}', file=sys.stderr)
    raise SystemExit(EXIT_USAGE)
