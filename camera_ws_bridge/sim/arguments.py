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

"""Types of command-line arguments, and what ROS adds to them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
import math
import sys

LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')


def count(text: str) -> int:
    """Return an integer, 0 or greater."""
    value = int(text)
    if value < 0:
        raise ArgumentTypeError(f'{text} is less than 0')
    return value


def port(text: str) -> int:
    """Return a port; 0: the kernel picks."""
    value = count(text)
    if value > 65535:
        raise ArgumentTypeError(f'{text} is more than 65535')
    return value


def not_negative(text: str) -> float:
    """Return a finite number, 0 or greater."""
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ArgumentTypeError(f'{text} is not 0 or a positive number')
    return value


def positive(text: str) -> float:
    """Return a finite number greater than 0."""
    value = not_negative(text)
    if value == 0:
        raise ArgumentTypeError('0 is not a positive number')
    return value


def parse(parser: ArgumentParser, given: list[str] | None) -> Namespace:
    """Parse without --ros-args to --, which launch files add; for what is no ROS node."""
    own: list[str] = []
    for_ros: list[str] = []
    into = own
    for argument in sys.argv[1:] if given is None else given:
        if argument == '--ros-args':
            into = for_ros
        elif argument == '--' and into is for_ros:
            into = own
        else:
            into.append(argument)
    for option, level in zip(for_ros, for_ros[1:]):
        if option == '--log-level' and level.rpartition(':=')[2].lower() not in LEVELS:
            # What ROS would say of it: a mistake is not to depend on which program it meets.
            parser.exit(2, f'{parser.prog}: ROS arguments: --log-level {level}: not one of '
                        f'{", ".join(LEVELS)}\n')
    return parser.parse_args(own)
